import { allEnded } from "../domain/promises.ts";
import type { TaskMessage } from "../domain/task-message.ts";
import type { Clock } from "../ports/clock.ts";
import type { CallOptions } from "../ports/platform.ts";
import {
  type DeadLetter,
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
import { SqsHeldMessages, SqsOwnDelays } from "./sqs-held-messages.ts";
import { encodeCutLetter, encodeLetter, type SqsOutgoing, sizeBytesOf, withinLimit } from "./sqs-messages.ts";
import { changeVisibility, deleteMessage, readCounts, receiveMessages } from "./sqs-requests.ts";
import { sendAll } from "./sqs-send.ts";
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

/**
 * The task queue in SQS, with a second queue for dead letters. Connects when it is first used.
 *
 * Facts: SQS API reference, ReceiveMessage, ChangeMessageVisibility, DeleteMessage, SendMessageBatch.
 */
export function createSqsQueue(
  options: SqsQueueOptions,
  { clock }: { readonly clock: Clock },
): TaskQueue & DeadLetterQueue & { close(): void } {
  return new SqsQueue(options, clock);
}

class SqsQueue implements TaskQueue, DeadLetterQueue {
  readonly visibilityMs: number;
  readonly #visibilitySeconds: number;
  readonly #waitSeconds: number;
  readonly #clock: Clock;
  readonly #tasks: SqsCaller;
  readonly #letters: SqsCaller;
  readonly #held: SqsHeldMessages;
  readonly #ownDelays: SqsOwnDelays;
  readonly #deadLetters: DeadLetterQueue;

  constructor(options: SqsQueueOptions, clock: Clock) {
    this.visibilityMs = options.visibilityMs;
    this.#visibilitySeconds = Math.ceil(options.visibilityMs / 1000);
    this.#waitSeconds = Math.floor(Math.min(options.longPollMs ?? LONGEST_POLL_MS, LONGEST_POLL_MS) / 1000);
    this.#clock = clock;
    this.#tasks = new SqsCaller("task", options.queueUrl, options);
    this.#letters = new SqsCaller("dead-letter", options.deadLetterQueueUrl, options);
    this.#held = new SqsHeldMessages(options.visibilityMs, clock);
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
    this.#held.add(received, attributes);
    return received;
  }

  async renew(received: ReceivedMessage, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted();
    if (this.#held.isOverdue(received)) {
      throw handleExpiredError("renew");
    }
    const sinceMs = this.#clock.monotonicMs();
    await changeVisibility(this.#tasks, received.handle, this.#visibilitySeconds, { signal });
    this.#held.renewed(received, sinceMs);
  }

  /**
   * Deletes the message. SQS answers yes to a late deletion and may not delete: so after the timeout it is
   * tried, and the handle called expired all the same.
   */
  async acknowledge(received: ReceivedMessage, { signal }: CallOptions): Promise<void> {
    await deleteMessage(this.#tasks, received.handle, { signal });
    const isOverdue = this.#held.isOverdue(received);
    this.#held.forget(received);
    if (isOverdue) {
      throw handleExpiredError("delete");
    }
  }

  /** A send whose answer is lost is repeated: the message may then be there twice. */
  async send(messages: readonly TaskMessage[], options: SendOptions): Promise<void> {
    const bodies = messages.map((message) => escapeRefused(encodeMessage(message)));
    await this.#sendTasks(bodies, options);
  }

  async sendRaw(body: string, options: SendOptions): Promise<void> {
    await this.#sendTasks([body], options);
  }

  /** With the attributes of the message that each body succeeds, if it is still held. */
  async #sendTasks(bodies: readonly string[], options: SendOptions): Promise<void> {
    const messages = bodies.map((body) => withinLimit({ body, attributes: this.#held.attributesFor(body) }));
    await sendAll(this.#tasks, this.#clock, messages, options);
    this.#ownDelays.add(options.delayMs);
  }

  async deadLetter(letter: DeadLetter, { signal }: CallOptions): Promise<void> {
    const whole = encodeLetter(letter, this.#held.attributesFor(letter.body));
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
