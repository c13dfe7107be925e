import * as v from "valibot";
import { ArchiverError } from "../domain/errors.ts";
import { PACING_STATE_KEY } from "../domain/key-layout.ts";
import { untilAborted } from "../domain/promises.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { ObjectStore, StoreAbilities, StoredDocument } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { parseRecord } from "../records/schemas.ts";

const FARTHEST_NEXT_AT_MS = 10 * 60_000;
const FARTHEST_NEXT_AT_INTERVALS = 40;
const MAX_SWAP_TRIES = 50;
const SWAP_BACKOFF_MS = 20;

const pacingStateSchema = v.object({
  /** The first moment, on the store's clock, that no runner has claimed yet. Epoch milliseconds. */
  nextAt: v.pipe(v.number(), v.finite(), v.minValue(0)),
  nonce: v.string(),
  runId: v.string(),
});

/** The document in `state/pacing.json`, shared by all runners (architecture §5). */
export type PacingState = v.InferOutput<typeof pacingStateSchema>;

/** Reads the state. `undefined`: it cannot be read, or lies so far ahead that no throttling explains it. */
export function parsePacingState(
  document: Pick<StoredDocument, "text">,
  latestBelievableMs: number,
): PacingState | undefined {
  const state = parseRecord(pacingStateSchema, document);
  return state !== undefined && state.nextAt <= latestBelievableMs ? state : undefined;
}

/** The shared state as it was read: where the next claim may begin, and who wrote it. */
export interface SeenState {
  readonly nextAtMs: number;
  /** `undefined` when there is no readable state. */
  readonly nonce: string | undefined;
}

/** What to make of the state just read: the next `nextAt`, or leave it. */
export type StateChange = (state: SeenState) => { kind: "write"; nextAtMs: number } | { kind: "leave" };

export interface SharedPaceOptions {
  readonly store: ObjectStore;
  readonly abilities: StoreAbilities;
  readonly clock: Clock;
  readonly random: Random;
  readonly runId: string;
  readonly intervalMs: number;
  /** Told when the shared state was unreadable or implausible and has been set again. */
  readonly onCorruptState: () => void;
}

/** The document `state/pacing.json` as one process changes it, by compare-and-swap where the store has it. */
export class SharedPace {
  readonly #options: SharedPaceOptions;
  readonly #storeOffsetMs: number;
  /** Where this process may claim next, whatever the shared state says: it may be deleted, or not shared at all. */
  #ownNextAtMs = 0;
  /** The last swap of this process: a claim and a penalty take turns. */
  #lastSwap: Promise<unknown> = Promise.resolve();
  #lastSwapMs = 0;

  private constructor(options: SharedPaceOptions, storeOffsetMs: number) {
    this.#options = options;
    this.#storeOffsetMs = storeOffsetMs;
  }

  /** Reads the store's clock and writes the state once, which proves that it can be written. */
  static async open(options: SharedPaceOptions, call: CallOptions): Promise<SharedPace> {
    const storeMs = await options.store.readClockMs(call);
    const pace = new SharedPace(options, storeMs - options.clock.monotonicMs());
    await pace.swap((state) => ({ kind: "write", nextAtMs: state.nextAtMs }), call);
    return pace;
  }

  /** The store's time now: its clock as read once, plus monotonic elapsed time. */
  nowMs(): number {
    return this.#storeOffsetMs + this.#options.clock.monotonicMs();
  }

  /** How long the last swap took from its decision to its answer. */
  get lastSwapMs(): number {
    return this.#lastSwapMs;
  }

  /**
   * Changes the shared state, one swap of this pacer after the other.
   * @returns the nonce written, or `none` when `change` left the state.
   */
  swap(change: StateChange, call: CallOptions): Promise<string | "none"> {
    const previous = this.#lastSwap;
    const swap = untilAborted(previous, call.signal).then(() => this.#swapAlone(change, call));
    // A swap that is aborted while it waits ends before the one it waited for.
    this.#lastSwap = Promise.allSettled([previous, swap]);
    return swap;
  }

  /** One compare-and-swap, tried again while others win. */
  async #swapAlone(change: StateChange, call: CallOptions): Promise<string | "none"> {
    call.signal.throwIfAborted();
    const { store, clock, random, runId } = this.#options;
    for (let attempt = 1; attempt <= MAX_SWAP_TRIES; attempt += 1) {
      const found = await store.getDocument(PACING_STATE_KEY, call);
      const seen = this.#seen(found);
      const decidedAtMs = this.nowMs();
      const decision = change({ ...seen, nextAtMs: Math.max(seen.nextAtMs, this.#ownNextAtMs) });
      if (decision.kind === "leave") {
        return "none";
      }
      const state: PacingState = { nextAt: decision.nextAtMs, nonce: random.hex(8), runId };
      if (await this.#write(state, found, call)) {
        this.#lastSwapMs = this.nowMs() - decidedAtMs;
        this.#ownNextAtMs = decision.nextAtMs;
        return state.nonce;
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

  /** How far ahead `nextAt` may lie before it counts as corrupt, in milliseconds. */
  farthestMs(): number {
    return Math.max(FARTHEST_NEXT_AT_MS, FARTHEST_NEXT_AT_INTERVALS * this.#options.intervalMs);
  }

  #seen(found: StoredDocument | undefined): SeenState {
    const nowMs = this.nowMs();
    if (found === undefined) {
      return { nextAtMs: nowMs, nonce: undefined };
    }
    const { intervalMs, onCorruptState } = this.#options;
    const state = parsePacingState(found, nowMs + this.farthestMs());
    if (state === undefined) {
      onCorruptState();
      return { nextAtMs: nowMs + intervalMs, nonce: undefined };
    }
    return { nextAtMs: state.nextAt, nonce: state.nonce };
  }
}
