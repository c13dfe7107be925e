import type { ArchiverError } from "../domain/errors.ts";
import type { DeadLetterReason, TaskMessage } from "../domain/task-message.ts";
import type { KeepReason, PostponeReason } from "../records/run-report.ts";
import type { TimeLimit } from "../run/deadline.ts";
import type { Run } from "./run.ts";
import { DOUBT_RECHECK_MS, postponeDelayMs } from "./settings.ts";
import type { Ticket } from "./slot-queue.ts";

/** One try at one task: from its message to an {@link AttemptOutcome}. */
export interface Attempt {
  readonly run: Run;
  readonly exportTaskId: string;
  /** What a re-send starts from. `requestedAtMs` is set: a message that does not say was first seen now. */
  message: TaskMessage & { readonly requestedAtMs: number };
  readonly limit: TimeLimit;
  /** Its place in the line for the next download slot. */
  readonly ticket: Ticket;
  /** Filled in as the attempt learns it, for the report, the dead letter and the verdict on a failure. */
  readonly learned: { revision?: string; sizeBytes?: number; folder?: string; isArchived?: true };
}

/** How an attempt ended. What this means for the message is decided in `message-disposition.ts`. */
export type AttemptOutcome =
  /** Nothing is left to do: acknowledge. */
  | {
      readonly kind: "done";
      readonly outcome: "archived-deleted" | "archived-kept" | "deleted" | "already-done";
      readonly reason?: KeepReason | "already-gone" | "dead-lettered";
    }
  /** Look again later; attempts unchanged. `message` is what is re-sent. */
  | {
      readonly kind: "postponed";
      readonly reason: PostponeReason;
      readonly delayMs: number;
      readonly message: TaskMessage;
    }
  /** Failed in a way that counts, unless the system turns out to be at fault. */
  | {
      readonly kind: "failed";
      readonly error: ArchiverError;
      readonly message: TaskMessage;
      /** The reason of the dead letter once attempts and patience are used up. */
      readonly giveUpReason: "max-attempts" | "too-large-for-run";
    }
  | { readonly kind: "dead-letter"; readonly reason: DeadLetterReason; readonly detail: string }
  /** Not started or interrupted: re-send unchanged. */
  | { readonly kind: "handed-back"; readonly endsRun: boolean }
  | { readonly kind: "system-failure"; readonly error: ArchiverError };

/** A postponement for the usual time that keeps the message as it is. What is in doubt seldom clears up soon. */
export function postponed(attempt: Attempt, reason: PostponeReason): AttemptOutcome {
  const isDoubt = reason === "left-alone" || reason === "odd-list";
  const delayMs = isDoubt ? DOUBT_RECHECK_MS : postponeDelayMs(attempt.run.settings.downloadIntervalMs);
  return { kind: "postponed", reason, delayMs, message: attempt.message };
}
