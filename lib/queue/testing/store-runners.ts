import { randomBytes } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import { StoreQueue } from "../store-queue.ts";
import { type Documents, MemoryStore } from "./memory-store.ts";

export const { signal } = new AbortController();
export const NOW = { signal, delayMs: 0 };
export const VISIBILITY_MS = 60_000;

/** Time that passes when it is told to, or when somebody sleeps. */
export class TestClock implements Clock {
  wall = Date.parse("2026-11-22T01:00:00.000Z");
  monotonic = 5_000;

  wallMs(): number {
    return this.wall;
  }

  monotonicMs(): number {
    return this.monotonic;
  }

  async sleep(ms: number): Promise<void> {
    this.advance(ms);
  }

  advance(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

/** One process with its queue, and what it was told. */
export interface StoreRunner {
  readonly queue: StoreQueue;
  readonly store: MemoryStore;
  readonly told: string[];
}

/** Runners that share a store; `canSwap` says whether it has compare-and-swap. */
export class StoreRunners {
  readonly clock: TestClock;
  readonly documents: Documents = new Map();
  readonly #canSwap: boolean;

  constructor(canSwap: boolean, clock = new TestClock()) {
    this.#canSwap = canSwap;
    this.clock = clock;
  }

  start(clock: Clock = this.clock): StoreRunner {
    const store = new MemoryStore(this.documents, clock, this.#canSwap);
    const told: string[] = [];
    const queue = new StoreQueue(store, {
      visibilityMs: VISIBILITY_MS,
      clock,
      random: { hex: (bytes) => randomBytes(bytes).toString("hex"), fraction: () => 0.5 },
      onOddFile: (key, problem) => told.push(`${key} ${problem}`),
      onLeasedToAnother: (untilMs) => told.push(`leased until ${new Date(untilMs).toISOString()}`),
    });
    return { queue, store, told };
  }
}
