import type { PlatformScope } from "../domain/export-task.ts";
import { misconfigured } from "./errors.ts";
import type { IotdaClientOptions } from "./options.ts";
import {
  authorizationHeader,
  type Credentials,
  canonicalQuery,
  type SigningAlgorithm,
  sdkDate,
  signingAlgorithmFor,
} from "./signing.ts";

/** A platform call before it is signed. */
export interface PlatformCall {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below `/v5/iot/{project_id}/export-tasks`; empty or beginning with `/`. */
  readonly subPath: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** JSON text, or empty. */
  readonly body: string;
}

/** A call ready for the wire. */
export interface SignedCall {
  readonly method: PlatformCall["method"];
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Ids as they may stand in a path or header: the charsets of iotda-api §1.1 and §1.2, case not enforced. */
const SCOPE_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Turns calls into signed requests for one endpoint, project and instance. */
export class RequestBuilder {
  readonly origin: URL;
  readonly #scope: PlatformScope;
  readonly #algorithm: SigningAlgorithm;
  readonly #regionId: string;
  readonly #wallMs: () => number;

  /** Throws `platform-misconfigured` for settings that can never work. */
  constructor(options: IotdaClientOptions) {
    this.origin = checkedOrigin(options.endpoint);
    this.#scope = { projectId: options.projectId, instanceId: options.instanceId };
    if (![options.projectId, options.instanceId ?? "default"].every((id) => SCOPE_ID.test(id))) {
      throw misconfigured(
        "the project or instance id is not an id",
        "Copy ARCHIVER_IOTDA_PROJECT_ID and ARCHIVER_IOTDA_INSTANCE_ID from the console.",
      );
    }
    const signing = options.signing ?? "auto";
    this.#algorithm = signing === "auto" ? signingAlgorithmFor(this.origin.hostname) : signing;
    if (this.#algorithm === "derived" && (options.regionId ?? "") === "") {
      throw misconfigured("the derived signature needs the region id", "Set ARCHIVER_IOTDA_REGION.");
    }
    this.#regionId = options.regionId ?? "";
    this.#wallMs = options.wallMs;
  }

  sign(call: PlatformCall, credentials: Credentials): SignedCall {
    const path = `/v5/iot/${this.#scope.projectId}/export-tasks${call.subPath}`;
    const headers = this.#signedHeaders(credentials);
    const signable = { method: call.method, path, query: call.query, headers, body: call.body };
    const authorization = authorizationHeader(signable, credentials, this.#algorithm, this.#regionId);
    const query = canonicalQuery(call.query);
    return {
      method: call.method,
      target: query === "" ? path : `${path}?${query}`,
      headers: { ...headers, ...UNSIGNED_HEADERS, authorization },
      body: call.body,
    };
  }

  /** The set the official SDK signs (iotda-api §3.1), whatever the method (§1.1: it sends `Content-Type` always). */
  #signedHeaders(credentials: Credentials): Readonly<Record<string, string>> {
    const { projectId, instanceId } = this.#scope;
    return {
      "content-type": "application/json",
      host: this.origin.host,
      ...(instanceId === undefined ? {} : { "instance-id": instanceId }),
      "x-project-id": projectId,
      "x-sdk-date": sdkDate(this.#wallMs()),
      ...(credentials.securityToken === undefined ? {} : { "x-security-token": credentials.securityToken }),
    };
  }
}

const UNSIGNED_HEADERS: Readonly<Record<string, string>> = {
  // What the official SDK sends even for the file (iotda-api §1.1).
  accept: "application/json",
  // The file must arrive as it is stored: decoded bodies no longer match their length.
  "accept-encoding": "identity",
  "user-agent": "iotda-archiver",
};

function checkedOrigin(endpoint: string): URL {
  const url = URL.parse(endpoint);
  const isOrigin =
    url !== null &&
    (url.protocol === "https:" || url.protocol === "http:") &&
    url.pathname === "/" &&
    url.search === "" &&
    url.hash === "" &&
    url.username === "" &&
    url.password === "";
  if (!isOrigin) {
    throw misconfigured(
      "the platform endpoint is not an origin",
      "Set ARCHIVER_IOTDA_ENDPOINT to https://host without path, query or user.",
    );
  }
  return url;
}
