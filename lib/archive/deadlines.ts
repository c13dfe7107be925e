import type { TaskMessage } from "../domain/task-message.ts";
import type { Run } from "./run.ts";

const MAX_GRACE_MS = 20_000;

/** Milliseconds until the run must be over; `Infinity` without limit. */
export function runTimeLeftMs(run: Pick<Run, "limitAtMs" | "ports">): number {
  return run.limitAtMs - run.ports.clock.monotonicMs();
}

/** Milliseconds until nothing but settling may go on; `Infinity` without limit. */
export function timeUntilGraceMs(run: Pick<Run, "limitAtMs" | "ports">): number {
  const leftMs = runTimeLeftMs(run);
  return leftMs - Math.min(MAX_GRACE_MS, leftMs / 3);
}

/**
 * How long a task that starts now may take, verification included: its own time-out, and never into the
 * grace that settling needs. A task that needs a full run has only the latter (architecture §4, Time).
 */
export function taskLimitMs(run: Run, message: TaskMessage): number {
  const untilGraceMs = timeUntilGraceMs(run);
  return message.needsFullRun === true ? untilGraceMs : Math.min(run.settings.taskTimeoutMs, untilGraceMs);
}

/**
 * Whether a task that was cut for the first time may simply have been started too near to the run's end. It
 * is not known to be slow then, and having to wait for a full run would cost it one: its message may come late
 * in the next. `notBefore` tells of an earlier cut; nothing is excused twice.
 */
export function wasStartedTooLate({ settings }: Run, message: TaskMessage, allottedMs: number): boolean {
  const fairMs = Math.max(settings.minTaskMs, 2 * settings.downloadIntervalMs);
  return message.notBeforeMs === undefined && allottedMs < fairMs;
}

/** Whether a task cut once has what it asked for: at least half of the run ahead of it. */
export function hasHalfTheRunAhead(run: Run, startedAtMs: number): boolean {
  return runTimeLeftMs(run) >= (run.limitAtMs - startedAtMs) / 2;
}
