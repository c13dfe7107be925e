import type { Clock } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { StoreSweeper } from "../ports/store-sweeper.ts";

/** What a queue asks of the store that it lies in. */
export type QueueStore = Pick<
  ObjectStore,
  "preflight" | "readClockMs" | "list" | "getDocument" | "putDocument"
> &
  Pick<StoreSweeper, "removeObject">;

/** A reading of the store's clock is used for this long: a machine that slept has lost monotonic time meanwhile. */
const READING_IS_GOOD_FOR_MS = 15 * 60_000;

interface Reading {
  readonly storeMs: number;
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * The store's clock, so that all runners agree on when a message is due however wrong their own clocks are: read once
 * in a while, plus the monotonic time since then.
 */
export class StoreTime {
  readonly #store: Pick<QueueStore, "readClockMs">;
  readonly #clock: Clock;
  #reading: Reading | undefined;

  constructor(store: Pick<QueueStore, "readClockMs">, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The store's time now, epoch milliseconds. @throws what the store throws. */
  async nowMs(options: CallOptions): Promise<number> {
    options.signal.throwIfAborted();
    const reading = this.#goodReading() ?? (await this.#read(options));
    return Math.floor(reading.storeMs + this.#clock.monotonicMs() - reading.monotonicMs);
  }

  /** A moment of the store's clock on this machine's, for those who wait for it. @throws what the store throws. */
  async toWallMs(storeMs: number, options: CallOptions): Promise<number> {
    return storeMs - (await this.nowMs(options)) + this.#clock.wallMs();
  }

  #goodReading(): Reading | undefined {
    const reading = this.#reading;
    if (reading === undefined) {
      return undefined;
    }
    // The wall clock goes on while a machine sleeps, the monotonic one may not.
    const ageMs = Math.max(
      this.#clock.monotonicMs() - reading.monotonicMs,
      Math.abs(this.#clock.wallMs() - reading.wallMs),
    );
    return ageMs < READING_IS_GOOD_FOR_MS ? reading : undefined;
  }

  async #read(options: CallOptions): Promise<Reading> {
    const storeMs = await this.#store.readClockMs(options);
    this.#reading = {
      storeMs,
      monotonicMs: this.#clock.monotonicMs(),
      wallMs: this.#clock.wallMs(),
    };
    return this.#reading;
  }
}
