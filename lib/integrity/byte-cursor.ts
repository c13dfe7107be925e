import { untilAborted } from "../domain/promises.ts";
import { asBuffer, DamagedZip } from "./zip-format.ts";

/** Bytes that can be read from any place: a stored object by ranges, a file, a buffer. */
export interface RandomAccessBytes {
  /** Exactly the bytes of the range, in order. A chunk is not written to again after it was handed out. */
  read(startByte: number, endByteExclusive: number): AsyncIterable<Uint8Array>;
}

/** A gap up to this size is read and thrown away: cheaper than a new request to an object store. */
const MAX_SKIPPED_BYTES = 1024 * 1024;

/**
 * Reads forward through `[startByte, endByte)` with as few ranges as it can, one chunk in memory. Ends a wait for a
 * source that does not answer as soon as the signal is aborted, with its reason.
 */
export class ByteCursor {
  readonly #source: RandomAccessBytes;
  readonly #endByte: number;
  readonly #signal: AbortSignal;
  #positionByte: number;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(source: RandomAccessBytes, startByte: number, endByte: number, signal: AbortSignal) {
    this.#source = source;
    this.#positionByte = startByte;
    this.#endByte = endByte;
    this.#signal = signal;
  }

  get positionByte(): number {
    return this.#positionByte;
  }

  /** Goes forward to a place. Throws {@link DamagedZip} when the source ends before it. */
  async seek(targetByte: number): Promise<void> {
    if (targetByte - this.#positionByte > Math.max(MAX_SKIPPED_BYTES, this.#chunk.length)) {
      await this.close();
      this.#positionByte = targetByte;
      return;
    }
    while (this.#positionByte < targetByte) {
      await this.#next(targetByte - this.#positionByte);
    }
  }

  /** The next bytes, in one piece; for the small structures between the data. */
  async take(sizeBytes: number): Promise<Buffer> {
    const taken = Buffer.alloc(sizeBytes);
    for (let filled = 0; filled < sizeBytes; ) {
      const piece = await this.#next(sizeBytes - filled);
      taken.set(piece, filled);
      filled += piece.length;
    }
    return taken;
  }

  /** The next bytes as they come. A consumer may stop early. */
  async *stream(sizeBytes: number): AsyncGenerator<Buffer> {
    const endByte = this.#positionByte + sizeBytes;
    while (this.#positionByte < endByte) {
      yield asBuffer(await this.#next(endByte - this.#positionByte));
    }
  }

  /** Gives the source back. The cursor can be used again: the next read opens a new range. */
  async close(): Promise<void> {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    this.#chunk = new Uint8Array(0);
    await iterator?.return?.();
  }

  /** At least one byte, at most `maxBytes`. */
  async #next(maxBytes: number): Promise<Uint8Array> {
    while (this.#chunk.length === 0) {
      this.#iterator ??= this.#source.read(this.#positionByte, this.#endByte)[Symbol.asyncIterator]();
      const step = await this.#step(this.#iterator);
      if (step.done === true) {
        throw new DamagedZip(`the bytes end at ${this.#positionByte}, before the structure they hold`);
      }
      this.#chunk = step.value;
    }
    const piece = this.#chunk.subarray(0, maxBytes);
    this.#chunk = this.#chunk.subarray(piece.length);
    this.#positionByte += piece.length;
    return piece;
  }

  async #step(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    try {
      return await untilAborted(iterator.next(), this.#signal);
    } catch (thrown) {
      this.#abandon();
      throw thrown;
    }
  }

  /** Lets go of a source that failed or has not answered yet: its `return` would wait for that answer. */
  #abandon(): void {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    // What the source says now is of no interest: the caller gets the reason of the abort.
    iterator?.return?.().then(undefined, () => undefined);
  }
}
