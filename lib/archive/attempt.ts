import { compact } from "../domain/compact.ts";
import { ArchiverError, describeFailure } from "../domain/errors.ts";
import type { DeadLetterReason, TaskMessage } from "../domain/task-message.ts";
import { PlatformError, type Throttle } from "../ports/platform.ts";
import type { KeepReason, PostponeReason } from "../records/run-report.ts";
import { type TimeLimit, withTimeLimit } from "../run/deadline.ts";
import { Interrupted, SystemFailure } from "../run/errors.ts";
import { runTimeLeftMs, wasStartedTooLate } from "./deadlines.ts";
import { BodyNotAccepted, cutInFullRun } from "./errors.ts";
import type { Run } from "./run.ts";
import { LATER_RUN_MS, postponeDelayMs, retryDelayMs } from "./settings.ts";
import type { Ticket } from "./slot-queue.ts";

/** One try at one task: from its message to an {@link AttemptOutcome}. */
export interface Attempt {
  readonly run: Run;
  readonly exportTaskId: string;
  /** What a successor starts from. A message that does not say when it was requested was requested now. */
  readonly message: TaskMessage & { readonly requestedAtMs: number };
  readonly limit: TimeLimit;
  /** Its place in the line for the next download slot. */
  readonly ticket: Ticket;
}

/** What an attempt found out about its task: for the report, the dead letter and the verdict on a failure. */
export interface TaskFacts {
  /** The listed revision, or the archived one of a task that is no longer listed. */
  readonly revision?: string;
  /** Where the task's objects lie, and where uploads may still be open. */
  readonly folder?: string;
  /** Of the recorded copy. */
  readonly sizeBytes?: number;
  /** Whether the task's `archived` record stands, and whether this attempt wrote it. */
  readonly archived?: "before" | "now";
}

/** How an attempt ended, with what it found out. What becomes of the message is decided in `message-disposition.ts`. */
export type AttemptOutcome = Ending & { readonly facts: TaskFacts };

export type Ending =
  /** Nothing is left to do: acknowledge. */
  | {
      readonly kind: "done";
      readonly outcome: "archived-deleted" | "archived-kept" | "deleted" | "already-done";
      readonly reason?: KeepReason | "already-gone" | "dead-lettered";
      /** This attempt deleted the task. */
      readonly deletedNow?: true;
    }
  /** Try again later; attempts unchanged. `message` is the successor. */
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
      /** The successor where the system is at fault: it counts nothing. */
      readonly message: TaskMessage;
      /** Of a body that was not accepted: remembered once the failure counts. */
      readonly rejectedSha256?: string;
      /** The reason of the dead letter once attempts and patience are used up. */
      readonly giveUpReason: "max-attempts" | "too-large-for-run";
    }
  | { readonly kind: "dead-letter"; readonly reason: DeadLetterReason; readonly detail: string }
  /** Not started, or interrupted: the message is released unchanged. */
  | { readonly kind: "released"; readonly endsRun: boolean }
  | { readonly kind: "system-failure"; readonly error: ArchiverError };

/** A postponement for the usual time that keeps the message as it is. What is in doubt seldom clears up soon. */
export function postponed({ run, message }: Attempt, reason: PostponeReason): Ending {
  const delayMs = FOR_LATER_RUNS.has(reason)
    ? LATER_RUN_MS
    : postponeDelayMs(run.settings.downloadIntervalMs);
  return { kind: "postponed", reason, delayMs, message };
}

/** What this run cannot do anything about, however often it looks. */
const FOR_LATER_RUNS: ReadonlySet<PostponeReason> = new Set([
  "left-alone",
  "odd-list",
  "not-in-plan",
  "changed-since-plan",
]);

const PENALTY_WRITE_LIMIT_MS = 10_000;

/** Runs a part of an attempt. What it throws becomes the attempt's outcome, with what was known before that part. */
export async function knowing<T>(
  attempt: Attempt,
  facts: TaskFacts,
  part: () => Promise<T>,
): Promise<T | AttemptOutcome> {
  try {
    return await part();
  } catch (error) {
    const { signal } = attempt.limit;
    const ending = signal.aborted
      ? endingOfInterruption(attempt, signal.reason)
      : await endingOfFailure(attempt, error);
    return { ...ending, facts };
  }
}

function endingOfInterruption(attempt: Attempt, reason: unknown): Ending {
  const wasCutByLimit = reason instanceof Interrupted && reason.code === "task-limit";
  if (!wasCutByLimit) {
    return { kind: "released", endsRun: false };
  }
  const { message, run } = attempt;
  if (message.needsFullRun === true) {
    return { kind: "failed", error: cutInFullRun(), message, giveUpReason: "too-large-for-run" };
  }
  const leftMs = runTimeLeftMs(run);
  const delayMs = leftMs === Number.POSITIVE_INFINITY ? 0 : Math.max(0, leftMs);
  return {
    kind: "postponed",
    reason: "cut-by-time-limit",
    delayMs,
    message: {
      ...message,
      ...(wasStartedTooLate(run, message, attempt.limit.allottedMs) ? {} : { needsFullRun: true }),
      notBeforeMs: run.ports.clock.wallMs() + delayMs,
    },
  };
}

async function endingOfFailure(attempt: Attempt, thrown: unknown): Promise<Ending> {
  if (thrown instanceof SystemFailure) {
    return { kind: "system-failure", error: thrown };
  }
  if (thrown instanceof PlatformError && thrown.throttle !== undefined) {
    return await endingOfThrottling(attempt, thrown.throttle);
  }
  if (thrown instanceof BodyNotAccepted) {
    return endingOfRejectedBody(attempt, thrown);
  }
  const error = thrown instanceof ArchiverError ? thrown : unexpected(thrown);
  switch (error.code) {
    case "store-upload-gone":
      // Another runner took our upload away: it has settled the task, or is about to.
      return postponed(attempt, "lost-race");
    case "not-in-plan":
      return postponed(attempt, "not-in-plan");
    case "store-too-large":
      return { kind: "dead-letter", reason: "too-large", detail: `${error.message}. ${error.hint}` };
    default:
      return failed(attempt, error);
  }
}

async function endingOfThrottling(attempt: Attempt, throttle: Throttle): Promise<Ending> {
  const { run, exportTaskId, message } = attempt;
  try {
    const waitMs = await withTimeLimit(run.ports.clock, PENALTY_WRITE_LIMIT_MS, (signal) =>
      run.pacer.penalize(throttle, { signal }),
    );
    run.ports.observe({ kind: "throttled", exportTaskId, waitMs });
    return { kind: "postponed", reason: "throttled", delayMs: waitMs, message };
  } catch (penaltyError) {
    return failed(attempt, penaltyError instanceof ArchiverError ? penaltyError : unexpected(penaltyError));
  }
}

function endingOfRejectedBody(attempt: Attempt, error: BodyNotAccepted): Ending {
  const rejectedSha256 = error.sha256;
  return attempt.message.rejectedSha256 === rejectedSha256
    ? {
        kind: "dead-letter",
        reason: "not-accepted",
        detail: `The platform sent the same file twice: ${error.message}.`,
      }
    : { ...failed(attempt, error), rejectedSha256 };
}

function failed({ message }: Attempt, error: ArchiverError): Extract<Ending, { kind: "failed" }> {
  return { kind: "failed", error, message, giveUpReason: "max-attempts" };
}

function unexpected(thrown: unknown): ArchiverError {
  const { code, message, hint } = describeFailure(thrown);
  return new ArchiverError(code, message, { scope: "task", retry: "later", hint, cause: thrown });
}

/** What follows a failure that counts. */
export type AfterFailure =
  | {
      readonly kind: "retry";
      readonly attempts: number;
      readonly successor: TaskMessage;
      readonly delayMs: number;
    }
  | { readonly kind: "give-up"; readonly attempts: number };

/**
 * A task is given up once the attempts *and* the patience are used up: an outage of hours uses up the attempts alone.
 * Until then its message is sent again, with a delay that grows.
 */
export function afterFailure(
  { settings, ports }: Run,
  failed: Extract<Ending, { kind: "failed" }>,
): AfterFailure {
  const { message, rejectedSha256 } = failed;
  const nowMs = ports.clock.wallMs();
  const attempts = (message.attempts ?? 0) + 1;
  const firstFailedAtMs = message.firstFailedAtMs ?? nowMs;
  if (attempts >= settings.maxAttempts && nowMs - firstFailedAtMs >= settings.giveUpAfterMs) {
    return { kind: "give-up", attempts };
  }
  const successor = { ...message, ...compact({ rejectedSha256 }), attempts, firstFailedAtMs };
  const delayMs = retryDelayMs(settings.downloadIntervalMs, attempts, ports.random.fraction());
  return { kind: "retry", attempts, successor, delayMs };
}
