import * as v from "valibot";
import { RUN_LEASE_KEY } from "../domain/queue-layout.ts";
import type { Clock } from "../ports/clock.ts";
import type { CallOptions } from "../ports/platform.ts";
import { jsonText } from "../records/create-once.ts";
import { isoTime, parseRecord, SCHEMA_VERSION, schemaVersion } from "../records/schemas.ts";
import type { QueueStore, StoreTime } from "./queue-store.ts";

/** How long a new lease must stand alone; see {@link RunLease}. Far more than two readings of the store's clock differ by. */
const STANDS_MS = 3_000;
/** Of this length a lease is at least: it can be renewed in time over a slow network. */
const LEAST_LEASE_MS = 10 * STANDS_MS;
/** A lease that claims more than this was not written by this program, and counts as free. */
const MAX_LEASE_MS = 24 * 3_600_000;

const leaseSchema = v.object({
  schemaVersion,
  /** Random, of one runner. */
  holder: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  /** By the store's clock. */
  until: isoTime,
});

interface RunLeaseParts {
  readonly store: QueueStore;
  readonly time: StoreTime;
  readonly clock: Clock;
  /** Random hex, of this runner. */
  readonly holder: string;
  /** How long a lease lasts unless it is renewed; 30 s at least. */
  readonly leaseMs: number;
}

/**
 * The right of one runner to receive, where the store has no compare-and-swap: a timed lock. Who finds it free writes
 * his name, waits longer than any write may take, and has it if his name still stands. A rival who saw it free before has
 * written over it by then, or took so long that he gives up. The lease of a runner that died runs out.
 */
export class RunLease {
  readonly #parts: RunLeaseParts;
  /** Monotonic; until then the lease is this runner's. Ends before the document says so. */
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  /** Monotonic; this runner does not take the lease before. */
  #refrainsUntilMs = Number.NEGATIVE_INFINITY;
  /** By the store's clock: until when another runner has it. */
  #othersUntilMs: number | undefined;

  constructor(parts: RunLeaseParts) {
    this.#parts = { ...parts, leaseMs: Math.max(LEAST_LEASE_MS, parts.leaseMs) };
  }

  /** Until when another runner had it when it was last asked for, by the store's clock. */
  get othersUntilMs(): number | undefined {
    return this.#othersUntilMs;
  }

  /** Whether this runner has it right now. Asks nothing. */
  get isHeld(): boolean {
    return this.#remainingMs() > 0;
  }

  /**
   * Takes the lease, or renews it in time.
   *
   * @returns whether this runner has it.
   * @throws what the store throws.
   */
  async take(options: CallOptions): Promise<boolean> {
    return (await this.keep(options)) || (await this.#acquire(options));
  }

  /**
   * Renews the lease once a third of it has passed; never takes it back once it ran out.
   *
   * @returns whether this runner still has it.
   * @throws what the store throws.
   */
  async keep(options: CallOptions): Promise<boolean> {
    const { leaseMs } = this.#parts;
    if (this.#remainingMs() > (leaseMs * 2) / 3) {
      return true;
    }
    // A write that is begun too late might fall upon the name of the next holder.
    if (this.#remainingMs() <= STANDS_MS) {
      return false;
    }
    const endsMs = this.#heldUntilMs;
    const isOurs = (await this.#standing(options))?.holder === this.#parts.holder;
    const heldUntilMs = isOurs ? await this.#write(options) : Number.NEGATIVE_INFINITY;
    // A write that took longer than the lease lasted may have come after another runner's.
    const nowMs = this.#parts.clock.monotonicMs();
    this.#heldUntilMs = nowMs < endsMs ? heldUntilMs : Number.NEGATIVE_INFINITY;
    if (nowMs >= endsMs) {
      // And may have made that one's lease look free.
      this.#refrainsUntilMs = nowMs + leaseMs;
    }
    return this.isHeld;
  }

  /** Gives the lease up, so that the next runner need not wait for its end. @throws what the store throws. */
  async release(options: CallOptions): Promise<void> {
    const isSafe = this.#remainingMs() > STANDS_MS;
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    if (isSafe) {
      await this.#parts.store.removeObject(RUN_LEASE_KEY, options);
    }
  }

  async #acquire(options: CallOptions): Promise<boolean> {
    const { clock, holder, time } = this.#parts;
    const lookedMs = clock.monotonicMs();
    if (lookedMs < this.#refrainsUntilMs) {
      this.#othersUntilMs = (await time.nowMs(options)) + this.#refrainsUntilMs - lookedMs;
      return false;
    }
    // Our own name counts as another's: it may have fallen upon that of a runner that works.
    this.#othersUntilMs = (await this.#standing(options))?.untilMs;
    if (this.#othersUntilMs !== undefined) {
      return false;
    }
    const heldUntilMs = await this.#write(options);
    if (clock.monotonicMs() - lookedMs >= STANDS_MS) {
      return false;
    }
    await clock.sleep(STANDS_MS, options.signal);
    const standing = await this.#standing(options);
    if (standing?.holder !== holder) {
      this.#othersUntilMs = standing?.untilMs;
      return false;
    }
    this.#heldUntilMs = heldUntilMs;
    return this.isHeld;
  }

  /** Whose lease it is now; `undefined` when it is free. */
  async #standing(
    options: CallOptions,
  ): Promise<{ readonly holder: string; readonly untilMs: number } | undefined> {
    const { store, time } = this.#parts;
    const lease = parseRecord(leaseSchema, await store.getDocument(RUN_LEASE_KEY, options));
    const nowMs = await time.nowMs(options);
    const untilMs = lease === undefined ? 0 : Date.parse(lease.until);
    const isFree = lease === undefined || untilMs <= nowMs || untilMs > nowMs + MAX_LEASE_MS;
    return isFree ? undefined : { holder: lease.holder, untilMs };
  }

  /** @returns until when the lease lasts, monotonic: counted from before the write, so never too long. */
  async #write(options: CallOptions): Promise<number> {
    const { store, time, clock, holder, leaseMs } = this.#parts;
    const nowMs = await time.nowMs(options);
    const heldUntilMs = clock.monotonicMs() + leaseMs - STANDS_MS;
    const until = new Date(nowMs + leaseMs).toISOString();
    const text = jsonText({ schemaVersion: SCHEMA_VERSION, holder, until });
    await store.putDocument(RUN_LEASE_KEY, text, { kind: "always" }, options);
    return heldUntilMs;
  }

  #remainingMs(): number {
    return this.#heldUntilMs - this.#parts.clock.monotonicMs();
  }
}
