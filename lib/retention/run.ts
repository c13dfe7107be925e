import { compact } from "../domain/compact.ts";
import { ArchiverError, describeFailure, type Failure } from "../domain/errors.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { Platform } from "../ports/platform.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import { HoldsReader } from "../records/holds.ts";
import { RetentionRecords } from "../records/retention-records.ts";
import { MAX_CLOCK_SKEW_MS } from "../run/platform-list.ts";
import { type RunStart, type RunTimes, runTimes, startRun } from "../run/run-frame.ts";
import type { RetentionPolicy } from "./policy.ts";

/** Told while a run goes on. */
export type RetentionEvent =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "warning"; readonly code: string; readonly message: string };

/** Everything retention reaches the world through. */
export interface RetentionPorts {
  readonly store: ObjectStore & RetentionStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: (event: RetentionEvent) => void;
}

/** What expiry needs besides. */
export interface ExpiryPorts extends RetentionPorts {
  readonly platform: Platform;
}

export interface RetentionSettings {
  readonly scope: PlatformScope;
  readonly policy: RetentionPolicy;
  /** Exports removed by one run at most. */
  readonly maxRemovals: number;
  /** Between two tries of a platform list that was throttled. */
  readonly downloadIntervalMs: number;
}

export interface RetentionRunOptions {
  readonly signal: AbortSignal;
  /** The run ends on its own within this time; without it, when it is done. */
  readonly limitMs?: number | undefined;
}

export type RetentionStop = "done" | "time-budget" | "removal-limit" | "no-proof" | "system-failure";

/** What every report of retention begins with. */
export interface RunFrame extends RunTimes {
  readonly stopReason: RetentionStop;
  readonly failure?: Failure;
}

type Abilities = Pick<StoreAbilities, "createOnce" | "archiveId">;

/** When this many objects in a row fail, it is not the objects. */
const MAX_FAILURES_IN_A_ROW = 5;
/** Kept free at the end, so that what was begun is ended. */
const GRACE_MS = 20_000;
/** Reports name this many exports one by one; the counts go on. */
export const MAX_ENTRIES = 1_000;

/** One run of retention: its name, its time, its records, and what stops it. */
export class RetentionRun<Settings extends Pick<RetentionSettings, "scope"> = RetentionSettings> {
  readonly ports: RetentionPorts;
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly abilities: Abilities;
  readonly records: RetentionRecords;
  /** Remembers what it read: a removal asks for the holds between its list and its delete, which must stay close. */
  readonly holds: HoldsReader;
  readonly #start: RunStart;
  #failuresInARow = 0;
  #failure: Failure | undefined;

  /** Without abilities, a run that changes nothing: the store is not tried out, since that writes to it. */
  constructor(
    ports: RetentionPorts,
    settings: Settings,
    options: RetentionRunOptions,
    abilities: Abilities = { createOnce: false },
  ) {
    this.ports = ports;
    this.settings = settings;
    this.signal = options.signal;
    this.abilities = abilities;
    this.records = new RetentionRecords(ports.store, settings.scope, abilities);
    this.holds = new HoldsReader(ports.store);
    this.#start = startRun(ports, options.limitMs);
  }

  /** Finds out what the store can do. Throws what it throws. */
  static async begin(
    ports: RetentionPorts,
    settings: RetentionSettings,
    options: RetentionRunOptions,
  ): Promise<RetentionRun> {
    const abilities = await ports.store.preflight({ signal: options.signal });
    return new RetentionRun(ports, settings, options, abilities);
  }

  get runId(): string {
    return this.#start.runId;
  }

  /** Why the run cannot go on; `undefined` while it can. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** For how long objects may still be begun; `Infinity` without a limit. */
  msLeft(): number {
    return this.#start.limitAtMs - GRACE_MS - this.ports.clock.monotonicMs();
  }

  /** Whether another object may be begun. */
  canGoOn(): boolean {
    return this.#failure === undefined && this.msLeft() > 0;
  }

  /**
   * Does what is to be done about one object. A failure of the system ends the run, and so do several in a row.
   *
   * @returns the failure of this object, if any.
   * @throws what is not a failure of the world, and the signal's reason.
   */
  async attempt(work: () => Promise<void>): Promise<Failure | undefined> {
    try {
      await work();
      this.#failuresInARow = 0;
      return undefined;
    } catch (error) {
      const failure = this.#understand(error);
      this.#failuresInARow += 1;
      const isOfSystem = error instanceof ArchiverError && error.scope === "system";
      if (isOfSystem || this.#failuresInARow >= MAX_FAILURES_IN_A_ROW) {
        this.#failure = failure;
      }
      return failure;
    }
  }

  /** Notes a failure that ends the run whatever its scope: what it was about cannot be left out. */
  noteEnd(error: unknown): void {
    this.#failure ??= this.#understand(error);
  }

  #understand(error: unknown): Failure {
    this.signal.throwIfAborted();
    if (error instanceof ArchiverError) {
      return describeFailure(error);
    }
    throw error;
  }

  frame(stopReason: RetentionStop): RunFrame {
    return {
      ...runTimes(this.#start, this.ports.clock),
      stopReason: this.#failure === undefined ? stopReason : "system-failure",
      ...compact({ failure: this.#failure }),
    };
  }
}

/** Begins at a random place, so that runs that are always cut short come round to everything. */
export function rotated<T>(items: readonly T[], { random }: Pick<RetentionPorts, "random">): readonly T[] {
  const start = Math.floor(random.fraction() * items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}

/**
 * The earliest of all clocks: a clock that is ahead never brings a removal forward.
 * @param platformDateMs as a list begun now tells it.
 */
export async function earliestClockMs(
  ports: RetentionPorts,
  platformDateMs: number | undefined,
  signal: AbortSignal,
): Promise<number> {
  const clocks = [ports.clock.wallMs(), await ports.store.readClockMs({ signal }), platformDateMs];
  const known = clocks.filter((clockMs) => clockMs !== undefined);
  const earliestMs = Math.min(...known);
  if (Math.max(...known) - earliestMs > MAX_CLOCK_SKEW_MS) {
    ports.observe({
      kind: "warning",
      code: "clock-skew",
      message:
        "the clocks of this machine, the store and the platform differ by more than 5 minutes; retention goes by the earliest",
    });
  }
  return earliestMs;
}
