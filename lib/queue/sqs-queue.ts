import { allEnded } from "../domain/promises.ts";
import type { TaskMessage } from "../domain/task-message.ts";
import type { Clock } from "../ports/clock.ts";
import type { CallOptions } from "../ports/platform.ts";
import {
  type DeadLetter,
  type DeadLetterOptions,
  type DeadLetterQueue,
  type HeldDeadLetter,
  type QueueDepth,
  QueueError,
  type ReceivedMessage,
  type SendOptions,
  type TaskQueue,
} from "../ports/task-queue.ts";
import { encodeMessage, MAX_BODY_BYTES, parseBody } from "./message-codec.ts";
import { type SqsAccess, SqsCaller } from "./sqs-caller.ts";
import { SqsDeadLetters } from "./sqs-dead-letters.ts";
import { handleExpiredError } from "./sqs-errors.ts";
import {
  encodeCutLetter,
  encodeLetter,
  type SqsAttributes,
  type SqsOutgoing,
  sizeBytesOf,
  withinLimit,
} from "./sqs-messages.ts";
import { changeVisibility, deleteMessage, readCounts, receiveMessages, sendAll } from "./sqs-requests.ts";
import { escapeRefused } from "./sqs-text.ts";

export interface SqsQueueOptions extends SqsAccess {
  /** A standard queue: FIFO queues take no delay for one message. */
  readonly queueUrl: URL;
  readonly deadLetterQueueUrl: URL;
  /** 1 s to 12 h; asked for at each receive, in whole seconds rounded up. */
  readonly visibilityMs: number;
  /** How long {@link TaskQueue.receive} waits for a message, in whole seconds. Default and maximum 20 000. */
  readonly longPollMs?: number | undefined;
}

const LONGEST_POLL_MS = 20_000;

/** What is known of a received message besides what the port shows. */
interface SqsLease {
  /** What other programs attached to it, for its successor or its dead letter. */
  readonly attributes: SqsAttributes;
  /** By the monotonic clock. SQS says yes to a late deletion, whether it deletes or not: so lateness is noticed here. */
  readonly visibleAgainAtMs: number;
}

/**
 * The task queue in SQS, with a second queue for dead letters. Connects when it is first used.
 *
 * Facts: SQS API reference, ReceiveMessage, ChangeMessageVisibility, DeleteMessage, SendMessageBatch.
 */
export class SqsQueue implements TaskQueue, DeadLetterQueue {
  readonly visibilityMs: number;
  readonly #visibilitySeconds: number;
  readonly #waitSeconds: number;
  readonly #clock: Clock;
  readonly #tasks: SqsCaller;
  readonly #letters: SqsCaller;
  /** Gone with the message that the caller holds. */
  readonly #leases = new WeakMap<ReceivedMessage, SqsLease>();
  readonly #ownDelays: SqsOwnDelays;
  readonly #deadLetters: DeadLetterQueue;

  constructor(options: SqsQueueOptions, { clock }: { readonly clock: Clock }) {
    this.visibilityMs = options.visibilityMs;
    this.#visibilitySeconds = Math.ceil(options.visibilityMs / 1000);
    this.#waitSeconds = Math.floor(Math.min(options.longPollMs ?? LONGEST_POLL_MS, LONGEST_POLL_MS) / 1000);
    this.#clock = clock;
    this.#tasks = new SqsCaller("task", options.queueUrl, options);
    this.#letters = new SqsCaller("dead-letter", options.deadLetterQueueUrl, options);
    this.#ownDelays = new SqsOwnDelays(clock);
    this.#deadLetters = new SqsDeadLetters({
      letters: this.#letters,
      tasks: this.#tasks,
      clock,
      waitSeconds: this.#waitSeconds,
    });
  }

  /** Ends the connections; safe twice. */
  close(): void {
    this.#tasks.close();
    this.#letters.close();
  }

  async receive({ signal }: CallOptions): Promise<ReceivedMessage | undefined> {
    const [message] = await receiveMessages(this.#tasks, {
      maxMessages: 1,
      visibilitySeconds: this.#visibilitySeconds,
      waitSeconds: this.#waitSeconds,
      signal,
    });
    if (message === undefined) {
      return undefined;
    }
    const { handle, body, receiveCount, attributes } = message;
    const received = { handle, receiveCount, body, parsed: parseBody(body) };
    this.#leases.set(received, {
      attributes,
      visibleAgainAtMs: this.#clock.monotonicMs() + this.visibilityMs,
    });
    return received;
  }

  async renew(received: ReceivedMessage, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted();
    if (this.#isOverdue(received)) {
      throw handleExpiredError("renew");
    }
    const visibleAgainAtMs = this.#clock.monotonicMs() + this.visibilityMs;
    await changeVisibility(this.#tasks, received.handle, this.#visibilitySeconds, { signal });
    this.#leases.set(received, { attributes: this.#attributesOf(received), visibleAgainAtMs });
  }

  /**
   * Deletes the message. SQS answers yes to a late deletion and may not delete: so after the timeout it is
   * tried, and the handle called expired all the same.
   */
  async acknowledge(received: ReceivedMessage, { signal }: CallOptions): Promise<void> {
    await deleteMessage(this.#tasks, received.handle, { signal });
    if (this.#isOverdue(received)) {
      throw handleExpiredError("delete");
    }
  }

  async requeue(received: ReceivedMessage, successor: TaskMessage, options: SendOptions): Promise<void> {
    await this.#replace(received, escapeRefused(encodeMessage(successor)), options);
  }

  async release(received: ReceivedMessage, options: SendOptions): Promise<void> {
    await this.#replace(received, received.body, options);
  }

  /** Two requests, in this order: a death between them leaves the message there twice, never not at all. */
  async #replace(received: ReceivedMessage, body: string, options: SendOptions): Promise<void> {
    await this.#sendTasks([withinLimit({ body, attributes: this.#attributesOf(received) })], options);
    await this.acknowledge(received, options);
  }

  /** A send whose answer is lost is repeated: the message may then be there twice. */
  async send(messages: readonly TaskMessage[], options: SendOptions): Promise<void> {
    await this.sendBodies(
      messages.map((message) => escapeRefused(encodeMessage(message))),
      options,
    );
  }

  /** Sends bodies as they are, readable or not, as other programs do. */
  async sendBodies(bodies: readonly string[], options: SendOptions): Promise<void> {
    await this.#sendTasks(
      bodies.map((body) => ({ body, attributes: {} })),
      options,
    );
  }

  async #sendTasks(messages: readonly SqsOutgoing[], options: SendOptions): Promise<void> {
    await sendAll(this.#tasks, this.#clock, messages, options);
    this.#ownDelays.add(options.delayMs);
  }

  #isOverdue(received: ReceivedMessage): boolean {
    const lease = this.#leases.get(received);
    return lease !== undefined && this.#clock.monotonicMs() >= lease.visibleAgainAtMs;
  }

  #attributesOf(received: ReceivedMessage | undefined): SqsAttributes {
    return (received && this.#leases.get(received)?.attributes) ?? {};
  }

  async deadLetter(letter: DeadLetter, { about, signal }: DeadLetterOptions): Promise<void> {
    const whole = encodeLetter(letter, this.#attributesOf(about));
    try {
      await this.#sendLetter(whole, signal);
    } catch (thrown) {
      // Newer queues take 1 MiB, so the whole letter is tried first.
      if (!(isMessageRefused(thrown) && sizeBytesOf(whole) > MAX_BODY_BYTES)) {
        throw thrown;
      }
      await this.#sendLetter(encodeCutLetter(letter), signal);
    }
  }

  async #sendLetter(letter: SqsOutgoing, signal: AbortSignal): Promise<void> {
    await sendAll(this.#letters, this.#clock, [letter], { signal, delayMs: 0 });
  }

  /** Approximate, as SQS counts. It does not tell when a hidden message comes back: known of our own ones only. */
  async depth({ signal }: CallOptions): Promise<QueueDepth> {
    const [tasks, letters] = await allEnded([
      readCounts(this.#tasks, { signal }),
      readCounts(this.#letters, { signal }),
    ]);
    return {
      ...tasks,
      deadLetters: letters.ready + letters.delayed + letters.inFlight,
      nextDueAtMs: this.#ownDelays.nextDueAtMs(),
    };
  }

  async listDeadLetters(
    options: CallOptions & { readonly limit: number },
  ): Promise<readonly HeldDeadLetter[]> {
    return await this.#deadLetters.listDeadLetters(options);
  }

  async redrive(ids: readonly string[] | "all", options: CallOptions): Promise<readonly HeldDeadLetter[]> {
    return await this.#deadLetters.redrive(ids, options);
  }

  async dismiss(
    ids: readonly string[],
    note: (letter: HeldDeadLetter) => Promise<void>,
    options: CallOptions,
  ): Promise<readonly HeldDeadLetter[]> {
    return await this.#deadLetters.dismiss(ids, note, options);
  }
}

function isMessageRefused(thrown: unknown): boolean {
  return thrown instanceof QueueError && thrown.code === "queue-misconfigured" && thrown.scope === "task";
}

/** Far more than one run postpones. */
const MAX_KNOWN = 256;

/**
 * When the messages that this process sent with a delay become due. SQS tells how many messages are delayed,
 * not until when; but what a run itself has postponed, it can wait for.
 */
class SqsOwnDelays {
  readonly #clock: Clock;
  /** By the monotonic clock, earliest first. */
  #dueAtMs: readonly number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A message was sent just now that is due so much later. SQS knows whole seconds only. */
  add(delayMs: number): void {
    if (delayMs > 0) {
      const dueAtMs = this.#clock.monotonicMs() + Math.ceil(delayMs / 1000) * 1000;
      this.#dueAtMs = [...this.#ahead(), dueAtMs].sort((a, b) => a - b).slice(0, MAX_KNOWN);
    }
  }

  /** When the next of them is due, by the wall clock; `undefined` when none is ahead. */
  nextDueAtMs(): number | undefined {
    const [nextMs] = this.#ahead();
    return nextMs === undefined ? undefined : this.#clock.wallMs() + (nextMs - this.#clock.monotonicMs());
  }

  #ahead(): readonly number[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#dueAtMs.filter((dueAtMs) => dueAtMs > nowMs);
  }
}
