import { hash } from "node:crypto";

const FIRST_SLOTS = 1_024;

/**
 * A number from 0 to 65,535 for each name. It keeps 64 bits of a name: eight million names take 160 MiB, and two names
 * are taken for one with a probability of 1 to 500,000 then.
 */
export class NameNumbers {
  #slots = new BigUint64Array(FIRST_SLOTS);
  #numbers = new Uint16Array(FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  set(name: string, number: number): void {
    if (this.#size >= this.#slots.length / 2) {
      this.#grow();
    }
    const fingerprint = fingerprintOf(name);
    const slot = this.#slotOf(fingerprint);
    if (this.#slots[slot] === 0n) {
      this.#slots[slot] = fingerprint;
      this.#size += 1;
    }
    this.#numbers[slot] = number;
  }

  get(name: string): number | undefined {
    const slot = this.#slotOf(fingerprintOf(name));
    return this.#slots[slot] === 0n ? undefined : this.#numbers[slot];
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
    const [slots, numbers] = [this.#slots, this.#numbers];
    this.#slots = new BigUint64Array(slots.length * 2);
    this.#numbers = new Uint16Array(slots.length * 2);
    for (const [index, fingerprint] of slots.entries()) {
      if (fingerprint !== 0n) {
        const slot = this.#slotOf(fingerprint);
        this.#slots[slot] = fingerprint;
        this.#numbers[slot] = numbers[index] ?? 0;
      }
    }
  }
}

/** A set of names, in the memory of {@link NameNumbers}. Each name can be marked once it was met. */
export class NameSet {
  readonly #names = new NameNumbers();
  #marked = 0;

  get size(): number {
    return this.#names.size;
  }

  /** How many names were never marked. */
  get unmarked(): number {
    return this.size - this.#marked;
  }

  add(name: string): void {
    if (this.#names.get(name) === undefined) {
      this.#names.set(name, 0);
    }
  }

  has(name: string): boolean {
    return this.#names.get(name) !== undefined;
  }

  /** Marks a name. @returns whether the set has it. */
  mark(name: string): boolean {
    const mark = this.#names.get(name);
    if (mark === 0) {
      this.#names.set(name, 1);
      this.#marked += 1;
    }
    return mark !== undefined;
  }

  isMarked(name: string): boolean {
    return this.#names.get(name) === 1;
  }
}

/** The first 64 bits of SHA-256; 0 stands for a free slot. */
function fingerprintOf(name: string): bigint {
  const bits = hash("sha256", name, "buffer").readBigUInt64LE();
  return bits === 0n ? 1n : bits;
}
