import { untilAborted } from "../domain/promises.ts";
import type { Clock } from "../ports/clock.ts";
import { TimeLimit } from "../run/deadline.ts";

/** A task in front that needs no slot after all must not keep the one behind it waiting for long. */
const PATIENCE_MS = 2_000;

/** A place in the line for the next download slot. */
export interface Ticket {
  /** Resolves when everybody in front has asked for a slot or needs none, or after a short while. */
  wait(clock: Clock, signal: AbortSignal): Promise<void>;
  /** Lets the next one go; safe more than once. */
  release(): void;
}

/**
 * Two tasks in flight look things up side by side; whoever is quicker must not take the slot of the older
 * export, which the platform evicts first.
 */
export class SlotQueue {
  #last: Promise<void> = Promise.resolve();

  /** Joins the line. */
  join(): Ticket {
    const inFront = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = Promise.all([inFront, promise]).then(() => undefined);
    return {
      release: resolve,
      async wait(clock, signal) {
        const patience = new TimeLimit(clock, signal);
        patience.arm(PATIENCE_MS);
        // Rejects when the patience is over, and when the caller's signal is aborted, which is looked at below.
        await untilAborted(inFront, patience.signal).catch(() => undefined);
        patience.close();
        signal.throwIfAborted();
      },
    };
  }
}
