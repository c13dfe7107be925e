import { Agent, type IncomingHttpHeaders, request as sendRequest } from "node:http";
import type { GivenKeys } from "../config/agency-keys.ts";
import { withTimeLimit } from "../network/time-limit.ts";
import type { Clock } from "../ports/clock.ts";
import { runtimeApiFailed } from "./errors.ts";

/** One invocation as the runtime API hands it over. */
export interface RuntimeInvocation {
  readonly requestId: string;
  /** The keys of the function's agency; a header that is not there or empty is `undefined`. */
  readonly keys: GivenKeys;
  /** `undefined` where it was larger than any event may be. */
  readonly body: string | undefined;
}

export interface RuntimeApiParts {
  readonly clock: Pick<Clock, "sleep">;
  /** Hears when the API gives no invocation, once in a row; it is asked again all the same. */
  readonly onTrouble: (error: unknown) => void;
}

/** A synchronous call brings and takes up to 6 MiB (`RUNTIME_MAX_RESP_BODY_SIZE`), an asynchronous one 256 KiB. */
export const MAX_BODY_BYTES = 6_291_456;
/** `X-CFF-Auth-Token` has several KiB; Node itself takes 16 KiB of all headers together. */
const MAX_HEADER_BYTES = 256 * 1024;
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
/** Telling how an invocation ended: an answer may be lost, and telling it twice harms nothing. */
const TELLING_TRIES = 4;
const TELLING_LIMIT_MS = 10_000;
/** A connection whose other end is gone shows itself after a while, also on a machine that was frozen. */
const PROBE_AFTER_MS = 30_000;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** `undefined` where it was too large. */
  readonly body: string | undefined;
}

/**
 * The runtime API that FunctionGraph gives a custom runtime (user guide, "Custom Runtime", functiongraph_01_0406):
 *
 * - `GET /v1/runtime/invocation/request` waits for the next invocation. `X-Cff-Request-Id` names it; the keys of the
 *   agency stand in `X-CFF-Access-Key`, `X-CFF-Secret-Key` and `X-CFF-Security-Token`.
 * - `POST /v1/runtime/invocation/response/{id}` and `…/error/{id}` say how it ended.
 *
 * A container of Huawei's is told the temporary keys in `X-CFF-Security-Access-Key` and `X-CFF-Security-Secret-Key`, and
 * `X-CFF-Access-Key` means keys of another kind there. Where both of these headers come, they count.
 */
export class RuntimeApi {
  readonly #origin: URL;
  readonly #parts: RuntimeApiParts;
  /** Each request has its own connection: one that was kept through a freeze may be dead. */
  readonly #agent = new Agent({ keepAlive: false });

  /** @param address `host:port`. */
  constructor(address: string, parts: RuntimeApiParts) {
    this.#origin = new URL(`http://${address}`);
    this.#parts = parts;
  }

  /** Waits for the next invocation, for as long as that takes. */
  async next(): Promise<RuntimeInvocation> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return invocationOf(await this.#exchange("GET", "request"));
      } catch (error) {
        if (pauseMs === FIRST_PAUSE_MS) {
          this.#parts.onTrouble(error);
        }
      }
      await this.#parts.clock.sleep(pauseMs);
    }
  }

  /**
   * Says how an invocation ended.
   *
   * @throws ArchiverError `runtime-api-failed` when the API did not take it.
   */
  async tell(outcome: "response" | "error", requestId: string, body: string): Promise<void> {
    const path = `${outcome}/${encodeURIComponent(requestId)}`;
    for (let triesLeft = TELLING_TRIES - 1, pauseMs = FIRST_PAUSE_MS; ; triesLeft -= 1, pauseMs *= 4) {
      try {
        const { status } = await withTimeLimit(NEVER, TELLING_LIMIT_MS, (signal) =>
          this.#exchange("POST", path, body, signal),
        );
        if (status < 300) {
          return;
        }
        throw runtimeApiFailed(`answered ${status} when it was told how an invocation ended`);
      } catch (error) {
        if (triesLeft === 0) {
          throw error;
        }
      }
      await this.#parts.clock.sleep(pauseMs);
    }
  }

  async #exchange(
    method: "GET" | "POST",
    path: string,
    body?: string,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const { hostname, port } = this.#origin;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const request = sendRequest({
      host: hostname.replace(/^\[|\]$/g, ""),
      port,
      method,
      path: `/v1/runtime/invocation/${path}`,
      agent: this.#agent,
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(body === undefined
        ? {}
        : { headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) } }),
      ...(signal === undefined ? {} : { signal }),
    });
    request.setSocketKeepAlive(true, PROBE_AFTER_MS);
    request.on("error", (error) => reject(runtimeApiFailed("cannot be reached", error)));
    request.on("response", (response) => {
      const { statusCode: status = 0, headers } = response;
      bodyOf(response).then((text) => resolve({ status, headers, body: text }), reject);
    });
    request.end(body);
    return await promise;
  }
}

const NEVER = new AbortController().signal;

/** The text of a body; `undefined` where it is too large, once its end has been seen. */
async function bodyOf(response: AsyncIterable<Buffer>): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) {
        chunks.push(chunk);
      }
    }
  } catch (error) {
    throw runtimeApiFailed("broke off in the middle of its answer", error);
  }
  return bytes > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString("utf8");
}

function invocationOf({ status, headers, body }: Answer): RuntimeInvocation {
  const requestId = textOf(headers["x-cff-request-id"]) ?? "";
  if (status !== 200 || !REQUEST_ID.test(requestId)) {
    throw runtimeApiFailed(status === 200 ? "gave an invocation without an id" : `answered ${status}`);
  }
  const ofAgency = {
    accessKeyId: textOf(headers["x-cff-security-access-key"]),
    secretAccessKey: textOf(headers["x-cff-security-secret-key"]),
  };
  const isWhole = ofAgency.accessKeyId !== undefined && ofAgency.secretAccessKey !== undefined;
  return {
    requestId,
    keys: {
      accessKeyId: isWhole ? ofAgency.accessKeyId : textOf(headers["x-cff-access-key"]),
      secretAccessKey: isWhole ? ofAgency.secretAccessKey : textOf(headers["x-cff-secret-key"]),
      securityToken: textOf(headers["x-cff-security-token"]),
    },
    body,
  };
}

function textOf(header: string | string[] | undefined): string | undefined {
  const [text] = [header].flat();
  return text === "" ? undefined : text;
}
