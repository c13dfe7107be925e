import type { ErrorRetry, ErrorScope } from "../../lib/domain/errors.ts";
import { StoreError, type StoreErrorCode } from "../../lib/ports/object-store.ts";
import { PlatformError, type PlatformErrorCode, type PlatformErrorFacts } from "../../lib/ports/platform.ts";
import { QueueError, type QueueErrorCode } from "../../lib/ports/task-queue.ts";

type Nature = readonly [scope: ErrorScope, retry: ErrorRetry];

const HINT = "This failure was made by the simulated world.";

const PLATFORM_NATURE: Readonly<Record<PlatformErrorCode, Nature>> = {
  "platform-throttled": ["task", "later"],
  "platform-task-not-found": ["task", "later"],
  "platform-unauthenticated": ["system", "never"],
  "platform-forbidden": ["system", "never"],
  "platform-misconfigured": ["system", "never"],
  "platform-rejected-request": ["task", "never"],
  "platform-unavailable": ["task", "later"],
  "platform-unreachable": ["task", "later"],
  "platform-disguised-error": ["task", "later"],
  "platform-malformed-answer": ["task", "later"],
};

const STORE_NATURE: Readonly<Record<StoreErrorCode, Nature>> = {
  "store-missing": ["system", "never"],
  "store-forbidden": ["system", "never"],
  "store-unauthenticated": ["system", "never"],
  "store-full": ["system", "later"],
  "store-misconfigured": ["system", "never"],
  "store-unavailable": ["task", "later"],
  "store-upload-gone": ["task", "later"],
  "store-key-taken": ["task", "now"],
  "store-proof-mismatch": ["task", "later"],
  "store-copy-differs": ["task", "later"],
  "store-object-cold": ["task", "later"],
  "store-too-large": ["task", "never"],
  "store-foreign-answer": ["task", "later"],
};

const QUEUE_NATURE: Readonly<Record<QueueErrorCode, Nature>> = {
  "queue-handle-expired": ["task", "never"],
  "queue-forbidden": ["system", "never"],
  "queue-full": ["system", "later"],
  "queue-unavailable": ["system", "later"],
  "queue-misconfigured": ["system", "never"],
};

/** A platform error with the scope and retry its code usually has; `facts` overrides both. */
export function platformError(
  code: PlatformErrorCode,
  facts: Partial<PlatformErrorFacts> = {},
): PlatformError {
  const [scope, retry] = PLATFORM_NATURE[code];
  return new PlatformError(code, `simulated ${code}`, { scope, retry, hint: HINT, ...facts });
}

/** A store error with the scope and retry its code usually has. */
export function storeError(code: StoreErrorCode, problem: string = `simulated ${code}`): StoreError {
  const [scope, retry] = STORE_NATURE[code];
  return new StoreError({ code, scope, retry, problem, hint: HINT });
}

/** A queue error with the scope and retry its code usually has. */
export function queueError(code: QueueErrorCode, problem: string = `simulated ${code}`): QueueError {
  const [scope, retry] = QUEUE_NATURE[code];
  return new QueueError({ code, scope, retry, problem, hint: HINT });
}

/** How the platform says "too fast" (iotda-api §2.2). */
export type ThrottleAnswer = "IOTDA.021101" | "IOTDA.021102" | "429";

/** A throttling answer as the client reports it (architecture §5). */
export function throttledError(answer: ThrottleAnswer, retryAfterMs?: number): PlatformError {
  return platformError("platform-throttled", {
    httpStatus: answer === "429" ? 429 : 403,
    platformCode: answer === "429" ? "APIGW.0308" : answer,
    throttle: { intervals: answer === "IOTDA.021101" ? 1 : 2, retryAfterMs },
  });
}
