import type { Clock } from "../ports/clock.ts";
import type { ReceivedMessage } from "../ports/task-queue.ts";
import { parseBody } from "./message-codec.ts";
import type { SqsAttributes } from "./sqs-messages.ts";

interface HeldMessage {
  readonly subject: string;
  readonly attributes: SqsAttributes;
  /** By the monotonic clock. */
  readonly visibleAgainAtMs: number;
}

/** Far more than one runner holds at a time; a message forgotten loses its attributes when it is re-sent. */
const MAX_HELD = 256;

/**
 * The messages received and not settled yet, for two things that SQS does not do:
 *
 * - Attributes of other programs survive re-sending. The port does not say which message a sent one
 *   succeeds, but the protocol sends the successor before it acknowledges (architecture §4): so a message about the
 *   subject of one that is held is its successor.
 * - A timeout that ran out is noticed. SQS says yes to a late deletion, whether it deletes or not.
 */
export class SqsHeldMessages {
  readonly #visibilityMs: number;
  readonly #clock: Clock;
  readonly #held = new Map<string, HeldMessage>();

  constructor(visibilityMs: number, clock: Clock) {
    this.#visibilityMs = visibilityMs;
    this.#clock = clock;
  }

  /** Takes note of a message that has just arrived. */
  add(received: ReceivedMessage, attributes: SqsAttributes): void {
    const [oldest] = this.#held.keys();
    if (oldest !== undefined && this.#held.size >= MAX_HELD) {
      this.#held.delete(oldest);
    }
    this.#held.set(received.handle, {
      subject: subjectOf(received.body),
      attributes,
      visibleAgainAtMs: this.#clock.monotonicMs() + this.#visibilityMs,
    });
  }

  /** The timeout began again, no earlier than at this moment of the monotonic clock. */
  renewed({ handle }: ReceivedMessage, sinceMs: number): void {
    const held = this.#held.get(handle);
    if (held !== undefined) {
      this.#held.set(handle, { ...held, visibleAgainAtMs: sinceMs + this.#visibilityMs });
    }
  }

  /** Whether somebody else may have received the message by now. */
  isOverdue({ handle }: ReceivedMessage): boolean {
    const held = this.#held.get(handle);
    return held !== undefined && this.#clock.monotonicMs() >= held.visibleAgainAtMs;
  }

  /** The message is settled. */
  forget({ handle }: ReceivedMessage): void {
    this.#held.delete(handle);
  }

  /** The attributes of the held message that a body succeeds; none when it succeeds none. */
  attributesFor(body: string): SqsAttributes {
    const subject = subjectOf(body);
    return [...this.#held.values()].findLast((held) => held.subject === subject)?.attributes ?? {};
  }
}

/** What a body is about: a task, whatever progress was made; else the body itself. */
function subjectOf(body: string): string {
  const parsed = parseBody(body);
  return parsed.kind === "task" ? `task ${parsed.message.exportTaskId}` : `body ${body}`;
}

/** Far more than one run postpones. */
const MAX_KNOWN = 256;

/**
 * When the messages that this process sent with a delay become due. SQS tells how many messages are delayed,
 * not until when; but what a run itself has postponed, it can wait for.
 */
export class SqsOwnDelays {
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
