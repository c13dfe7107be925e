/** One buffer of the pool, lent to one upload. */
export interface PartBuffer {
  readonly bytes: Buffer;
}

export interface PartPoolOptions {
  readonly partSizeBytes: number;
  /** Buffers in all: memory is at most this times `partSizeBytes`. */
  readonly partCount: number;
}

interface Waiter<Granted> {
  readonly share: PartShare;
  readonly grant: (granted: Granted) => void;
}

/** One upload's place in the pool. */
export interface PartShare {
  readonly held: Set<PartBuffer>;
}

/**
 * The fixed buffers that all uploads of a process share (promise I7). Every upload that has joined is sure of
 * one buffer, so that two uploads never wait for each other; the others go to whoever holds fewest.
 */
export class PartPool {
  readonly partSizeBytes: number;
  readonly #partCount: number;
  readonly #idle: PartBuffer[] = [];
  readonly #shares = new Set<PartShare>();
  readonly #joining: Waiter<PartShare>[] = [];
  readonly #wanting: Waiter<PartBuffer>[] = [];
  /** Buffers are made when first needed and then kept. */
  #made = 0;
  #lent = 0;

  /** @throws RangeError when a size or count is not a positive integer. */
  constructor({ partSizeBytes, partCount }: PartPoolOptions) {
    for (const value of [partSizeBytes, partCount]) {
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new RangeError(`a part pool cannot have ${value} parts or bytes`);
      }
    }
    this.partSizeBytes = partSizeBytes;
    this.#partCount = partCount;
  }

  /** Buffers lent out now, for tests and reports. */
  get lentCount(): number {
    return this.#lent;
  }

  /** Buffers ever made; never above the count asked for. */
  get madeCount(): number {
    return this.#made;
  }

  /** Waits until one buffer can be reserved for a further upload. Rejects with the signal's reason. */
  async join(signal: AbortSignal): Promise<PartShare> {
    return await this.#wait(this.#joining, { held: new Set() }, signal);
  }

  /** Lends a buffer, waiting until one is free. Rejects with the signal's reason. */
  async acquire(share: PartShare, signal: AbortSignal): Promise<PartBuffer> {
    if (!this.#shares.has(share)) {
      throw new Error("an upload that left the pool asked for a buffer");
    }
    return await this.#wait(this.#wanting, share, signal);
  }

  /** Takes a buffer back. Nothing may read or write it after that. */
  release(share: PartShare, buffer: PartBuffer): void {
    if (!share.held.delete(buffer)) {
      throw new Error("a buffer was given back that was not lent");
    }
    this.#lent -= 1;
    this.#idle.push(buffer);
    this.#serve();
  }

  /** Gives the place up; every buffer must be back. Safe twice. */
  leave(share: PartShare): void {
    if (share.held.size > 0) {
      throw new Error("an upload left the pool with buffers in its hands");
    }
    this.#shares.delete(share);
    this.#serve();
  }

  async #wait<Granted>(queue: Waiter<Granted>[], share: PartShare, signal: AbortSignal): Promise<Granted> {
    signal.throwIfAborted();
    return await new Promise<Granted>((resolve, reject) => {
      const giveUp = () => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(signal.reason);
        this.#serve();
      };
      const waiter: Waiter<Granted> = {
        share,
        grant: (granted) => {
          signal.removeEventListener("abort", giveUp);
          resolve(granted);
        },
      };
      signal.addEventListener("abort", giveUp, { once: true });
      queue.push(waiter);
      this.#serve();
    });
  }

  #serve(): void {
    for (let next = this.#joining[0]; next !== undefined && this.#spare() > 0; next = this.#joining[0]) {
      this.#joining.shift();
      this.#shares.add(next.share);
      next.grant(next.share);
    }
    for (let next = this.#nextWanting(); next !== undefined; next = this.#nextWanting()) {
      this.#wanting.splice(this.#wanting.indexOf(next), 1);
      const buffer = this.#idle.pop() ?? this.#make();
      next.share.held.add(buffer);
      this.#lent += 1;
      next.grant(buffer);
    }
  }

  /** Who holds fewest and asked first, if a buffer may be lent to them now. */
  #nextWanting(): Waiter<PartBuffer> | undefined {
    let poorest: Waiter<PartBuffer> | undefined;
    for (const waiter of this.#wanting) {
      if (poorest === undefined || waiter.share.held.size < poorest.share.held.size) {
        poorest = waiter;
      }
    }
    if (poorest === undefined || poorest.share.held.size === 0) {
      return poorest; // its one buffer was reserved when it joined
    }
    return this.#spare() > this.#joining.length ? poorest : undefined;
  }

  /** Buffers neither lent nor reserved for a member that holds none. Never negative. */
  #spare(): number {
    let reserved = 0;
    for (const { held } of this.#shares) {
      reserved += held.size === 0 ? 1 : 0;
    }
    return this.#partCount - this.#lent - reserved;
  }

  #make(): PartBuffer {
    this.#made += 1;
    return { bytes: Buffer.allocUnsafeSlow(this.partSizeBytes) };
  }
}
