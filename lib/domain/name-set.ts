import { hash } from "node:crypto";

const FIRST_SLOTS = 1_024;

/**
 * A set of names that keeps 64 bits of each: eight million names take 128 MiB, and two names are taken for one with a
 * probability of 1 to 100,000 then. Each name can be marked once it was met.
 */
export class NameSet {
  #slots = new BigUint64Array(FIRST_SLOTS);
  #marks = new Uint8Array(FIRST_SLOTS);
  #size = 0;
  #marked = 0;

  get size(): number {
    return this.#size;
  }

  /** How many names were never marked. */
  get unmarked(): number {
    return this.#size - this.#marked;
  }

  add(name: string): void {
    if (this.#size >= this.#slots.length / 2) {
      this.#grow();
    }
    const fingerprint = fingerprintOf(name);
    const slot = this.#slotOf(fingerprint);
    if (this.#slots[slot] === 0n) {
      this.#slots[slot] = fingerprint;
      this.#size += 1;
    }
  }

  has(name: string): boolean {
    return this.#slots[this.#slotOf(fingerprintOf(name))] !== 0n;
  }

  /** Marks a name. @returns whether the set has it. */
  mark(name: string): boolean {
    const slot = this.#slotOf(fingerprintOf(name));
    if (this.#slots[slot] === 0n) {
      return false;
    }
    if (this.#marks[slot] === 0) {
      this.#marks[slot] = 1;
      this.#marked += 1;
    }
    return true;
  }

  isMarked(name: string): boolean {
    return this.#marks[this.#slotOf(fingerprintOf(name))] === 1;
  }

  /** The slot of a fingerprint, or the free one that it would get. */
  #slotOf(fingerprint: bigint): number {
    const mask = this.#slots.length - 1;
    let slot = Number(fingerprint & 0xffff_ffffn) & mask;
    while (this.#slots[slot] !== 0n && this.#slots[slot] !== fingerprint) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [slots, marks] = [this.#slots, this.#marks];
    this.#slots = new BigUint64Array(slots.length * 2);
    this.#marks = new Uint8Array(slots.length * 2);
    for (const [index, fingerprint] of slots.entries()) {
      if (fingerprint !== 0n) {
        const slot = this.#slotOf(fingerprint);
        this.#slots[slot] = fingerprint;
        this.#marks[slot] = marks[index] ?? 0;
      }
    }
  }
}

/** The first 64 bits of SHA-256; 0 stands for a free slot. */
function fingerprintOf(name: string): bigint {
  const bits = hash("sha256", name, "buffer").readBigUInt64LE();
  return bits === 0n ? 1n : bits;
}
