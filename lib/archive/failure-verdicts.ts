import type { ArchiverError } from "../domain/errors.ts";

/** So many different tasks failing alike, with nothing that worked, accuse the system. */
const ALIKE_FAILURES_FOR_VERDICT = 3;
/** Permission and space are suspicious enough at the second. */
const SYSTEM_SCOPE_FAILURES_FOR_VERDICT = 2;

/** A failure whose meaning is still open, with whatever its owner keeps beside it. */
export interface HeldFailure<Item> {
  readonly exportTaskId: string;
  readonly error: ArchiverError;
  readonly item: Item;
}

export type FailureVerdict =
  /** The task is ill: its attempt counts. */
  | "attempt"
  /** Could be either: kept until something works or fails alike. */
  | "held"
  /** The system behind the tasks is at fault: nothing counts, the run stops. */
  | "system";

/**
 * Tells ill tasks from an ill system (design §4, Failures; I5). Until a task has succeeded in this run, a
 * failure is held rather than counted: an outage must not use up anybody's attempts.
 */
export class FailureVerdicts<Item> {
  #held: HeldFailure<Item>[] = [];
  #somethingWorked = false;

  noteSuccess(): void {
    this.#somethingWorked = true;
  }

  /** Judges a failure; one that is `held` or `system` is kept for {@link takeHeld}. */
  judge(failure: HeldFailure<Item>): FailureVerdict {
    if (this.#somethingWorked) {
      return "attempt";
    }
    this.#held.push(failure);
    return this.#accusesSystem(failure.error) ? "system" : "held";
  }

  /** Whether the held failures now count as attempts, because something worked. */
  get isSystemCleared(): boolean {
    return this.#somethingWorked;
  }

  /** A held failure that only a system can cause; at the end of a run without success it is the verdict. */
  get systemSuspect(): ArchiverError | undefined {
    return this.#somethingWorked
      ? undefined
      : this.#held.find(({ error }) => error.scope === "system")?.error;
  }

  /** Hands over everything held and forgets it. */
  takeHeld(): readonly HeldFailure<Item>[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  #accusesSystem(error: ArchiverError): boolean {
    const isAlike =
      error.scope === "system"
        ? (other: ArchiverError) => other.scope === "system"
        : (other: ArchiverError) => other.code === error.code;
    const tasks = new Set(this.#held.filter((held) => isAlike(held.error)).map((held) => held.exportTaskId));
    return (
      tasks.size >=
      (error.scope === "system" ? SYSTEM_SCOPE_FAILURES_FOR_VERDICT : ALIKE_FAILURES_FOR_VERDICT)
    );
  }
}
