import { ArchiverError } from "../domain/errors.ts";
import { untilAborted } from "../domain/promises.ts";
import type { CallOptions, Throttle } from "../ports/platform.ts";
import { SharedPace, type SharedPaceOptions } from "./shared-pace.ts";

/** Throttling answers in a row double the wait up to this. */
const MAX_PENALTY_MS = 5 * 60_000;
/** A slot is handed out this long before it begins, at most a quarter of the interval: a connection can stand in time. */
const CONNECT_AHEAD_MS = 2_000;
/** A claim leaves at most this much room for a late request, or four intervals where those are longer. */
const MAX_ROOM_MS = 10_000;

/** The right of one process to begin one download. */
export interface Slot {
  /** When the slot begins, on the store's clock in epoch milliseconds. */
  readonly startsAtMs: number;
  /**
   * Waits until the slot begins and resolves when the request may be written, at once. A slot that is late by
   * more than interval/62 is extended first.
   * @throws SlotLost when another runner has claimed the time behind a late slot, or the platform throttled this
   *   process meanwhile: nothing may be written. Throws what the store throws, too.
   */
  ready(call: CallOptions): Promise<void>;
  /**
   * Takes another slot in the place of this one, which was lost, before any other task of this process; as
   * {@link Pacer.take} does. This slot needs no release then.
   */
  take: Pacer["take"];
  /** Lets this process claim its next slot; safe more than once. A slot that is {@link ready} needs no release. */
  release(): void;
}

/** The request may not be written any more: a new slot has to be taken. */
export class SlotLost extends ArchiverError {
  constructor() {
    super("slot-lost", "another download has the time of this slot", {
      scope: "task",
      retry: "now",
      hint: "The archiver takes a new slot.",
    });
  }
}

/** A stretch of time in which one request may be written. */
interface Claim {
  readonly startsAtMs: number;
  /** The last moment at which the request keeps the promised distance to the next claim. */
  readonly latestMs: number;
  /** Of the state that holds this claim. */
  readonly nonce: string;
}

export type PacerOptions = SharedPaceOptions;

export interface TakeOptions {
  /** Told when there is a wait, and until when. */
  readonly onWaiting?: (startsAtMs: number) => void;
}

/**
 * Hands out download slots, spaced over all runners that share the store. A slot is claimed ahead of time
 * by moving `nextAt` on with compare-and-swap, then waited for: the wait needs no further call, so a slow
 * store delays no start. A process has one claim outstanding at most.
 *
 * Two claims lie an interval apart, and a request is written at most interval/62 after its claim's end. So no two
 * requests are closer than 30/31 of the interval, however slow connections and the store are.
 */
export class Pacer {
  readonly #pace: SharedPace;
  readonly #options: PacerOptions;
  #throttledInARow = 0;
  /** Slots of this process that begin before this moment are dropped: the platform said so. */
  #notBeforeMs = 0;
  /** Settles when every claim of this process has been used or given up. */
  #lastTurn: Promise<unknown> = Promise.resolve();
  /** How late a request may be without being extended: grows where slots were lost, and shrinks again. */
  #roomMs = 0;

  private constructor(options: PacerOptions, pace: SharedPace) {
    this.#options = options;
    this.#pace = pace;
  }

  /** Reads the store's clock and writes the state once, which proves that it can be written. */
  static async open(options: PacerOptions, call: CallOptions): Promise<Pacer> {
    return new Pacer(options, await SharedPace.open(options, call));
  }

  /** The store's time now: its clock as read once, plus monotonic elapsed time. */
  nowMs(): number {
    return this.#pace.nowMs();
  }

  /**
   * Claims the next slot, once this process's claim before it is used or given up, and returns shortly before the
   * slot begins. `none`, at once, when it lies beyond the deadline.
   * @param deadlineMs on the same clock as {@link nowMs}; `Infinity` for a run without limit.
   */
  async take(deadlineMs: number, call: CallOptions, options: TakeOptions = {}): Promise<Slot | "none"> {
    const { promise: settled, resolve: release } = Promise.withResolvers<void>();
    const inFront = this.#lastTurn;
    this.#lastTurn = Promise.all([inFront, settled]);
    return await this.#takeAfter(inFront, release, deadlineMs, call, options);
  }

  async #takeAfter(
    inFront: Promise<unknown>,
    release: () => void,
    deadlineMs: number,
    call: CallOptions,
    { onWaiting }: TakeOptions = {},
  ): Promise<Slot | "none"> {
    try {
      await untilAborted(inFront, call.signal);
      const claim = await this.#claimUnpenalized(deadlineMs, call, onWaiting);
      if (claim === "none") {
        release();
        return "none";
      }
      return {
        startsAtMs: claim.startsAtMs,
        ready: async (options) => {
          await this.#untilReady(claim, options);
          release();
        },
        take: (...again) => this.#takeAfter(inFront, release, ...again),
        release,
      };
    } catch (error) {
      release();
      throw error;
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
    let nextAtMs = 0;
    await this.#pace.swap((state) => {
      const nowMs = this.nowMs();
      // Penalties of many runners add up, and a state too far ahead would be taken for a corrupt one and pulled
      // back over slots already granted: half the believable distance leaves room for the claims behind them.
      const farthestMs = Math.max(state.nextAtMs, nowMs + this.#pace.farthestMs() / 2);
      nextAtMs = Math.min(farthestMs, Math.max(state.nextAtMs, nowMs) + penaltyMs);
      return { kind: "write", nextAtMs };
    }, call);
    return Math.max(0, nextAtMs - this.nowMs());
  }

  /** A download was let through: the next throttling answer starts from the base again. */
  noteServed(): void {
    this.#throttledInARow = 0;
  }

  /** A throttling answer to this process's other download, while this one waited or its connection was made. */
  #isPenalized(startsAtMs: number): boolean {
    return startsAtMs < this.#notBeforeMs;
  }

  /** A claim whose wait for its connection is over, and that no penalty took away meanwhile. */
  async #claimUnpenalized(
    deadlineMs: number,
    call: CallOptions,
    onWaiting: TakeOptions["onWaiting"],
  ): Promise<Claim | "none"> {
    const aheadMs = Math.min(CONNECT_AHEAD_MS, this.#options.intervalMs / 4);
    for (;;) {
      const claim = await this.#claim(deadlineMs, call);
      if (claim === "none") {
        return "none";
      }
      const waitMs = claim.startsAtMs - this.nowMs();
      if (waitMs > 0) {
        onWaiting?.(claim.startsAtMs);
      }
      if (waitMs > aheadMs) {
        await this.#options.clock.sleep(waitMs - aheadMs, call.signal);
      }
      if (!this.#isPenalized(claim.startsAtMs)) {
        return claim;
      }
    }
  }

  async #claim(deadlineMs: number, call: CallOptions): Promise<Claim | "none"> {
    const roomMs = this.#roomMs;
    let startsAtMs = 0;
    const nonce = await this.#pace.swap((state) => {
      startsAtMs = Math.max(state.nextAtMs, this.nowMs());
      return startsAtMs > deadlineMs
        ? { kind: "leave" }
        : { kind: "write", nextAtMs: startsAtMs + roomMs + this.#options.intervalMs };
    }, call);
    return nonce === "none" ? "none" : this.#claimed(startsAtMs, roomMs, nonce);
  }

  #claimed(startsAtMs: number, roomMs: number, nonce: string): Claim {
    return { startsAtMs, latestMs: startsAtMs + roomMs + this.#options.intervalMs / 62, nonce };
  }

  /** Waits for the claim's begin and extends it while it is late. @throws SlotLost */
  async #untilReady(first: Claim, call: CallOptions): Promise<void> {
    const waitMs = first.startsAtMs - this.nowMs();
    if (waitMs > 0) {
      await this.#options.clock.sleep(waitMs, call.signal);
    }
    let claim = first;
    // Each extension leaves more room than the swap before it took, so a store of any slowness ends the loop.
    for (let leadMs = this.#pace.lastSwapMs; this.nowMs() > claim.latestMs; ) {
      leadMs = Math.min(this.#maxRoomMs(), 2 * Math.max(leadMs, this.#pace.lastSwapMs));
      claim = await this.#extend(claim, leadMs, call);
    }
    if (this.#isPenalized(claim.startsAtMs)) {
      throw new SlotLost();
    }
    const lateMs = this.nowMs() - first.startsAtMs;
    const usedRoomMs = lateMs > this.#options.intervalMs / 62 && claim === first ? 1.5 * lateMs : 0;
    this.#roomMs = Math.min(this.#maxRoomMs(), Math.max(usedRoomMs, this.#roomMs / 2));
  }

  /**
   * Moves a late claim to the present, with room for the answer of the swap itself.
   * @throws SlotLost when the state is not ours any more: somebody claimed the time behind it.
   */
  async #extend(claim: Claim, leadMs: number, call: CallOptions): Promise<Claim> {
    let startsAtMs = 0;
    const nonce = await this.#pace.swap((state) => {
      startsAtMs = this.nowMs();
      const nextAtMs = startsAtMs + leadMs + this.#options.intervalMs;
      return state.nonce === claim.nonce ? { kind: "write", nextAtMs } : { kind: "leave" };
    }, call);
    if (nonce === "none") {
      // Runners that are all late would take each other's slots for ever: the next claim leaves room for this.
      const lateMs = this.nowMs() - claim.startsAtMs;
      this.#roomMs = Math.min(this.#maxRoomMs(), Math.max(2 * lateMs, this.#roomMs));
      throw new SlotLost();
    }
    return this.#claimed(startsAtMs, leadMs, nonce);
  }

  #maxRoomMs(): number {
    return Math.max(MAX_ROOM_MS, 4 * this.#options.intervalMs);
  }
}
