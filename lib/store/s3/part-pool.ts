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
  readonly member: Member;
  readonly grant: (granted: Granted) => void;
}

interface Member {
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
  readonly #members = new Set<Member>();
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
    const member: Member = { held: new Set() };
    return await this.#wait(this.#joining, member, signal);
  }

  /** @internal for {@link PartShare} */
  async acquire(member: Member, signal: AbortSignal): Promise<PartBuffer> {
    if (!this.#members.has(member)) {
      throw new Error("an upload that left the pool asked for a buffer");
    }
    return await this.#wait(this.#wanting, member, signal);
  }

  /** @internal for {@link PartShare} */
  release(member: Member, buffer: PartBuffer): void {
    if (!member.held.delete(buffer)) {
      throw new Error("a buffer was given back that was not lent");
    }
    this.#lent -= 1;
    this.#idle.push(buffer);
    this.#serve();
  }

  /** @internal for {@link PartShare} */
  leave(member: Member): void {
    if (member.held.size > 0) {
      throw new Error("an upload left the pool with buffers in its hands");
    }
    this.#members.delete(member);
    this.#serve();
  }

  async #wait<Granted>(queue: Waiter<Granted>[], member: Member, signal: AbortSignal): Promise<Granted> {
    signal.throwIfAborted();
    return await new Promise<Granted>((resolve, reject) => {
      const giveUp = () => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(signal.reason);
        this.#serve();
      };
      const waiter: Waiter<Granted> = {
        member,
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
      this.#members.add(next.member);
      next.grant(new PartShare(this, next.member));
    }
    for (let next = this.#nextWanting(); next !== undefined; next = this.#nextWanting()) {
      this.#wanting.splice(this.#wanting.indexOf(next), 1);
      const buffer = this.#idle.pop() ?? this.#make();
      next.member.held.add(buffer);
      this.#lent += 1;
      next.grant(buffer);
    }
  }

  /** Who holds fewest and asked first, if a buffer may be lent to them now. */
  #nextWanting(): Waiter<PartBuffer> | undefined {
    let poorest: Waiter<PartBuffer> | undefined;
    for (const waiter of this.#wanting) {
      if (poorest === undefined || waiter.member.held.size < poorest.member.held.size) {
        poorest = waiter;
      }
    }
    if (poorest === undefined || poorest.member.held.size === 0) {
      return poorest; // its one buffer was reserved when it joined
    }
    return this.#spare() > this.#joining.length ? poorest : undefined;
  }

  /** Buffers neither lent nor reserved for a member that holds none. Never negative. */
  #spare(): number {
    let reserved = 0;
    for (const { held } of this.#members) {
      reserved += held.size === 0 ? 1 : 0;
    }
    return this.#partCount - this.#lent - reserved;
  }

  #make(): PartBuffer {
    this.#made += 1;
    return { bytes: Buffer.allocUnsafeSlow(this.partSizeBytes) };
  }
}

/** One upload's place in the pool. */
export class PartShare {
  readonly #pool: PartPool;
  readonly #member: Member;

  constructor(pool: PartPool, member: Member) {
    this.#pool = pool;
    this.#member = member;
  }

  /** Lends a buffer, waiting until one is free. Rejects with the signal's reason. */
  async acquire(signal: AbortSignal): Promise<PartBuffer> {
    return await this.#pool.acquire(this.#member, signal);
  }

  /** Gives a buffer back. Nothing may read or write it after that. */
  release(buffer: PartBuffer): void {
    this.#pool.release(this.#member, buffer);
  }

  /** Gives the place up; every buffer must be back. Safe twice. */
  leave(): void {
    this.#pool.leave(this.#member);
  }
}
