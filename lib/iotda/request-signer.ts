import { misconfigured } from "./errors.ts";
import type { WireRequest } from "./exchange.ts";
import type { IotdaClientOptions } from "./options.ts";
import {
  authorizationHeader,
  type Credentials,
  canonicalQuery,
  type SignableRequest,
  sdkDate,
  signingAlgorithmFor,
} from "./signing.ts";

/** A platform call before it is signed. */
export interface UnsignedCall {
  readonly method: WireRequest["method"];
  /** Below `/v5/iot/{project_id}/export-tasks`; empty or beginning with `/`. */
  readonly subPath?: string;
  readonly query?: SignableRequest["query"];
  /** JSON text. */
  readonly body?: string;
}

/** Makes signed requests of calls, for one endpoint, project and instance. */
export interface RequestSigner {
  readonly origin: URL;
  sign(call: UnsignedCall, credentials: Credentials): WireRequest;
}

/** Ids as they may stand in a path or header: the charsets of iotda-api §1.1 and §1.2, case not enforced. */
const SCOPE_ID = /^[A-Za-z0-9_-]{1,64}$/;

const UNSIGNED_HEADERS = {
  // What the official SDK sends even for the file (iotda-api §1.1).
  accept: "application/json",
  // The file must arrive as it is stored: decoded bodies no longer match their length.
  "accept-encoding": "identity",
  "user-agent": "iotda-archiver",
};

/** @throws PlatformError `platform-misconfigured` for settings that can never work. */
export function requestSigner(options: IotdaClientOptions): RequestSigner {
  const { projectId, instanceId, regionId = "", signing = "auto", wallMs } = options;
  const origin = checkedOrigin(options.endpoint);
  if (![projectId, instanceId ?? "default"].every((id) => SCOPE_ID.test(id))) {
    throw misconfigured(
      "the project id or the instance id is malformed",
      "Copy ARCHIVER_IOTDA_PROJECT_ID and ARCHIVER_IOTDA_INSTANCE_ID from the console.",
    );
  }
  const algorithm = signing === "auto" ? signingAlgorithmFor(origin.hostname) : signing;
  if (algorithm === "derived" && regionId === "") {
    throw misconfigured("the derived signature needs a region id", "Set ARCHIVER_IOTDA_REGION.");
  }
  return {
    origin,
    sign({ method, subPath = "", query = [], body = "" }, credentials) {
      const path = `/v5/iot/${projectId}/export-tasks${subPath}`;
      // The set the official SDK signs (iotda-api §3.1), whatever the method (§1.1: it sends `Content-Type` always).
      const headers = {
        "content-type": "application/json",
        host: origin.host,
        ...(instanceId === undefined ? {} : { "instance-id": instanceId }),
        "x-project-id": projectId,
        "x-sdk-date": sdkDate(wallMs()),
        ...(credentials.securityToken === undefined ? {} : { "x-security-token": credentials.securityToken }),
      };
      const signable = { method, path, query, headers, body };
      const authorization = authorizationHeader(signable, credentials, algorithm, regionId);
      return {
        method,
        target: query.length === 0 ? path : `${path}?${canonicalQuery(query)}`,
        headers: { ...headers, ...UNSIGNED_HEADERS, authorization },
        body,
      };
    },
  };
}

function checkedOrigin(endpoint: string): URL {
  const url = URL.parse(endpoint);
  // A path, a query or a user would stand between the origin and the end of the address.
  if (url === null || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    throw misconfigured(
      "the platform endpoint must be an origin",
      "Set ARCHIVER_IOTDA_ENDPOINT to https://host, without a path, query or user.",
    );
  }
  return url;
}
