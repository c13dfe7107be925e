import type { Clock } from "../ports/clock.ts";
import { Interrupted } from "./errors.ts";

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
