import type { OnReadOpts, Socket } from "node:net";

/** Of each of the two buffers: together they stay in the second-level cache of a processor, where bytes are hashed and copied. */
export const INTAKE_BYTES = 256 * 1024;
/** A half with as much is full: too little room is left for a read to be worth its call. */
const FULL_BYTES = INTAKE_BYTES / 2;
/** Kept free for what comes after a stop: TLS first deciphers all that it has read, 64 KiB at most. */
const RESERVE_BYTES = 64 * 1024;
/** As much as Node reads at a time where it is given no buffer. */
const STREAM_READ_BYTES = 64 * 1024;

/** A buffer, its bytes that came and, of these, those that the reader was given. */
interface Half {
  bytes: Buffer;
  filledBytes: number;
  takenBytes: number;
}

/**
 * Where the bytes of one socket go: at first into its stream, as always; from {@link divert} on into two buffers, which
 * take turns. Without it Node makes a new buffer for each 64 KiB, its HTTP parser a copy of each, and all of them wait for
 * the collector: of 1 GiB that took three quarters of the time that receiving takes (docs/decisions.md).
 */
export class Intake {
  /** To be given to `net.connect` or `tls.connect`; {@link attach} follows at once. */
  readonly onread: OnReadOpts = {
    // Asked for a buffer at first, and then after each callback: only there may the other half have its turn.
    buffer: () => this.#room(),
    callback: (sizeBytes) => this.#received(sizeBytes),
  };
  #socket: Socket | undefined;
  #isDiverted = false;
  #isStopped = true;
  /** The half that is filled, and the one that is read: one and the same while the reader keeps up. */
  #back: Half = newHalf();
  #front: Half = this.#back;
  /** The half that has no turn. Made when first needed: most answers are small. */
  #idle: Half | undefined;
  #waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #end: { readonly failure: Error | undefined } | undefined;

  /** Says whose bytes these are. */
  attach(socket: Socket): void {
    this.#socket = socket;
    socket.once("error", (failure) => this.#ended(failure));
    socket.once("end", () => this.#ended(undefined));
    socket.once("close", () => this.#ended(undefined));
  }

  /**
   * Takes what comes from now on out of the socket's stream, for good.
   *
   * @returns false where that cannot be: the socket is not read through this, or its stream still holds bytes.
   */
  divert(): boolean {
    this.#isDiverted = this.#socket?.readableLength === 0;
    return this.#isDiverted;
  }

  /**
   * The bytes that came, one at least; `undefined` when the connection ended. Valid until the next call, which ends
   * the turn of what the last one gave. Rejects with what the socket failed with.
   */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#front !== this.#back && this.#front.takenBytes === this.#front.filledBytes) {
      this.#idle = this.#front.bytes.length === INTAKE_BYTES ? this.#front : undefined;
      this.#front = this.#back;
    }
    const bytes = this.#take();
    if (bytes === undefined && this.#end !== undefined) {
      return await this.#atEnd(this.#end.failure);
    }
    if (this.#isStopped && !this.#isFull()) {
      this.#isStopped = false;
      this.#socket?.resume();
    }
    if (bytes !== undefined) {
      return bytes;
    }
    this.#waiting = Promise.withResolvers();
    return await this.#waiting.promise;
  }

  /** @returns whether Node shall go on reading. */
  #received(sizeBytes: number): boolean {
    const back = this.#back;
    if (!this.#isDiverted) {
      // What Node itself does with bytes. A copy, since the stream may keep it.
      return this.#socket?.push(Buffer.from(back.bytes.subarray(0, sizeBytes))) ?? false;
    }
    back.filledBytes += sizeBytes;
    if (this.#waiting !== undefined) {
      this.#waiting.resolve(this.#take());
      this.#waiting = undefined;
    }
    this.#isStopped = this.#isFull();
    return !this.#isStopped;
  }

  /** Where the next bytes go: behind those that came, or into the other half when little room is left. */
  #room(): Uint8Array {
    if (!this.#isDiverted) {
      return this.#back.bytes.subarray(0, STREAM_READ_BYTES);
    }
    if (this.#back.filledBytes >= FULL_BYTES && this.#front === this.#back) {
      this.#back = this.#idle ?? newHalf();
      this.#idle = undefined;
      this.#back.filledBytes = 0;
      this.#back.takenBytes = 0;
    }
    const { bytes, filledBytes } = this.#back;
    if (filledBytes === bytes.length) {
      // More came after the stop than can. It is kept, and what the reader holds stays as it is.
      this.#back.bytes = Buffer.concat([bytes], 2 * bytes.length);
    }
    const endByte = filledBytes < FULL_BYTES ? INTAKE_BYTES - RESERVE_BYTES : this.#back.bytes.length;
    return this.#back.bytes.subarray(filledBytes, endByte);
  }

  /** Whether nothing may come now: the half that is filled is full, and the reader is not done with the other one. */
  #isFull(): boolean {
    return this.#back.filledBytes >= FULL_BYTES && this.#front !== this.#back;
  }

  #take(): Uint8Array | undefined {
    const { bytes, filledBytes, takenBytes } = this.#front;
    if (takenBytes === filledBytes) {
      return undefined;
    }
    this.#front.takenBytes = filledBytes;
    return bytes.subarray(takenBytes, filledBytes);
  }

  #ended(failure: Error | undefined): void {
    this.#end ??= { failure };
    this.#waiting?.resolve(this.#atEnd(failure));
    this.#waiting = undefined;
  }

  async #atEnd(failure: Error | undefined): Promise<undefined> {
    if (failure !== undefined) {
      throw failure;
    }
  }
}

function newHalf(): Half {
  return { bytes: Buffer.allocUnsafeSlow(INTAKE_BYTES), filledBytes: 0, takenBytes: 0 };
}
