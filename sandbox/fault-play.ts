import { errorAnswer } from "./errors.ts";
import type { Fault } from "./faults.ts";
import { type Answer, type Bytes, emptyAnswer } from "./kit/answer.ts";
import { firstBytes, playInstead, playOnBody } from "./kit/fault-play.ts";
import { type Settings, throttleCodeOf } from "./settings.ts";

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
    case "reset":
    case "html":
    case "stall":
      return await playInstead(fault, gone);
    case "json-200":
      return errorAnswer(200, fault.code, "scripted error under 200");
    case "status":
      return statusAnswer(fault.status, fault.code, fault.retryAfterSeconds);
    case "throttle":
      return throttleAnswer(settings, fault.code);
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
    case "stall":
    case "truncate":
    case "slow-drip":
    case "flip-byte":
      return playOnBody(answer, fault, gone);
    case "short-body": {
      const body = firstBytes(answer.body, fault.bytes);
      return fault.declareLength
        ? { ...answer, body, ending: "closed" }
        : { ...answer, body, framing: "close" };
    }
    case "answer-lost":
      return { ...answer, ending: "lost" };
    case "extra-bytes":
      return {
        ...answer,
        body: followedBy(answer.body, Buffer.alloc(fault.bytes, "+")),
        sizeBytes: answer.sizeBytes + fault.bytes,
      };
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
    ? emptyAnswer(status, headers)
    : errorAnswer(status, code, "scripted error", headers);
}

async function* followedBy(body: Bytes, more: Buffer): Bytes {
  yield* body;
  yield more;
}
