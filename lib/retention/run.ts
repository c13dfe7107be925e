import { ArchiverError, describeFailure, type Failure } from "../domain/errors.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { runIdOf } from "../domain/key-layout.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { Platform } from "../ports/platform.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import { HoldsReader } from "../records/holds.ts";
import { RetentionRecords } from "../records/retention-records.ts";
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
  /** The run ends on its own within so many milliseconds; without it, when it is done. */
  readonly limitMs?: number | undefined;
}

export type RetentionStop = "done" | "time-budget" | "removal-limit" | "no-proof" | "system-failure";

/** What every report of retention begins with. */
export interface RunFrame {
  readonly runId: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly stopReason: RetentionStop;
  readonly failure?: Failure;
}

/** So many objects in a row that fail are not an accident of single objects. */
const MAX_FAILURES_IN_A_ROW = 5;
/** Kept free at the end, so that what was begun is ended. */
const GRACE_MS = 20_000;
/** Reports name so many exports one by one; the counts go on. */
export const MAX_ENTRIES = 1_000;

/** One run of retention: its name, its time, its records, and what stops it. */
export class RetentionRun<Settings extends Pick<RetentionSettings, "scope"> = RetentionSettings> {
  readonly ports: RetentionPorts;
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly runId: string;
  readonly abilities: Pick<StoreAbilities, "createOnce" | "archiveId">;
  readonly records: RetentionRecords;
  /** Remembers what it read: a removal asks for the holds between its list and its delete, which must stay close. */
  readonly holds: HoldsReader;
  readonly #startedAtMs: number;
  readonly #endsAtMs: number;
  #failuresInARow = 0;
  #failure: Failure | undefined;

  private constructor(
    ports: RetentionPorts,
    settings: Settings,
    options: RetentionRunOptions,
    abilities: Pick<StoreAbilities, "createOnce" | "archiveId">,
  ) {
    this.ports = ports;
    this.settings = settings;
    this.signal = options.signal;
    this.abilities = abilities;
    this.#startedAtMs = ports.clock.wallMs();
    this.runId = runIdOf(this.#startedAtMs, ports.random.hex(4));
    this.#endsAtMs = ports.clock.monotonicMs() + (options.limitMs ?? Number.POSITIVE_INFINITY);
    this.records = new RetentionRecords(ports.store, settings.scope, abilities);
    this.holds = new HoldsReader(ports.store);
  }

  /** Finds out what the store can do. Throws what it throws. */
  static async begin<Settings extends Pick<RetentionSettings, "scope">>(
    ports: RetentionPorts,
    settings: Settings,
    options: RetentionRunOptions,
  ): Promise<RetentionRun<Settings>> {
    const abilities = await ports.store.preflight({ signal: options.signal });
    return new RetentionRun(ports, settings, options, abilities);
  }

  /** For runs that change nothing: the store is not tried out, since that writes to it. */
  static reading<Settings extends Pick<RetentionSettings, "scope">>(
    ports: RetentionPorts,
    settings: Settings,
    options: RetentionRunOptions,
  ): RetentionRun<Settings> {
    return new RetentionRun(ports, settings, options, { createOnce: false });
  }

  /** Whether another object may be begun. */
  hasTime(): boolean {
    return this.msLeft() > 0;
  }

  /** For how long objects may still be begun; `Infinity` without a limit. */
  msLeft(): number {
    return this.#endsAtMs - GRACE_MS - this.ports.clock.monotonicMs();
  }

  /** Why the run cannot go on; `undefined` while it can. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  noteSuccess(): void {
    this.#failuresInARow = 0;
  }

  /**
   * Notes the failure of one object. One of the system's ends the run, and so do several in a row.
   * Rethrows what is not a failure of the world, and the signal's reason.
   */
  noteFailure(error: unknown): Failure {
    this.signal.throwIfAborted();
    if (!(error instanceof ArchiverError)) {
      throw error;
    }
    const failure = describeFailure(error);
    this.#failuresInARow += 1;
    if (error.scope === "system" || this.#failuresInARow >= MAX_FAILURES_IN_A_ROW) {
      this.#failure = failure;
    }
    return failure;
  }

  /** Notes a failure that ends the run whatever its scope: what it was about cannot be left out. */
  noteEnd(error: unknown): void {
    const failure = this.noteFailure(error);
    this.#failure ??= failure;
  }

  frame(stopReason: RetentionStop): RunFrame {
    const { runId } = this;
    return {
      runId,
      startedAt: new Date(this.#startedAtMs).toISOString(),
      endedAt: new Date(this.ports.clock.wallMs()).toISOString(),
      stopReason: this.#failure === undefined ? stopReason : "system-failure",
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
  }
}

/** Steps of the golden ratio spread evenly over a circle, however many are made. */
const DAILY_STEP = (Math.sqrt(5) - 1) / 2;

/**
 * Begins at another place each day, so that a run that is always cut short comes round to everything: one that
 * gets through a share `s` of the items does within `2 / s + 1` days, however many items there are.
 */
export function rotatedByDay<T>(items: readonly T[], nowMs: number): readonly T[] {
  const day = Math.floor(nowMs / 86_400_000);
  const start = Math.floor(((day * DAILY_STEP) % 1) * items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}
