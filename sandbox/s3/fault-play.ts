import { type Answer, type Bytes, bufferAnswer } from "../kit/answer.ts";
import { dripped, pausedAt, playInstead, playOnBody, silence } from "../kit/fault-play.ts";
import { checksumAlgorithms, checksumElement, checksumHeader } from "./checksums.ts";
import { errorAnswer, errorBody } from "./errors.ts";
import type { S3Fault } from "./faults.ts";
import { XML_TYPE } from "./xml.ts";

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
    case "html":
      return await playInstead(fault, gone);
    case "stall":
      return fault.afterEffect ? undefined : await playInstead(fault, gone);
    case "status":
    case "error-in-200":
      return fault.afterEffect ? undefined : scriptedError(fault, resource);
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
      return pausedAt(body, fault, gone);
    case "slow":
      return dripped(body, fault, gone);
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
      return download ? playOnBody(answer, fault, gone) : answer;
    case "checksum-lie":
    case "etag-lie":
      return await lying(answer, fault.kind);
    case "reset":
    case "flip-byte":
    case "truncate":
    case "slow":
      return download ? playOnBody(answer, fault, gone) : answer;
    case "html":
      return answer;
  }
}

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
  return { ...bufferAnswer(200, body, XML_TYPE), code: fault.code };
}

async function lying(answer: Answer, kind: "checksum-lie" | "etag-lie"): Promise<Answer> {
  const names = kind === "etag-lie" ? ["etag"] : checksumAlgorithms.map(checksumHeader);
  const headers = Object.entries(answer.headers).map(([name, value]) => [
    name,
    names.includes(name.toLowerCase()) ? otherDigest(value) : value,
  ]);
  const isXml = answer.headers["Content-Type"] === XML_TYPE["Content-Type"];
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
