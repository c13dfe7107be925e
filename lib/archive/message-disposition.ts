import { createHash } from "node:crypto";
import { ArchiverError } from "../domain/errors.ts";
import type { DeadLetterReason, TaskMessage } from "../domain/task-message.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { ReceivedMessage } from "../ports/task-queue.ts";
import { SystemFailure } from "./errors.ts";
import type { Lease } from "./lease.ts";
import { requireOwnArchive } from "./own-archive.ts";
import type { Run } from "./run.ts";
import { runTimeLeftMs } from "./task-time.ts";
import { withOwnLimit } from "./time-limit.ts";

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
export interface LetterFacts {
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
  await settling(run, held, async () => undefined);
}

/**
 * Sends the message anew and acknowledges the old one after that. One that is worked alone carries when it is
 * due, so that only later reports speak for it when its runners die. @throws SystemFailure
 */
export async function resend(
  run: Run,
  held: LeasedMessage,
  message: TaskMessage,
  delayMs: number,
): Promise<void> {
  const { clock, queue } = run.ports;
  const dueAtMs = Math.max(message.notBeforeMs ?? 0, clock.wallMs() + delayMs);
  const sent = message.alone === true ? { ...message, notBeforeMs: dueAtMs } : message;
  await settling(run, held, (options) => queue.send([sent], { ...options, delayMs }));
}

/** Hand-back: the body as it is, so that the receive count sees crashes only. @throws SystemFailure */
export async function releaseMessage(run: Run, held: LeasedMessage, delayMs: number): Promise<void> {
  await settling(run, held, (options) =>
    run.ports.queue.sendRaw(held.received.body, { ...options, delayMs }),
  );
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
  await settling(run, held, async (options) => {
    await requireOwnArchive(run, options);
    if (folder !== undefined) {
      await store.abortUploadsUnder(folder, options);
    }
    await queue.deadLetter({ body, reason, detail, attempts, runId }, options);
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
  });
}

/** Does `before`, then acknowledges. The lease is held until then and released whatever happens. */
async function settling(
  run: Run,
  held: LeasedMessage,
  before: (options: CallOptions) => Promise<unknown>,
): Promise<void> {
  const { queue, clock, observe } = run.ports;
  try {
    const limitMs = Math.min(SETTLE_LIMIT_MS, Math.max(0, runTimeLeftMs(run)) / 2);
    await withOwnLimit(clock, limitMs, async (signal) => {
      await before({ signal });
      await held.lease.release();
      await queue.acknowledge(held.received, { signal });
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
