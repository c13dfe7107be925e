import type { Fault } from "../domain/errors.ts";
import type { QueueErrorCode } from "../ports/task-queue.ts";

export type QueueFault = Fault<QueueErrorCode>;

/** What most faults of a queue are, whatever their words. */
export const FORBIDDEN = { code: "queue-forbidden", scope: "system", retry: "never" } as const;
export const MISCONFIGURED = { code: "queue-misconfigured", scope: "system", retry: "never" } as const;
export const FULL = { code: "queue-full", scope: "system", retry: "later" } as const;
export const UNAVAILABLE = { code: "queue-unavailable", scope: "system", retry: "later" } as const;

/** The handle does not give the right to settle its message any more. */
export const HANDLE_EXPIRED: QueueFault = {
  code: "queue-handle-expired",
  scope: "task",
  retry: "never",
  problem: "the visibility timeout of a received message ran out",
  hint: "Another run may work on this message now, and nothing is lost. If it happens often, raise ARCHIVER_VISIBILITY_MS.",
};
