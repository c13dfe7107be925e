import type { Random } from "../../lib/ports/clock.ts";

/** A fixed number of milliseconds, or one drawn evenly from a range (both ends included). */
export type Latency = number | { readonly minMs: number; readonly maxMs: number };

/** FNV-1a over UTF-16 units: turns a label into 32 bits of seed. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** Randomness from a seed: mulberry32, 32 bits of state. Good for simulations, useless for secrets. */
export class SeededRandom implements Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** The next 32 bits. */
  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  hex(bytes: number): string {
    let text = "";
    while (text.length < 2 * bytes) {
      text += this.uint32().toString(16).padStart(8, "0");
    }
    return text.slice(0, 2 * bytes);
  }

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  latencyMs(latency: Latency): number {
    return typeof latency === "number" ? latency : this.integer(latency.minMs, latency.maxMs);
  }

  /** A new array with the same items in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const keyed = items.map((item) => ({ item, key: this.uint32() }));
    return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
  }

  /** An independent stream. Drawing from it does not move this one; the same label gives the same stream. */
  fork(label: string): SeededRandom {
    return new SeededRandom(new SeededRandom(this.seed ^ hashOf(label)).uint32());
  }
}
