import { ArchiverError, describeFailure } from "../domain/errors.ts";
import { PlatformError, type Throttle } from "../ports/platform.ts";
import { archiveTask } from "./archive-task.ts";
import { type Attempt, type AttemptOutcome, postponed } from "./attempt.ts";
import { BodyNotAccepted, cutInFullRun, Interrupted, SystemFailure } from "./errors.ts";
import { runTimeLeftMs, taskLimitMs, wasStartedTooLate } from "./task-time.ts";
import { withOwnLimit } from "./time-limit.ts";

const PENALTY_WRITE_LIMIT_MS = 10_000;

/** Runs the protocol for one task and turns whatever it throws into a result. Never throws. */
export async function runAttempt(attempt: Attempt): Promise<AttemptOutcome> {
  attempt.limit.arm(taskLimitMs(attempt.run, attempt.message));
  try {
    return await archiveTask(attempt);
  } catch (error) {
    return attempt.limit.signal.aborted
      ? resultOfInterruption(attempt, attempt.limit.signal.reason)
      : await resultOfFailure(attempt, error);
  } finally {
    attempt.turn.pass();
    attempt.limit.close();
  }
}

function resultOfInterruption(attempt: Attempt, reason: unknown): AttemptOutcome {
  const wasCutByLimit = reason instanceof Interrupted && reason.code === "task-limit";
  if (!wasCutByLimit) {
    return { kind: "handed-back", endsRun: false };
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

async function resultOfFailure(attempt: Attempt, thrown: unknown): Promise<AttemptOutcome> {
  if (thrown instanceof SystemFailure) {
    return { kind: "system-failure", error: thrown };
  }
  if (thrown instanceof PlatformError && thrown.throttle !== undefined) {
    return await resultOfThrottling(attempt, thrown.throttle);
  }
  if (thrown instanceof BodyNotAccepted) {
    return resultOfRejectedBody(attempt, thrown);
  }
  const error = thrown instanceof ArchiverError ? thrown : unexpected(thrown);
  switch (error.code) {
    case "store-upload-gone":
      // Whoever took our upload away has settled the task, or is about to.
      return postponed(attempt, "lost-race");
    case "store-too-large":
      return { kind: "dead-letter", reason: "too-large", detail: `${error.message}. ${error.hint}` };
    default:
      return failed(attempt, error);
  }
}

async function resultOfThrottling(attempt: Attempt, throttle: Throttle): Promise<AttemptOutcome> {
  const { run, exportTaskId, message } = attempt;
  run.counts.throttled += 1;
  try {
    const waitMs = await withOwnLimit(run.ports.clock, PENALTY_WRITE_LIMIT_MS, (signal) =>
      run.pacer.penalize(throttle, { signal }),
    );
    run.ports.observe({ kind: "throttled", exportTaskId, waitMs });
    return { kind: "postponed", reason: "throttled", delayMs: waitMs, message };
  } catch (penaltyError) {
    return failed(attempt, penaltyError instanceof ArchiverError ? penaltyError : unexpected(penaltyError));
  }
}

function resultOfRejectedBody(attempt: Attempt, error: BodyNotAccepted): AttemptOutcome {
  if (attempt.message.rejectedSha256 === error.sha256) {
    return { kind: "dead-letter", reason: "not-accepted", detail: `Twice the same file: ${error.message}.` };
  }
  return failed({ ...attempt, message: { ...attempt.message, rejectedSha256: error.sha256 } }, error);
}

function failed(attempt: Attempt, error: ArchiverError): AttemptOutcome {
  return { kind: "failed", error, message: attempt.message, giveUpReason: "max-attempts" };
}

function unexpected(thrown: unknown): ArchiverError {
  const { code, message, hint } = describeFailure(thrown);
  return new ArchiverError(code, message, { scope: "task", retry: "later", hint, cause: thrown });
}
