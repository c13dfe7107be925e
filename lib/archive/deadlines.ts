import type { TaskMessage } from "../domain/task-message.ts";
import type { Clock } from "../ports/clock.ts";
import { Interrupted } from "./errors.ts";
import type { Run } from "./run.ts";

/** Why a timer ends that is not needed any more: without a reason each one would make an error, stack and all. */
const DISARMED = "disarmed";

/**
 * A signal that is aborted by its parent, with the parent's reason, or when an armed limit runs out, with
 * `task-limit`. Must be closed, or its timer outlives the work.
 */
export class TimeLimit {
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #parent: AbortSignal;
  readonly #onParentAbort = () => this.#abort.abort(this.#parent.reason);
  #timer: AbortController | undefined;
  #allottedMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, parent: AbortSignal) {
    this.#clock = clock;
    this.#parent = parent;
    if (parent.aborted) {
      this.#onParentAbort();
    } else {
      parent.addEventListener("abort", this.#onParentAbort, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What the limit was last armed with. */
  get allottedMs(): number {
    return this.#allottedMs;
  }

  /** Starts the limit from zero; `Infinity` means without limit. */
  arm(limitMs: number): void {
    this.disarm();
    this.#allottedMs = limitMs;
    if (limitMs === Number.POSITIVE_INFINITY) {
      return;
    }
    const timer = new AbortController();
    this.#timer = timer;
    this.#clock.sleep(Math.max(0, limitMs), timer.signal).then(
      () => this.#abort.abort(new Interrupted("task-limit")),
      () => undefined, // disarmed
    );
  }

  /** Stops the running limit; the parent still aborts. */
  disarm(): void {
    this.#timer?.abort(DISARMED);
    this.#timer = undefined;
  }

  close(): void {
    this.disarm();
    this.#parent.removeEventListener("abort", this.#onParentAbort);
  }
}

/** Runs `work` with a signal of its own that is aborted after `limitMs`, whatever else is being stopped. */
export async function withOwnLimit<T>(
  clock: Clock,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new TimeLimit(clock, new AbortController().signal);
  limit.arm(limitMs);
  try {
    return await work(limit.signal);
  } finally {
    limit.close();
  }
}

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
