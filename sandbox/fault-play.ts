import { type Answer, type Bytes, bufferAnswer, errorAnswer } from "./answer.ts";
import { dripped, firstBytes, flipped, pausedAt, silence } from "./body-damage.ts";
import type { Fault } from "./faults.ts";
import { type Settings, throttleCodeOf } from "./settings.ts";

const DRIP_TICK_MS = 50;

/**
 * What a fault does before the platform has done anything.
 *
 * @param gone aborts when the client leaves, which ends a silence.
 * @returns the answer to give instead of the real one, or `undefined` to go on.
 */
export async function playBefore(
  fault: Fault,
  settings: Settings,
  gone: AbortSignal,
): Promise<Answer | undefined> {
  switch (fault.kind) {
    case "html":
      return bufferAnswer(fault.status, HTML, { "Content-Type": "text/html" });
    case "json-200":
      return errorAnswer(200, fault.code, "scripted error under 200");
    case "status":
      return statusAnswer(fault.status, fault.code, fault.retryAfterSeconds);
    case "throttle":
      return throttleAnswer(settings, fault.code);
    case "reset":
      return fault.afterBytes === undefined ? { ...statusAnswer(500), ending: "lost" } : undefined;
    case "stall":
      if (fault.afterBytes === undefined) {
        await silence(fault.releaseAfterMs, gone);
      }
      return undefined;
    case "short-body":
    case "truncate":
    case "slow-drip":
    case "answer-lost":
    case "extra-bytes":
    case "flip-byte":
      return undefined;
  }
}

/** What a fault does to the real answer. */
export function playOn(answer: Answer, fault: Fault, gone: AbortSignal): Answer {
  switch (fault.kind) {
    case "reset":
      return { ...answer, body: firstBytes(answer.body, fault.afterBytes ?? 0), ending: "reset" };
    case "stall":
      return fault.afterBytes === undefined
        ? answer
        : { ...answer, body: pausedAt(answer.body, fault.afterBytes, fault.releaseAfterMs, gone) };
    case "short-body": {
      const body = firstBytes(answer.body, fault.bytes);
      return fault.declareLength
        ? { ...answer, body, ending: "closed" }
        : { ...answer, body, framing: "close" };
    }
    case "truncate": {
      const sizeBytes = Math.min(fault.bytes, answer.sizeBytes);
      return { ...answer, body: firstBytes(answer.body, sizeBytes), sizeBytes };
    }
    case "slow-drip":
      return { ...answer, body: dripped(answer.body, fault.bytesPerSecond, DRIP_TICK_MS, gone) };
    case "answer-lost":
      return { ...answer, ending: "lost" };
    case "extra-bytes":
      return {
        ...answer,
        body: followedBy(answer.body, Buffer.alloc(fault.bytes, "+")),
        sizeBytes: answer.sizeBytes + fault.bytes,
      };
    case "flip-byte":
      return { ...answer, body: flipped(answer.body, fault.at) };
    case "html":
    case "json-200":
    case "status":
    case "throttle":
      return answer;
  }
}

/** The throttling answer under these settings (iotda-api §2.2). */
export function throttleAnswer(settings: Settings, code = throttleCodeOf(settings)): Answer {
  const { throttleRetryAfterSeconds: seconds } = settings;
  const headers: Record<string, string> = seconds === undefined ? {} : { "Retry-After": String(seconds) };
  return errorAnswer(settings.throttleStatus, code, "The request rate has reached the limit.", headers);
}

function statusAnswer(status: number, code?: string, retryAfterSeconds?: number): Answer {
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) };
  return code === undefined
    ? bufferAnswer(status, Buffer.alloc(0), headers)
    : errorAnswer(status, code, "scripted error", headers);
}

const HTML = Buffer.from(
  "<!DOCTYPE html>\n<html><head><title>Proxy</title></head><body>Please log in.</body></html>\n",
);

async function* followedBy(body: Bytes, more: Buffer): Bytes {
  yield* body;
  yield more;
}
