import { createHash } from "node:crypto";
import { ArchiverError } from "../domain/errors.ts";
import type { DeadLetterReason, TaskMessage } from "../domain/task-message.ts";
import { requireOwnArchive } from "../identity/marker.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { ReceivedMessage } from "../ports/task-queue.ts";
import { countOutcome, type TaskEntry, type TaskOutcome } from "../records/run-report.ts";
import { withTimeLimit } from "../run/deadline.ts";
import { SystemFailure } from "../run/errors.ts";
import type { Attempt, AttemptOutcome } from "./attempt.ts";
import { CircuitBreaker, type PendingFailure } from "./circuit-breaker.ts";
import { runTimeLeftMs } from "./deadlines.ts";
import type { Lease } from "./receive-task.ts";
import type { Run } from "./run.ts";
import { retryDelayMs, SYSTEM_FAILURE_DELAY_MS } from "./settings.ts";

/** A attempt that ended, with the message it was about. */
interface FinishedAttempt {
  readonly held: LeasedMessage;
  readonly attempt: Pick<Attempt, "exportTaskId" | "learned" | "message">;
  readonly durationMs: number;
}

/** Stands in reports for the id of a message that has none. */
const UNREADABLE = "(unreadable)";

type FailedAttempt = FinishedAttempt & Extract<AttemptOutcome, { kind: "failed" }>;

/** How the run ended, for failures that are still held then. */
export type RunEnd = "run-finished" | "system-failure" | "aborted";

/** Turns results of attempts into what happens to their messages, and into the report's entries. */
export class OutcomeHandler {
  readonly #run: Run;
  readonly #verdicts = new CircuitBreaker<FailedAttempt>();
  readonly entries: TaskEntry[] = [];

  constructor(run: Run) {
    this.#run = run;
  }

  noteSuccess(exportTaskId: string): void {
    this.#verdicts.noteSuccess(exportTaskId, this.#run.ports.clock.monotonicMs());
  }

  /** Settles one attempt. @throws SystemFailure when the verdict, or the queue itself, stops the run. */
  async settle(ended: FinishedAttempt, result: AttemptOutcome): Promise<void> {
    switch (result.kind) {
      case "done":
        await acknowledge(this.#run, ended.held);
        this.#enter(ended, result.outcome, result.reason);
        break;
      case "postponed":
        await requeue(this.#run, ended.held, result.message, result.delayMs);
        this.#enter(ended, "postponed", result.reason, result.delayMs);
        break;
      case "failed":
        await this.#settleFailure({ ...ended, ...result });
        break;
      case "dead-letter":
        await this.giveUp(ended, result.reason, result.detail, ended.attempt.message.attempts ?? 0);
        break;
      case "handed-back":
        await releaseMessage(this.#run, ended.held, 0);
        break;
      case "system-failure":
        await releaseMessage(this.#run, ended.held, 0);
        throw result.error;
    }
    await this.#countAsAttempts(this.#verdicts.takeCleared());
  }

  /** Dead-letters a message that names no task. @throws SystemFailure */
  async giveUpUnreadable(held: LeasedMessage, detail: string): Promise<void> {
    const reason = "unreadable";
    await deadLetter(this.#run, held, { reason, detail, attempts: 0 });
    this.#add({ exportTaskId: UNREADABLE, outcome: "dead-lettered", reason, durationMs: 0 });
  }

  /** Dead-letters a message. @throws SystemFailure */
  async giveUp(
    ended: FinishedAttempt,
    reason: DeadLetterReason,
    detail: string,
    attempts: number,
  ): Promise<void> {
    const { learned, exportTaskId, message } = ended.attempt;
    const revision = learned.revision ?? message.revision;
    await deadLetter(this.#run, ended.held, {
      reason,
      detail,
      attempts,
      exportTaskId,
      ...(revision === undefined ? {} : { revision }),
      ...(learned.folder === undefined ? {} : { folder: learned.folder }),
    });
    this.#enter(ended, "dead-lettered", reason);
  }

  /**
   * Settles the failures whose meaning was open until now. A run in which the system is suspected ends as a
   * system failure. @throws SystemFailure
   */
  async resolvePending(fate: RunEnd): Promise<void> {
    const suspect = fate === "run-finished" ? this.#verdicts.systemSuspect : undefined;
    if (suspect !== undefined) {
      await this.#postponePending();
      throw new SystemFailure(suspect);
    }
    switch (fate) {
      case "run-finished":
        return await this.#countAsAttempts(this.#verdicts.takePending());
      case "system-failure":
        return await this.#postponePending();
      case "aborted":
        return await settleEach(this.#verdicts.takePending(), (failed) =>
          releaseMessage(this.#run, failed.held, 0),
        );
    }
  }

  async #settleFailure(failed: FailedAttempt): Promise<void> {
    const { error, attempt } = failed;
    const isArchived = attempt.learned.isArchived === true;
    const failure = { exportTaskId: attempt.exportTaskId, error, isArchived, item: failed };
    const verdict = this.#verdicts.judge(failure, this.#run.ports.clock.monotonicMs());
    this.#observeFailure(attempt.exportTaskId, error, verdict === "attempt" ? "attempt" : "held");
    switch (verdict) {
      case "attempt":
        return await this.#countAttempt(failed);
      case "held":
        return;
      case "system":
        await this.#postponePending();
        throw new SystemFailure(error);
      case "system-in-part":
        await this.#countAsAttempts(this.#verdicts.takeCleared());
        return await this.#postponePending();
    }
  }

  /** A failed try that counts: re-sent with a delay, or given up once attempts and patience are used up. */
  async #countAttempt(failed: FailedAttempt): Promise<void> {
    const { settings, ports } = this.#run;
    const nowMs = ports.clock.wallMs();
    const attempts = (failed.message.attempts ?? 0) + 1;
    const firstFailedAtMs = failed.message.firstFailedAtMs ?? nowMs;
    if (attempts >= settings.maxAttempts && nowMs - firstFailedAtMs >= settings.giveUpAfterMs) {
      const detail = `${attempts} tries failed; the last: ${failed.error.message}. ${failed.error.hint}`;
      return await this.giveUp(failed, failed.giveUpReason, detail, attempts);
    }
    const message: TaskMessage = { ...failed.message, attempts, firstFailedAtMs };
    const delayMs = retryDelayMs(settings.downloadIntervalMs, attempts, ports.random.fraction());
    await requeue(this.#run, failed.held, message, delayMs);
    this.#enter(failed, "retried", failed.error.code, delayMs);
  }

  async #countAsAttempts(failures: readonly PendingFailure<FailedAttempt>[]): Promise<void> {
    await settleEach(failures, (failed) => this.#countAttempt(failed));
  }

  /** Behind a system verdict nothing counts, but others come first next time. */
  async #postponePending(): Promise<void> {
    await settleEach(this.#verdicts.takePending(), async (failed) => {
      // Not `failed.message`: a body that the whole system got wrong must not be remembered as this task's own.
      await requeue(this.#run, failed.held, failed.attempt.message, SYSTEM_FAILURE_DELAY_MS);
      this.#enter(failed, "postponed", "system-failure", SYSTEM_FAILURE_DELAY_MS);
    });
  }

  #enter(ended: FinishedAttempt, outcome: TaskOutcome, reason: string | undefined, delayMs?: number): void {
    const { exportTaskId, learned } = ended.attempt;
    const entry = {
      exportTaskId,
      ...(learned.revision === undefined ? {} : { revision: learned.revision }),
      outcome,
      ...(reason === undefined ? {} : { reason }),
      ...(learned.sizeBytes === undefined ? {} : { sizeBytes: learned.sizeBytes }),
      durationMs: Math.round(ended.durationMs),
    };
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

/**
 * Settling goes on while a run is being stopped, so it has a limit of its own: this, and never more than half
 * of what is left, so that several in a row, and the report after them, still end before the run has to.
 */
const SETTLE_LIMIT_MS = 15_000;
const MAX_RECORDED_BODY_CHARACTERS = 4_096;

/** A message in our hands. */
export interface LeasedMessage {
  readonly received: ReceivedMessage;
  readonly lease: Lease;
}

/** What a dead letter says besides the body. */
interface LetterFacts {
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly attempts: number;
  readonly exportTaskId?: string;
  readonly revision?: string;
  /** Where uploads of this task may still be open. */
  readonly folder?: string;
}

/** Acknowledges: always the last step. @throws SystemFailure unless the handle had merely expired. */
export async function acknowledge(run: Run, held: LeasedMessage): Promise<void> {
  await settling(run, held, (options) => run.ports.queue.acknowledge(held.received, options));
}

/**
 * Puts the message in the place of the received one. One that is worked alone carries when it is due, so that only
 * later reports speak for it when its runners die. @throws SystemFailure
 */
export async function requeue(
  run: Run,
  held: LeasedMessage,
  message: TaskMessage,
  delayMs: number,
): Promise<void> {
  const { clock, queue } = run.ports;
  const dueAtMs = Math.max(message.notBeforeMs ?? 0, clock.wallMs() + delayMs);
  const successor = message.alone === true ? { ...message, notBeforeMs: dueAtMs } : message;
  await settling(run, held, (options) => queue.requeue(held.received, successor, { ...options, delayMs }));
}

/** Hand-back: the body as it is, so that the receive count sees crashes only. @throws SystemFailure */
export async function releaseMessage(run: Run, held: LeasedMessage, delayMs: number): Promise<void> {
  await settling(run, held, (options) => run.ports.queue.release(held.received, { ...options, delayMs }));
}

/**
 * Gives a message up: ends its open uploads, puts the letter into the queue, then the record into the store
 * (queues forget), then acknowledges. Dying in between repeats the letter, never loses it. @throws SystemFailure
 */
export async function deadLetter(run: Run, held: LeasedMessage, facts: LetterFacts): Promise<void> {
  const { store, queue, clock } = run.ports;
  const { body } = held.received;
  const { folder, exportTaskId, revision, reason, detail, attempts } = facts;
  const { runId } = run;
  const giveUp = async (options: CallOptions) => {
    await requireOwnArchive(run, options);
    if (folder !== undefined) {
      await store.abortUploadsUnder(folder, options);
    }
    const letter = { body, reason, detail, attempts, runId };
    await queue.deadLetter(letter, { ...options, about: held.received });
    const nowMs = clock.wallMs();
    await run.records.writeDeadLetter(
      {
        ...(exportTaskId === undefined ? {} : { exportTaskId }),
        ...(revision === undefined ? {} : { revision }),
        reason,
        detail,
        attempts,
        runId,
        deadLetteredAt: new Date(nowMs).toISOString(),
        body: body.slice(0, MAX_RECORDED_BODY_CHARACTERS),
      },
      createHash("sha256").update(body, "utf8").digest("hex"),
      nowMs,
      options,
    );
  };
  await settling(run, held, (options) => queue.acknowledge(held.received, options), giveUp);
}

/** Does `before` under the lease, releases it, and settles the message by one call of the queue. */
async function settling(
  run: Run,
  held: LeasedMessage,
  settle: (options: CallOptions) => Promise<void>,
  before: (options: CallOptions) => Promise<void> = async () => undefined,
): Promise<void> {
  const { clock, observe } = run.ports;
  try {
    const limitMs = Math.min(SETTLE_LIMIT_MS, Math.max(0, runTimeLeftMs(run)) / 2);
    await withTimeLimit(clock, limitMs, async (signal) => {
      await before({ signal });
      await held.lease.release();
      await settle({ signal });
    });
  } catch (error) {
    if (error instanceof ArchiverError && error.code === "queue-handle-expired") {
      const { parsed } = held.received;
      observe({
        kind: "lease-lost",
        exportTaskId: parsed.kind === "task" ? parsed.message.exportTaskId : undefined,
      });
      return;
    }
    throw new SystemFailure(error);
  } finally {
    await held.lease.release();
  }
}
