import type { Clock } from "../ports/clock.ts";
import { Interrupted } from "./errors.ts";

type Sleeper = Pick<Clock, "sleep">;

/** Why a timer ends that is not needed any more: without a reason each one would make an error, stack and all. */
const DISARMED = "disarmed";

/**
 * A signal that is aborted by its parent, with the parent's reason, or when an armed limit runs out, with
 * `overdue`. Must be closed, or its timer outlives the work.
 */
export class TimeLimit {
  readonly #clock: Sleeper;
  readonly #overdue: () => unknown;
  readonly #abort = new AbortController();
  readonly #parent: AbortSignal;
  readonly #onParentAbort = () => this.#abort.abort(this.#parent.reason);
  #timer: AbortController | undefined;
  #allottedMs = Number.POSITIVE_INFINITY;

  constructor(
    clock: Sleeper,
    parent: AbortSignal,
    overdue: () => unknown = () => new Interrupted("task-limit"),
  ) {
    this.#clock = clock;
    this.#overdue = overdue;
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
      () => this.#abort.abort(this.#overdue()),
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

/** Runs `work` with a signal that is aborted after `limitMs`, or by `parent`. */
export async function withTimeLimit<T>(
  clock: Sleeper,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  parent: AbortSignal = new AbortController().signal,
  overdue?: () => unknown,
): Promise<T> {
  const limit = new TimeLimit(clock, parent, overdue);
  limit.arm(limitMs);
  try {
    return await work(limit.signal);
  } finally {
    limit.close();
  }
}
