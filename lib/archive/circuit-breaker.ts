import type { ArchiverError } from "../domain/errors.ts";

/** This many different tasks that fail alike, with nothing that worked, accuse the system. */
const ALIKE_FAILURES_FOR_VERDICT = 3;
/** Permission and space are suspicious enough at the second. */
const SYSTEM_SCOPE_FAILURES_FOR_VERDICT = 2;

/** A success longer ago says nothing about the system as it is now: runs on a machine of one's own may last for days. */
const SUCCESS_COUNTS_FOR_MS = 15 * 60_000;

/** A failure whose meaning is still open, with whatever its owner keeps beside it. */
export interface PendingFailure<Item> {
  readonly exportTaskId: string;
  readonly error: ArchiverError;
  /** The task's `archived` record stands: what failed came after it. */
  readonly isArchived: boolean;
  readonly item: Item;
}

type FailureClass =
  /** The task is ill: its attempt counts. */
  | "attempt"
  /** Could be either: kept until something works or fails alike. */
  | "held"
  /** The system behind the tasks is at fault: nothing counts, the run stops. */
  | "system"
  /** A part of it is, such as a permission to delete: these do not count, and what still works goes on. */
  | "system-in-part";

/**
 * Tells ill tasks from an ill system (architecture §4, Failures; I5). Until another task has succeeded, a failure is held
 * rather than counted: an outage must not use up anybody's attempts. What only a system can cause never counts
 * once a second task has met it, whatever else worked; and where it kept no task from being archived, such as a
 * forbidden delete, it does not keep the run from archiving others.
 */
export class CircuitBreaker<Item> {
  #held: PendingFailure<Item>[] = [];
  readonly #worked = new Set<string>();
  #workedAtMs = Number.NEGATIVE_INFINITY;
  /** The tasks that failed with each code since something worked last. */
  readonly #failedByCode = new Map<string, Set<string>>();
  /** The newest failure that only a system can cause, of each task that met one. */
  readonly #systemScoped = new Map<string, ArchiverError>();

  noteSuccess(exportTaskId: string, nowMs: number): void {
    this.#worked.add(exportTaskId);
    this.#workedAtMs = nowMs;
    this.#failedByCode.clear();
  }

  /** Judges a failure; unless it is an `attempt`, it is kept for {@link takePending}. */
  judge(failure: PendingFailure<Item>, nowMs: number): FailureClass {
    if (nowMs - this.#workedAtMs > SUCCESS_COUNTS_FOR_MS) {
      this.#worked.clear();
    }
    if (this.#isCleared(failure)) {
      return "attempt";
    }
    this.#held.push(failure);
    const { exportTaskId, error } = failure;
    if (error.scope !== "system") {
      return this.#countAlike(failure) >= ALIKE_FAILURES_FOR_VERDICT ? "system" : "held";
    }
    this.#systemScoped.set(exportTaskId, error);
    if (!this.#isSystemAccused) {
      return "held";
    }
    return failure.isArchived || this.#worked.size > 0 ? "system-in-part" : "system";
  }

  /** The failure that stands for the system's, should the run end now; `undefined` when it is not suspected. */
  get systemSuspect(): ArchiverError | undefined {
    const [first] = this.#systemScoped.values();
    return this.#isSystemAccused
      ? first
      : this.#held.find(
          ({ error, exportTaskId }) => error.scope === "system" && !this.#othersWorked(exportTaskId),
        )?.error;
  }

  /** Hands over those held failures that count as attempts by now, because another task has succeeded. */
  takeCleared(): readonly PendingFailure<Item>[] {
    const cleared = this.#held.filter((failure) => this.#isCleared(failure));
    this.#held = this.#held.filter((failure) => !cleared.includes(failure));
    return cleared;
  }

  /** Hands over everything held and forgets it. */
  takePending(): readonly PendingFailure<Item>[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  #isCleared({ exportTaskId, error }: PendingFailure<Item>): boolean {
    return error.scope !== "system" && this.#othersWorked(exportTaskId);
  }

  get #isSystemAccused(): boolean {
    return this.#systemScoped.size >= SYSTEM_SCOPE_FAILURES_FOR_VERDICT;
  }

  /** A task that was archived says nothing about its own delete. */
  #othersWorked(exportTaskId: string): boolean {
    return this.#worked.size > (this.#worked.has(exportTaskId) ? 1 : 0);
  }

  /** How many different tasks have failed like this one, itself included. */
  #countAlike({ exportTaskId, error }: PendingFailure<Item>): number {
    const failed = this.#failedByCode.get(error.code) ?? new Set();
    this.#failedByCode.set(error.code, failed.add(exportTaskId));
    return failed.size;
  }
}
