import { ArchiverError } from "../domain/errors.ts";
import { PACING_STATE_KEY } from "../domain/key-layout.ts";
import { untilAborted } from "../domain/until-aborted.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { ObjectStore, StoreAbilities, StoredDocument } from "../ports/object-store.ts";
import type { CallOptions, Throttle } from "../ports/platform.ts";
import { type PacingState, parsePacingState } from "./state.ts";

/** Throttling answers in a row double the wait up to this. */
const MAX_PENALTY_MS = 5 * 60_000;
const FARTHEST_NEXT_AT_MS = 10 * 60_000;
const FARTHEST_NEXT_AT_INTERVALS = 40;
const MAX_SWAP_TRIES = 50;
const SWAP_BACKOFF_MS = 20;
/** Timers and clock readings disagree by this much; far below what the spacing leaves over. */
const TIMER_SLACK_MS = 2;

/** The right to begin one download. */
export interface Slot {
  /** On the store's clock. */
  readonly startsAtMs: number;
  /**
   * Whether a request written now is in the slot and still keeps the promised spacing. Two grants lie an
   * interval apart; with each request at most interval/62 late, no two requests are closer than 30/31 of it
   * (design I4).
   */
  isFresh(): boolean;
}

/** What to make of the state just read: the next `nextAt`, or leave it. */
type StateChange = (state: { nextAtMs: number }) => { kind: "write"; nextAtMs: number } | { kind: "leave" };

export interface TakeOptions {
  /** How long it takes from asking for a file to writing the request: the connection is made ahead of the slot. */
  readonly leadMs?: number;
  /** Told when there is a wait. */
  readonly onWaiting?: (startsAtMs: number) => void;
}

export interface PacerOptions {
  readonly store: ObjectStore;
  readonly abilities: StoreAbilities;
  readonly clock: Clock;
  readonly random: Random;
  readonly runId: string;
  readonly intervalMs: number;
  /** Told when the shared state was unreadable or implausible and has been set anew. */
  readonly onCorruptState: () => void;
}

/**
 * Hands out download slots, spaced over all runners that share the store. A slot is claimed ahead of time
 * by moving `nextAt` on with compare-and-swap, then waited for: the wait needs no further call, so a slow
 * store delays nobody's start.
 */
export class Pacer {
  readonly #options: PacerOptions;
  readonly #storeOffsetMs: number;
  #throttledInARow = 0;
  /** Slots of this process that begin before this moment are dropped: the platform said so. */
  #notBeforeMs = 0;
  /** Where this process may claim next, whatever the shared state says: it may be deleted, or not shared at all. */
  #ownNextAtMs = 0;
  /** The last swap of this process; its two downloads take turns. */
  #lastSwap: Promise<unknown> = Promise.resolve();

  private constructor(options: PacerOptions, storeOffsetMs: number) {
    this.#options = options;
    this.#storeOffsetMs = storeOffsetMs;
  }

  /** Reads the store's clock and writes the state once, which proves that it can be written. */
  static async open(options: PacerOptions, call: CallOptions): Promise<Pacer> {
    const storeMs = await options.store.readClockMs(call);
    const pacer = new Pacer(options, storeMs - options.clock.monotonicMs());
    await pacer.#swap((state) => ({ kind: "write", nextAtMs: state.nextAtMs }), call);
    return pacer;
  }

  /** The store's time now: its clock as read once, plus monotonic elapsed time. */
  nowMs(): number {
    return this.#storeOffsetMs + this.#options.clock.monotonicMs();
  }

  /**
   * Claims the next slot and returns when it begins, or `leadMs` earlier. `none`, at once, when it lies beyond
   * the deadline.
   * @param deadlineMs on the same clock as {@link nowMs}; `Infinity` for a run without limit.
   */
  async take(
    deadlineMs: number,
    call: CallOptions,
    { leadMs = 0, onWaiting }: TakeOptions = {},
  ): Promise<Slot | "none"> {
    for (;;) {
      const startsAtMs = await this.#claim(deadlineMs, call);
      if (startsAtMs === "none") {
        return "none";
      }
      const waitMs = startsAtMs - leadMs - this.nowMs();
      if (waitMs > 0) {
        onWaiting?.(startsAtMs);
        await this.#options.clock.sleep(waitMs, call.signal);
      }
      if (!this.#isPenalized(startsAtMs)) {
        return { startsAtMs, isFresh: () => this.#isFresh(startsAtMs) };
      }
    }
  }

  /**
   * Moves everybody's next slot out after a throttling answer: by the interval times what the answer says,
   * or its `Retry-After`, doubled for each one in a row, at most 5 minutes.
   * @returns how long the throttled task should stay away, in milliseconds.
   */
  async penalize(throttle: Throttle, call: CallOptions): Promise<number> {
    const baseMs = Math.max(throttle.retryAfterMs ?? 0, throttle.intervals * this.#options.intervalMs);
    const penaltyMs = Math.min(MAX_PENALTY_MS, baseMs * 2 ** Math.min(this.#throttledInARow, 10));
    this.#throttledInARow += 1;
    // The other download's slot is one interval after the refused one: good enough for a penalty of one.
    const keepFromMs = this.nowMs() + penaltyMs - this.#options.intervalMs / 2;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, keepFromMs);
    const nextAtMs = await this.#swap((state) => {
      const nowMs = this.nowMs();
      // Penalties of many runners add up, and a state too far ahead would be taken for a corrupt one and pulled
      // back over slots already granted: half the believable distance leaves room for the claims behind them.
      const farthestMs = Math.max(state.nextAtMs, nowMs + this.#farthestMs() / 2);
      return {
        kind: "write",
        nextAtMs: Math.min(farthestMs, Math.max(state.nextAtMs, nowMs) + penaltyMs),
      };
    }, call);
    return nextAtMs === "none" ? penaltyMs : Math.max(0, nextAtMs - this.nowMs());
  }

  /** A download was let through: the next throttling answer starts from the base again. */
  noteServed(): void {
    this.#throttledInARow = 0;
  }

  /** A throttling answer to this process's other download, while this one waited or its connection was made. */
  #isPenalized(startsAtMs: number): boolean {
    return startsAtMs < this.#notBeforeMs;
  }

  #isFresh(startsAtMs: number): boolean {
    const lateMs = this.nowMs() - startsAtMs;
    const isInTime = lateMs >= -TIMER_SLACK_MS && lateMs <= this.#options.intervalMs / 62;
    return isInTime && !this.#isPenalized(startsAtMs);
  }

  async #claim(deadlineMs: number, call: CallOptions): Promise<number | "none"> {
    const { intervalMs } = this.#options;
    const nextAtMs = await this.#swap((state) => {
      const startsAtMs = Math.max(state.nextAtMs, this.nowMs());
      return startsAtMs > deadlineMs
        ? { kind: "leave" }
        : { kind: "write", nextAtMs: startsAtMs + intervalMs };
    }, call);
    return nextAtMs === "none" ? "none" : nextAtMs - intervalMs;
  }

  /**
   * Changes the shared state, one swap of this pacer after the other.
   * @returns the `nextAt` written, or `none` when `change` left it.
   */
  #swap(change: StateChange, call: CallOptions): Promise<number | "none"> {
    const previous = this.#lastSwap;
    const swap = untilAborted(previous, call.signal).then(() => this.#swapAlone(change, call));
    // A swap that is aborted while it waits ends before the one it waited for.
    this.#lastSwap = Promise.allSettled([previous, swap]);
    return swap;
  }

  /** One compare-and-swap, tried again while others win. */
  async #swapAlone(change: StateChange, call: CallOptions): Promise<number | "none"> {
    call.signal.throwIfAborted();
    const { store, clock, random, runId } = this.#options;
    for (let attempt = 1; attempt <= MAX_SWAP_TRIES; attempt += 1) {
      const found = await store.getDocument(PACING_STATE_KEY, call);
      const decision = change({ nextAtMs: Math.max(this.#nextAtOf(found), this.#ownNextAtMs) });
      if (decision.kind === "leave") {
        return "none";
      }
      const state: PacingState = { nextAt: decision.nextAtMs, nonce: random.hex(8), runId };
      if (await this.#write(state, found, call)) {
        this.#ownNextAtMs = decision.nextAtMs;
        return decision.nextAtMs;
      }
      await clock.sleep(SWAP_BACKOFF_MS * random.fraction() * Math.min(attempt, 10), call.signal);
    }
    throw new ArchiverError(
      "pacing-contended",
      `the pacing state changed ${MAX_SWAP_TRIES} times under our hands`,
      {
        scope: "system",
        retry: "later",
        hint: "Too many runners share this store's state/pacing.json; run fewer at a time.",
      },
    );
  }

  async #write(state: PacingState, found: StoredDocument | undefined, call: CallOptions): Promise<boolean> {
    const { store, abilities } = this.#options;
    const text = JSON.stringify(state);
    if (!abilities.compareAndSwap) {
      await store.putDocument(PACING_STATE_KEY, text, { kind: "always" }, call);
      return true;
    }
    const condition =
      found === undefined
        ? ({ kind: "if-absent" } as const)
        : ({ kind: "if-match", etag: found.etag } as const);
    try {
      if ((await store.putDocument(PACING_STATE_KEY, text, condition, call)) !== "conflict") {
        return true;
      }
      return await this.#isOurs(state, call);
    } catch (error) {
      call.signal.throwIfAborted();
      if (await this.#isOurs(state, call)) {
        return true;
      }
      throw error;
    }
  }

  async #isOurs(state: PacingState, call: CallOptions): Promise<boolean> {
    const now = await this.#options.store.getDocument(PACING_STATE_KEY, call);
    return now !== undefined && parsePacingState(now, Number.POSITIVE_INFINITY)?.nonce === state.nonce;
  }

  /** How far ahead `nextAt` may lie before nobody believes it. */
  #farthestMs(): number {
    return Math.max(FARTHEST_NEXT_AT_MS, FARTHEST_NEXT_AT_INTERVALS * this.#options.intervalMs);
  }

  #nextAtOf(found: StoredDocument | undefined): number {
    const nowMs = this.nowMs();
    if (found === undefined) {
      return nowMs;
    }
    const { intervalMs, onCorruptState } = this.#options;
    const state = parsePacingState(found, nowMs + this.#farthestMs());
    if (state === undefined) {
      onCorruptState();
      return nowMs + intervalMs;
    }
    return state.nextAt;
  }
}
