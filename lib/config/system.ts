import { randomBytes, randomInt } from "node:crypto";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type { Clock, Random } from "../ports/clock.ts";

/** Node's timers hold at most this; longer sleeps are taken in pieces. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const FRACTION_STEPS = 2 ** 47;

/** The machine's clocks. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    const untilMs = performance.now() + ms;
    signal?.throwIfAborted();
    for (let leftMs = ms; leftMs > 0; leftMs = untilMs - performance.now()) {
      try {
        await delay(Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS), undefined, signal ? { signal } : {});
      } catch (error) {
        // The timer rejects with an AbortError of its own; callers are promised the signal's reason.
        signal?.throwIfAborted();
        throw error;
      }
    }
  },
};

/** Resolves once all that can go on without waiting has done so. */
export async function nextTurn(): Promise<void> {
  await turn();
}

/** The system's randomness. */
export const systemRandom: Random = {
  hex: (bytes) => randomBytes(bytes).toString("hex"),
  fraction: () => randomInt(FRACTION_STEPS) / FRACTION_STEPS,
};
