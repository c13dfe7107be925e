import { compact } from "../domain/compact.ts";
import type { ArchiverError } from "../domain/errors.ts";
import type { DeadLetterReason, TaskMessage } from "../domain/task-message.ts";
import { countOutcome, type TaskEntry, type TaskOutcome } from "../records/run-report.ts";
import { SystemFailure } from "../run/errors.ts";
import { afterFailure, type Ending, type TaskFacts } from "./attempt.ts";
import { CircuitBreaker, type PendingFailure } from "./circuit-breaker.ts";
import { acknowledge, deadLetter, type LeasedMessage, release, requeue } from "./leased-message.ts";
import type { Run } from "./run.ts";
import { SYSTEM_FAILURE_DELAY_MS } from "./settings.ts";

/** An attempt that ended, with the message it was about. */
interface FinishedAttempt {
  readonly leased: LeasedMessage;
  readonly message: TaskMessage;
  readonly facts: TaskFacts;
  readonly durationMs: number;
}

/** Stands in reports for the id of a message that has none. */
const UNREADABLE = "(unreadable)";

type FailedAttempt = FinishedAttempt & { readonly ending: Extract<Ending, { kind: "failed" }> };

/** How the run ended, for failures that are still held then. */
export type RunEnd = "run-finished" | "system-failure" | "aborted";

/** Decides what becomes of each message, and enters it into the report. */
export class OutcomeHandler {
  readonly #run: Run;
  readonly #breaker = new CircuitBreaker<FailedAttempt>();
  readonly entries: TaskEntry[] = [];

  constructor(run: Run) {
    this.#run = run;
  }

  /** Settles one attempt's message. @throws SystemFailure when the verdict, or the queue itself, stops the run. */
  async settle(finished: FinishedAttempt, ending: Ending): Promise<void> {
    this.#countSuccess(finished, ending);
    const { leased, message } = finished;
    switch (ending.kind) {
      case "done":
        await acknowledge(this.#run, leased);
        this.#enter(finished, ending.outcome, ending.reason);
        break;
      case "postponed":
        this.#run.counts.throttled += ending.reason === "throttled" ? 1 : 0;
        await requeue(this.#run, leased, ending.message, ending.delayMs);
        this.#enter(finished, "postponed", ending.reason, ending.delayMs);
        break;
      case "failed":
        await this.#settleFailure({ ...finished, ending });
        break;
      case "dead-letter":
        await this.giveUp(finished, ending.reason, ending.detail, message.attempts ?? 0);
        break;
      case "released":
        await release(this.#run, leased, 0);
        break;
      case "system-failure":
        await release(this.#run, leased, 0);
        throw ending.error;
    }
    await this.#countAsAttempts(this.#breaker.takeCleared());
  }

  /** A task that was archived or deleted just now: another one that fails is ill on its own. */
  #countSuccess({ message, facts }: FinishedAttempt, ending: Ending): void {
    const run = this.#run;
    const isArchivedNow = facts.archived === "now";
    const isDeletedNow = ending.kind === "done" && ending.deletedNow === true;
    if (isArchivedNow) {
      run.counts.archived += 1;
      run.archivedBytes += facts.sizeBytes ?? 0;
    }
    if (isDeletedNow) {
      run.counts.deleted += 1;
    }
    if (isArchivedNow || isDeletedNow) {
      this.#breaker.noteSuccess(message.exportTaskId, run.ports.clock.monotonicMs());
    }
  }

  /** Dead-letters a message that names no task. @throws SystemFailure */
  async giveUpUnreadable(leased: LeasedMessage, detail: string): Promise<void> {
    const reason = "unreadable";
    await deadLetter(this.#run, leased, { reason, detail, attempts: 0 });
    this.#add({ exportTaskId: UNREADABLE, outcome: "dead-lettered", reason, durationMs: 0 });
  }

  /** Dead-letters a message. @throws SystemFailure */
  async giveUp(
    finished: FinishedAttempt,
    reason: DeadLetterReason,
    detail: string,
    attempts: number,
  ): Promise<void> {
    const { leased, message, facts } = finished;
    const { exportTaskId } = message;
    const revision = facts.revision ?? message.revision;
    await deadLetter(this.#run, leased, {
      reason,
      detail,
      attempts,
      exportTaskId,
      ...compact({ revision, folder: facts.folder }),
    });
    this.#enter(finished, "dead-lettered", reason);
  }

  /**
   * Settles the failures whose meaning was open until now. A run in which the system is suspected ends as a
   * system failure. @throws SystemFailure
   */
  async resolvePending(end: RunEnd): Promise<void> {
    const suspect = end === "run-finished" ? this.#breaker.systemSuspect : undefined;
    if (suspect !== undefined) {
      await this.#postponePending();
      throw new SystemFailure(suspect);
    }
    switch (end) {
      case "run-finished":
        return await this.#countAsAttempts(this.#breaker.takePending());
      case "system-failure":
        return await this.#postponePending();
      case "aborted":
        return await settleEach(this.#breaker.takePending(), (failed) =>
          release(this.#run, failed.leased, 0),
        );
    }
  }

  async #settleFailure(failed: FailedAttempt): Promise<void> {
    const { error } = failed.ending;
    const { exportTaskId } = failed.message;
    const isArchived = failed.facts.archived !== undefined;
    const failure = { exportTaskId, error, isArchived, item: failed };
    const verdict = this.#breaker.judge(failure, this.#run.ports.clock.monotonicMs());
    this.#observeFailure(exportTaskId, error, verdict === "attempt" ? "attempt" : "held");
    switch (verdict) {
      case "attempt":
        return await this.#countAttempt(failed);
      case "held":
        return;
      case "system":
        await this.#postponePending();
        throw new SystemFailure(error);
      case "system-in-part":
        await this.#countAsAttempts(this.#breaker.takeCleared());
        return await this.#postponePending();
    }
  }

  /** A failed try that counts: re-sent with a delay, or given up once attempts and patience are used up. */
  async #countAttempt(failed: FailedAttempt): Promise<void> {
    const { error, giveUpReason } = failed.ending;
    const next = afterFailure(this.#run, failed.ending);
    const { attempts } = next;
    switch (next.kind) {
      case "give-up": {
        const detail = `${attempts} attempts failed. The last one: ${error.message}. ${error.hint}`;
        return await this.giveUp(failed, giveUpReason, detail, attempts);
      }
      case "retry":
        await requeue(this.#run, failed.leased, next.successor, next.delayMs);
        return this.#enter(failed, "retried", error.code, next.delayMs);
    }
  }

  async #countAsAttempts(failures: readonly PendingFailure<FailedAttempt>[]): Promise<void> {
    await settleEach(failures, (failed) => this.#countAttempt(failed));
  }

  /** Behind a system verdict nothing counts, but others come first next time. */
  async #postponePending(): Promise<void> {
    await settleEach(this.#breaker.takePending(), async (failed) => {
      await requeue(this.#run, failed.leased, failed.ending.message, SYSTEM_FAILURE_DELAY_MS);
      this.#enter(failed, "postponed", "system-failure", SYSTEM_FAILURE_DELAY_MS);
    });
  }

  #enter(
    { message, facts, durationMs }: FinishedAttempt,
    outcome: TaskOutcome,
    reason: string | undefined,
    delayMs?: number,
  ): void {
    const { revision, sizeBytes } = facts;
    const { exportTaskId } = message;
    const rounded = Math.round(durationMs);
    const entry = compact({ exportTaskId, revision, outcome, reason, sizeBytes, durationMs: rounded });
    this.#add(entry, delayMs);
  }

  #add(entry: TaskEntry, delayMs?: number): void {
    this.entries.push(entry);
    countOutcome(this.#run.counts, entry.outcome);
    this.#run.ports.observe({ kind: "task-ended", entry, delayMs });
  }

  #observeFailure(exportTaskId: string, error: ArchiverError, verdict: "attempt" | "held"): void {
    const failure = { code: error.code, message: error.message, hint: error.hint };
    this.#run.ports.observe({ kind: "failed", exportTaskId, failure, verdict });
    if (error.code === "copy-differs" || error.code === "store-copy-differs") {
      this.#run.ports.observe({ kind: "verification-failed", exportTaskId, failure });
    }
  }
}

/** One that cannot be settled must not keep the others from being settled; the first error is thrown last. */
async function settleEach(
  failures: readonly PendingFailure<FailedAttempt>[],
  settleOne: (failed: FailedAttempt) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  for (const { item } of failures) {
    try {
      await settleOne(item);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) {
    throw errors[0];
  }
}
