import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock, Random } from "../../lib/ports/clock.ts";

/** Real time, for suites in which several processes take part. */
export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (thrown) {
      signal?.throwIfAborted();
      throw thrown;
    }
  },
};

/** Real time that runs out for no wait: whoever waits for a lock has it in the end, however long its holder is held up. */
export const patientClock: Clock = { ...realClock, monotonicMs: () => 0 };

export const realRandom: Random = {
  hex: (bytes) => randomBytes(bytes).toString("hex"),
  fraction: () => Math.random(),
};

/** Time that passes only when it is told to, or when somebody sleeps: a sleep takes no real time. */
export class ManualClock implements Clock {
  #nowMs = Date.parse("2026-11-22T01:00:00.000Z");

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#nowMs += ms;
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
