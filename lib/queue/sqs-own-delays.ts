import type { Clock } from "../ports/clock.ts";

/** Far more than one run postpones. */
const MAX_KNOWN = 256;

/**
 * When the messages that this process sent with a delay become due. SQS tells how many messages are delayed,
 * not until when; but what a run itself has postponed, it can wait for.
 */
export class SqsOwnDelays {
  readonly #clock: Clock;
  /** By the monotonic clock, earliest first. */
  #dueAtMs: readonly number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A message was sent just now that is due so much later. SQS knows whole seconds only. */
  add(delayMs: number): void {
    if (delayMs > 0) {
      const dueAtMs = this.#clock.monotonicMs() + Math.ceil(delayMs / 1000) * 1000;
      this.#dueAtMs = [...this.#ahead(), dueAtMs].sort((a, b) => a - b).slice(0, MAX_KNOWN);
    }
  }

  /** When the next of them is due, by the wall clock; `undefined` when none is ahead. */
  nextDueAtMs(): number | undefined {
    const [nextMs] = this.#ahead();
    return nextMs === undefined ? undefined : this.#clock.wallMs() + (nextMs - this.#clock.monotonicMs());
  }

  #ahead(): readonly number[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#dueAtMs.filter((dueAtMs) => dueAtMs > nowMs);
  }
}
