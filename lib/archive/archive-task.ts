import { ArchiverError, describeFailure } from "../domain/errors.ts";
import { PlatformError, type Throttle } from "../ports/platform.ts";
import { withTimeLimit } from "../run/deadline.ts";
import { Interrupted, SystemFailure } from "../run/errors.ts";
import { type Attempt, type AttemptOutcome, postponed } from "./attempt.ts";
import type { Copy } from "./copy.ts";
import { runTimeLeftMs, taskLimitMs, wasStartedTooLate } from "./deadlines.ts";
import { type DeleteOutcome, deleteTask } from "./delete-task.ts";
import { BodyNotAccepted, cutInFullRun } from "./errors.ts";
import { adoptedCopy, recordedCopy } from "./existing-copy.ts";
import { type FinishedTask, inspectTask } from "./inspect-task.ts";
import { resolveMissingTask } from "./missing-task.ts";
import { fetchCopy } from "./transfer.ts";
import { recordDeleted } from "./write-records.ts";

const PENALTY_WRITE_LIMIT_MS = 10_000;

/**
 * The protocol for one task (architecture §4), from the look at the platform to the `deleted` record; its message is
 * received in `worker-loop.ts` and acknowledged in `message-disposition.ts`. Whatever is thrown here leaves the task on the platform.
 */
async function archiveTask(attempt: Attempt): Promise<AttemptOutcome> {
  const state = await inspectTask(attempt);
  switch (state.kind) {
    case "absent":
      return await resolveMissingTask(attempt, state);
    case "finished":
      return await archiveFinished(attempt, state);
    default:
      return state;
  }
}

async function archiveFinished(attempt: Attempt, state: FinishedTask): Promise<AttemptOutcome> {
  if (state.records.expired) {
    // Archived and removed by retention: an archive run never brings an expired copy back.
    return { kind: "done", outcome: "archived-kept", reason: "expired" };
  }
  let copy =
    (await recordedCopy(attempt, state)) ??
    (await adoptedCopy(attempt, state)) ??
    (await fetchCopy(attempt, state));
  while (copy.kind === "copy") {
    attempt.learned.isArchived = true;
    const ended = await deleteTask(attempt, state, copy);
    if (ended.kind !== "damaged") {
      return await resultOfDelete(attempt, state, copy, ended);
    }
    // The platform still has the file: it is archived again, under a new record.
    copy = await fetchCopy(attempt, state);
  }
  return copy;
}

async function resultOfDelete(
  attempt: Attempt,
  state: FinishedTask,
  copy: Copy,
  ended: Exclude<DeleteOutcome, { kind: "damaged" }>,
): Promise<AttemptOutcome> {
  switch (ended.kind) {
    case "gone":
      return await recordDeleted(attempt, copy.record, {
        outcome: ended.outcome,
        archivedNow: copy.archivedNow,
      });
    case "keep":
      await attempt.run.ports.store.abortUploadsUnder(state.folder, { signal: attempt.limit.signal });
      return { kind: "done", outcome: "archived-kept", reason: ended.reason };
    case "wait":
      return postponed(attempt, ended.reason);
    case "still-listed":
      return postponed(attempt, "still-listed");
  }
}

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
    attempt.ticket.release();
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
    const waitMs = await withTimeLimit(run.ports.clock, PENALTY_WRITE_LIMIT_MS, (signal) =>
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
