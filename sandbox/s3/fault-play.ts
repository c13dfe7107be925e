import { type Answer, type Bytes, bufferAnswer } from "../answer.ts";
import { dripped, firstBytes, flipped, pausedAt, silence } from "../body-damage.ts";
import { checksumAlgorithms, checksumElement, checksumHeader } from "./checksums.ts";
import { errorAnswer, errorBody } from "./errors.ts";
import type { S3Fault } from "./faults.ts";

const DRIP_TICK_MS = 20;

/** A scripted reset in the middle of a request body. */
export class ScriptedReset extends Error {
  override readonly name = "ScriptedReset";
}

/**
 * What a fault does before the store has done anything.
 *
 * @param gone aborts when the client leaves, which ends a silence.
 * @returns the answer to give instead of the real one, or `undefined` to go on.
 */
export async function playBefore(
  fault: S3Fault,
  resource: string,
  gone: AbortSignal,
): Promise<Answer | undefined> {
  switch (fault.kind) {
    case "reset":
      return fault.afterBytes === undefined ? lostAnswer() : undefined;
    case "stall":
      if (fault.afterBytes === undefined && !fault.afterEffect) {
        await silence(fault.releaseAfterMs, gone);
      }
      return undefined;
    case "status":
    case "error-in-200":
      return fault.afterEffect ? undefined : scriptedError(fault, resource);
    case "html":
      return bufferAnswer(fault.status, HTML, { "Content-Type": "text/html" });
    case "answer-lost":
    case "flip-byte":
    case "truncate":
    case "slow":
    case "checksum-lie":
    case "etag-lie":
      return undefined;
  }
}

/** What a fault does to a request body on its way in. */
export function playOnUpload(body: Bytes, fault: S3Fault, gone: AbortSignal): Bytes {
  switch (fault.kind) {
    case "reset":
      return fault.afterBytes === undefined ? body : resetAt(body, fault.afterBytes);
    case "stall":
      return fault.afterBytes === undefined
        ? body
        : pausedAt(body, fault.afterBytes, fault.releaseAfterMs, gone);
    case "slow":
      return dripped(body, fault.bytesPerSecond, DRIP_TICK_MS, gone);
    case "status":
    case "error-in-200":
    case "html":
    case "answer-lost":
    case "flip-byte":
    case "truncate":
    case "checksum-lie":
    case "etag-lie":
      return body;
  }
}

/** What a fault does to the real answer; `download`: its body is the object. */
export async function playOnAnswer(
  answer: Answer,
  fault: S3Fault,
  resource: string,
  download: boolean,
  gone: AbortSignal,
): Promise<Answer> {
  switch (fault.kind) {
    case "answer-lost":
      return { ...answer, ending: "lost" };
    case "status":
    case "error-in-200":
      return fault.afterEffect ? scriptedError(fault, resource) : answer;
    case "stall":
      if (fault.afterEffect) {
        await silence(fault.releaseAfterMs, gone);
      }
      return download && fault.afterBytes !== undefined
        ? { ...answer, body: pausedAt(answer.body, fault.afterBytes, fault.releaseAfterMs, gone) }
        : answer;
    case "checksum-lie":
    case "etag-lie":
      return await lying(answer, fault.kind);
    case "reset":
      return download && fault.afterBytes !== undefined
        ? { ...answer, body: firstBytes(answer.body, fault.afterBytes), ending: "reset" }
        : answer;
    case "flip-byte":
      return download ? { ...answer, body: flipped(answer.body, fault.at) } : answer;
    case "truncate": {
      const sizeBytes = Math.min(answer.sizeBytes, fault.bytes);
      return download ? { ...answer, body: firstBytes(answer.body, sizeBytes), sizeBytes } : answer;
    }
    case "slow":
      return download
        ? { ...answer, body: dripped(answer.body, fault.bytesPerSecond, DRIP_TICK_MS, gone) }
        : answer;
    case "html":
      return answer;
  }
}

/** No answer: the connection is reset. */
export function lostAnswer(): Answer {
  return { ...bufferAnswer(500, Buffer.alloc(0), {}), ending: "lost" };
}

const HTML = Buffer.from(
  "<!DOCTYPE html>\n<html><head><title>Proxy</title></head><body>Please log in.</body></html>\n",
);

function scriptedError(
  fault: Extract<S3Fault, { kind: "status" | "error-in-200" }>,
  resource: string,
): Answer {
  if (fault.kind === "status") {
    const answer = errorAnswer(fault.status, fault.code, "Scripted error.", resource);
    const { retryAfterSeconds: seconds } = fault;
    return seconds === undefined
      ? answer
      : { ...answer, headers: { ...answer.headers, "Retry-After": String(seconds) } };
  }
  const error = errorBody(fault.code, "Scripted error.", resource).toString("utf8");
  // The declaration and white space go out while the store still works; the verdict comes last.
  const body = Buffer.from(error.replace("\n", `\n${" ".repeat(16)}\n`), "utf8");
  return { ...bufferAnswer(200, body, { "Content-Type": "application/xml" }), code: fault.code };
}

async function lying(answer: Answer, kind: "checksum-lie" | "etag-lie"): Promise<Answer> {
  const names = kind === "etag-lie" ? ["etag"] : checksumAlgorithms.map(checksumHeader);
  const headers = Object.entries(answer.headers).map(([name, value]) => [
    name,
    names.includes(name.toLowerCase()) ? otherDigest(value) : value,
  ]);
  const isXml = answer.headers["Content-Type"] === "application/xml";
  const body = isXml ? await lyingXml(answer.body, kind) : undefined;
  const changed = { ...answer, headers: Object.fromEntries(headers) };
  return body === undefined ? changed : { ...changed, body: one(body), sizeBytes: body.length };
}

/** The answer to a completion has its digests in the body. */
async function lyingXml(body: Bytes, kind: "checksum-lie" | "etag-lie"): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
  }
  const names = kind === "etag-lie" ? ["ETag"] : checksumAlgorithms.map(checksumElement);
  const pattern = new RegExp(`<(${names.join("|")})>([^<]*)<`, "g");
  const text = Buffer.concat(chunks).toString("utf8");
  return Buffer.from(text.replace(pattern, (_whole, name, value) => `<${name}>${otherDigest(value)}<`));
}

/** A digest of the same form: the first hexadecimal or base64 character is another one. */
function otherDigest(text: string): string {
  return text.replace(
    /^("|&quot;)?(.)/,
    (_whole, quote = "", first) => `${quote}${first === "0" ? "1" : "0"}`,
  );
}

async function* one(bytes: Buffer): Bytes {
  yield bytes;
}

async function* resetAt(body: Bytes, at: number): Bytes {
  let left = at;
  for await (const chunk of body) {
    left -= chunk.length;
    if (left <= 0) {
      throw new ScriptedReset();
    }
    yield chunk;
  }
}
