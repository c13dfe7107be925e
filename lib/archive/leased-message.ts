import { createHash } from "node:crypto";
import { compact } from "../domain/compact.ts";
import { ArchiverError } from "../domain/errors.ts";
import type { DeadLetterReason, TaskMessage } from "../domain/task-message.ts";
import { requireOwnArchive } from "../identity/marker.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { ReceivedMessage } from "../ports/task-queue.ts";
import { withTimeLimit } from "../run/deadline.ts";
import { SystemFailure } from "../run/errors.ts";
import { runTimeLeftMs } from "./deadlines.ts";
import type { ArchivePorts } from "./events.ts";
import type { Run } from "./run.ts";

/** A received message that this run keeps invisible to other runs. */
export interface LeasedMessage {
  readonly received: ReceivedMessage;
  readonly lease: Lease;
}

/**
 * Keeps a received message invisible to others by renewing its visibility timeout at a third of it, until
 * released. A lease that is lost all the same does no harm: another runner does the same work, and the
 * records decide who wins.
 */
export class Lease {
  readonly #released = new AbortController();
  readonly #renewing: Promise<void>;

  constructor(ports: Pick<ArchivePorts, "queue" | "clock" | "observe">, received: ReceivedMessage) {
    this.#renewing = this.#renewUntilReleased(ports, received);
  }

  /** Ends the renewing; resolves when no renewal is under way any more. */
  async release(): Promise<void> {
    this.#released.abort("released");
    await this.#renewing;
  }

  async #renewUntilReleased(
    { queue, clock, observe }: Pick<ArchivePorts, "queue" | "clock" | "observe">,
    received: ReceivedMessage,
  ): Promise<void> {
    const { signal } = this.#released;
    const exportTaskId = received.parsed.kind === "task" ? received.parsed.message.exportTaskId : undefined;
    for (;;) {
      try {
        await clock.sleep(queue.visibilityMs / 3, signal);
        await queue.renew(received, { signal });
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        if (error instanceof ArchiverError && error.code === "queue-handle-expired") {
          observe({ kind: "lease-lost", exportTaskId });
          return;
        }
        // Two more tries fit into the timeout; if they fail too, the message is worked on twice, which is safe.
        observe({
          kind: "warning",
          code: "renewal-failed",
          message: "the queue did not renew a visibility timeout",
        });
      }
    }
  }
}

/**
 * Settling goes on while a run is being stopped, so it has a limit of its own: this, and never more than half
 * of what is left, so that several in a row, and the report after them, still end before the run has to.
 */
const SETTLE_LIMIT_MS = 15_000;
const MAX_RECORDED_BODY_CHARACTERS = 4_096;

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
export async function acknowledge(run: Run, leased: LeasedMessage): Promise<void> {
  await settling(run, leased, (options) => run.ports.queue.acknowledge(leased.received, options));
}

/**
 * Puts the message in the place of the received one. One that is worked alone carries when it is due, so that only
 * later reports speak for it when its runners die. @throws SystemFailure
 */
export async function requeue(
  run: Run,
  leased: LeasedMessage,
  message: TaskMessage,
  delayMs: number,
): Promise<void> {
  const { clock, queue } = run.ports;
  const dueAtMs = Math.max(message.notBeforeMs ?? 0, clock.wallMs() + delayMs);
  const successor = message.alone === true ? { ...message, notBeforeMs: dueAtMs } : message;
  await settling(run, leased, (options) =>
    queue.requeue(leased.received, successor, { ...options, delayMs }),
  );
}

/** Hand-back: the body as it is, so that the receive count sees crashes only. @throws SystemFailure */
export async function release(run: Run, leased: LeasedMessage, delayMs: number): Promise<void> {
  await settling(run, leased, (options) => run.ports.queue.release(leased.received, { ...options, delayMs }));
}

/**
 * Gives a message up: ends its open uploads, puts the letter into the queue, then the record into the store
 * (queues forget), then acknowledges. Dying in between repeats the letter, never loses it. @throws SystemFailure
 */
export async function deadLetter(run: Run, leased: LeasedMessage, facts: LetterFacts): Promise<void> {
  const { store, queue, clock } = run.ports;
  const { body } = leased.received;
  const { folder, exportTaskId, revision, reason, detail, attempts } = facts;
  const { runId } = run;
  const giveUp = async (options: CallOptions) => {
    await requireOwnArchive(run, options);
    if (folder !== undefined) {
      await store.abortUploadsUnder(folder, options);
    }
    const letter = { body, reason, detail, attempts, runId };
    await queue.deadLetter(letter, { ...options, about: leased.received });
    const nowMs = clock.wallMs();
    await run.records.writeDeadLetter(
      {
        ...compact({ exportTaskId, revision }),
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
  await settling(run, leased, (options) => queue.acknowledge(leased.received, options), giveUp);
}

/** Does `before` under the lease, releases it, and settles the message by one call of the queue. */
async function settling(
  run: Run,
  leased: LeasedMessage,
  settle: (options: CallOptions) => Promise<void>,
  before: (options: CallOptions) => Promise<void> = async () => undefined,
): Promise<void> {
  const { clock, observe } = run.ports;
  try {
    const limitMs = Math.min(SETTLE_LIMIT_MS, Math.max(0, runTimeLeftMs(run)) / 2);
    await withTimeLimit(clock, limitMs, async (signal) => {
      await before({ signal });
      await leased.lease.release();
      await settle({ signal });
    });
  } catch (error) {
    if (error instanceof ArchiverError && error.code === "queue-handle-expired") {
      const { parsed } = leased.received;
      observe({
        kind: "lease-lost",
        exportTaskId: parsed.kind === "task" ? parsed.message.exportTaskId : undefined,
      });
      return;
    }
    throw new SystemFailure(error);
  } finally {
    await leased.lease.release();
  }
}
