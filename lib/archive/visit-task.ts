import { ArchiverError, describeFailure } from "../domain/errors.ts";
import { PlatformError, type Throttle } from "../ports/platform.ts";
import { archiveTask } from "./archive-task.ts";
import { BodyNotAccepted, cutInFullRun, Interrupted, SystemFailure } from "./errors.ts";
import { runTimeLeftMs, taskLimitMs, wasStartedTooLate } from "./task-time.ts";
import { withOwnLimit } from "./time-limit.ts";
import { postponedAsUsual, type Visit, type VisitResult } from "./visit.ts";

const PENALTY_WRITE_LIMIT_MS = 10_000;

/** Runs the protocol for one task and turns whatever it throws into a result. Never throws. */
export async function visitTask(visit: Visit): Promise<VisitResult> {
  visit.limit.arm(taskLimitMs(visit.run, visit.message));
  try {
    return await archiveTask(visit);
  } catch (error) {
    return visit.limit.signal.aborted
      ? resultOfInterruption(visit, visit.limit.signal.reason)
      : await resultOfFailure(visit, error);
  } finally {
    visit.turn.pass();
    visit.limit.close();
  }
}

function resultOfInterruption(visit: Visit, reason: unknown): VisitResult {
  const wasCutByLimit = reason instanceof Interrupted && reason.code === "task-limit";
  if (!wasCutByLimit) {
    return { kind: "handed-back", endsRun: false };
  }
  const { message, run } = visit;
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
      ...(wasStartedTooLate(run, message, visit.limit.allottedMs) ? {} : { needsFullRun: true }),
      notBeforeMs: run.ports.clock.wallMs() + delayMs,
    },
  };
}

async function resultOfFailure(visit: Visit, thrown: unknown): Promise<VisitResult> {
  if (thrown instanceof SystemFailure) {
    return { kind: "system-failure", error: thrown };
  }
  if (thrown instanceof PlatformError && thrown.throttle !== undefined) {
    return await resultOfThrottling(visit, thrown.throttle);
  }
  if (thrown instanceof BodyNotAccepted) {
    return resultOfRejectedBody(visit, thrown);
  }
  const error = thrown instanceof ArchiverError ? thrown : unexpected(thrown);
  switch (error.code) {
    case "store-upload-gone":
      // Whoever took our upload away has settled the task, or is about to.
      return postponedAsUsual(visit, "lost-race");
    case "store-too-large":
      return { kind: "dead-letter", reason: "too-large", detail: `${error.message}. ${error.hint}` };
    default:
      return failed(visit, error);
  }
}

async function resultOfThrottling(visit: Visit, throttle: Throttle): Promise<VisitResult> {
  const { run, exportTaskId, message } = visit;
  run.counts.throttled += 1;
  try {
    const waitMs = await withOwnLimit(run.ports.clock, PENALTY_WRITE_LIMIT_MS, (signal) =>
      run.pacer.penalize(throttle, { signal }),
    );
    run.ports.observe({ kind: "throttled", exportTaskId, waitMs });
    return { kind: "postponed", reason: "throttled", delayMs: waitMs, message };
  } catch (penaltyError) {
    return failed(visit, penaltyError instanceof ArchiverError ? penaltyError : unexpected(penaltyError));
  }
}

function resultOfRejectedBody(visit: Visit, error: BodyNotAccepted): VisitResult {
  if (visit.message.rejectedSha256 === error.sha256) {
    return { kind: "dead-letter", reason: "not-accepted", detail: `Twice the same file: ${error.message}.` };
  }
  return failed({ ...visit, message: { ...visit.message, rejectedSha256: error.sha256 } }, error);
}

function failed(visit: Visit, error: ArchiverError): VisitResult {
  return { kind: "failed", error, message: visit.message, giveUpReason: "max-attempts" };
}

function unexpected(thrown: unknown): ArchiverError {
  const { code, message, hint } = describeFailure(thrown);
  return new ArchiverError(code, message, { scope: "task", retry: "later", hint, cause: thrown });
}
