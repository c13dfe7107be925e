import { FaultError } from "../domain/errors.ts";
import type { DeadLetterReason, TaskMessage } from "../domain/task-message.ts";
import type { CallOptions } from "./platform.ts";

/** What a received body turned out to be. */
export type ParsedBody =
  | { readonly kind: "task"; readonly message: TaskMessage }
  /** `problem` is a sentence that quotes nothing of the body. */
  | { readonly kind: "unreadable"; readonly problem: string };

export interface ReceivedMessage {
  /** The right to settle this message; worthless once the visibility timeout ran out. Opaque. */
  readonly handle: string;
  /** How often this message was handed out, this time included. */
  readonly receiveCount: number;
  readonly body: string;
  readonly parsed: ParsedBody;
}

export interface DeadLetter {
  /** As received; the queue keeps it without its progress fields, so that moving it back starts afresh. */
  readonly body: string;
  readonly reason: DeadLetterReason;
  /** A sentence for a person. */
  readonly detail: string;
  readonly attempts: number;
  readonly runId: string;
}

/** What is in the queue now; counts may be approximate. */
export interface QueueDepth {
  readonly ready: number;
  readonly delayed: number;
  /** Received by somebody and not settled. */
  readonly inFlight: number;
  readonly deadLetters: number;
  /** When the next message that is not ready becomes so, of those of which the adapter can tell. */
  readonly nextDueAtMs: number | undefined;
}

/**
 * An at-least-once queue with visibility timeouts. The visibility asked for is the adapter's configuration. What settles a
 * received message throws `queue-handle-expired` when another runner may have the message by now.
 */
export interface TaskQueue {
  readonly visibilityMs: number;
  /** One long poll. `undefined` when it found nothing. */
  receive(options: CallOptions): Promise<ReceivedMessage | undefined>;
  /** Starts the visibility timeout again. Throws `queue-handle-expired` when it already ran out. */
  renew(received: ReceivedMessage, options: CallOptions): Promise<void>;
  /** Sends messages, in order where the queue keeps one. Durable when it resolves. */
  send(messages: readonly TaskMessage[], options: SendOptions): Promise<void>;
  /** Removes the message for good. */
  acknowledge(received: ReceivedMessage, options: CallOptions): Promise<void>;
  /** Puts a successor into the message's place: the message goes once the successor is durable, and never before. */
  requeue(received: ReceivedMessage, successor: TaskMessage, options: SendOptions): Promise<void>;
  /** Hands the message back: {@link requeue} with its body unchanged, so that receive counts count crashes only. */
  release(received: ReceivedMessage, options: SendOptions): Promise<void>;
  /** Puts a letter into the dead-letter queue. Does not touch the message it is about. */
  deadLetter(letter: DeadLetter, options: DeadLetterOptions): Promise<void>;
  depth(options: CallOptions): Promise<QueueDepth>;
}

export interface SendOptions extends CallOptions {
  /** The message stays hidden for this long. An adapter may show it earlier; `notBefore` then decides. */
  readonly delayMs: number;
}

export interface DeadLetterOptions extends CallOptions {
  /** The message that the letter is about. What other programs attached to it goes with the letter. */
  readonly about?: ReceivedMessage | undefined;
}

/** A dead letter as the queue holds it, for listing and moving back. */
export interface HeldDeadLetter extends Omit<DeadLetter, "reason"> {
  readonly id: string;
  /** A {@link DeadLetterReason}, or what a newer version or another program wrote: it is shown as it is. */
  readonly reason: string;
  readonly deadLetteredAtMs: number | undefined;
}

/** The operator's view of the dead-letter queue. */
export interface DeadLetterQueue {
  listDeadLetters(options: CallOptions & { readonly limit: number }): Promise<readonly HeldDeadLetter[]>;
  /**
   * Moves letters back: sends each body, then removes the letter. Returns those moved.
   * @param ids of letters, or of export tasks, which name every letter about them.
   */
  redrive(ids: readonly string[] | "all", options: CallOptions): Promise<readonly HeldDeadLetter[]>;
  /**
   * Removes letters for good. Returns those removed.
   * @param ids as for `redrive`.
   * @param note is awaited for each letter before that letter is removed; what it throws ends the call.
   */
  dismiss(
    ids: readonly string[],
    note: (letter: HeldDeadLetter) => Promise<void>,
    options: CallOptions,
  ): Promise<readonly HeldDeadLetter[]>;
}

export type QueueErrorCode =
  /** The visibility timeout ran out: another runner may hold the message. */
  "queue-handle-expired" | "queue-forbidden" | "queue-full" | "queue-unavailable" | "queue-misconfigured";

export class QueueError extends FaultError<QueueErrorCode> {}
