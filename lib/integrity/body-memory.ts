import type { RandomAccessBytes } from "./byte-cursor.ts";

/** The last bytes of a stream, at most `capacityBytes` of them, in a ring that is allocated once. */
export class RollingTail {
  readonly #ring: Buffer;
  #writeAt = 0;
  #filledBytes = 0;

  constructor(capacityBytes: number) {
    // Nothing is read that was not pushed, so nothing has to be cleared.
    this.#ring = Buffer.allocUnsafeSlow(capacityBytes);
  }

  push(chunk: Uint8Array): void {
    const capacity = this.#ring.length;
    const kept = chunk.length > capacity ? chunk.subarray(chunk.length - capacity) : chunk;
    const untilEnd = Math.min(kept.length, capacity - this.#writeAt);
    this.#ring.set(kept.subarray(0, untilEnd), this.#writeAt);
    this.#ring.set(kept.subarray(untilEnd), 0);
    this.#writeAt = (this.#writeAt + kept.length) % capacity;
    this.#filledBytes = Math.min(capacity, this.#filledBytes + kept.length);
  }

  /** A copy, in the order of the stream. */
  bytes(): Buffer {
    if (this.#filledBytes < this.#ring.length) {
      return Buffer.from(this.#ring.subarray(0, this.#filledBytes));
    }
    return Buffer.concat([this.#ring.subarray(this.#writeAt), this.#ring.subarray(0, this.#writeAt)]);
  }
}

const BLOCK_BYTES = 256 * 1024;

/** A whole stream while it is small; gives all its memory back at the first byte over the limit. */
export class SmallBody implements RandomAccessBytes {
  readonly #limitBytes: number;
  #blocks: Buffer[] = [];
  #sizeBytes = 0;
  #isWhole = true;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Whether every byte pushed is still here. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  push(chunk: Uint8Array): void {
    if (!this.#isWhole) {
      return;
    }
    if (this.#sizeBytes + chunk.length > this.#limitBytes) {
      this.#isWhole = false;
      this.#blocks = [];
      return;
    }
    for (let taken = 0; taken < chunk.length; ) {
      const room = BLOCK_BYTES - (this.#sizeBytes % BLOCK_BYTES);
      if (room === BLOCK_BYTES) {
        this.#blocks.push(Buffer.allocUnsafeSlow(BLOCK_BYTES));
      }
      const piece = chunk.subarray(taken, taken + room);
      this.#blocks.at(-1)?.set(piece, BLOCK_BYTES - room);
      this.#sizeBytes += piece.length;
      taken += piece.length;
    }
  }

  /** Views of the blocks, which are never written to again where they are filled. */
  async *read(startByte: number, endByteExclusive: number): AsyncGenerator<Uint8Array> {
    let at = startByte;
    while (at < endByteExclusive) {
      const inBlock = at % BLOCK_BYTES;
      const piece = this.#blocks[Math.floor(at / BLOCK_BYTES)]?.subarray(
        inBlock,
        inBlock + endByteExclusive - at,
      );
      if (piece === undefined) {
        return;
      }
      yield piece;
      at += piece.length;
    }
  }
}
