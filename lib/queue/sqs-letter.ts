import type { DeadLetter, HeldDeadLetter } from "../ports/task-queue.ts";
import { MAX_BODY_BYTES, withoutProgress } from "./message-codec.ts";
import {
  type SqsAttributes,
  type SqsOutgoing,
  type SqsReceived,
  sizeBytesOf,
  wholeNumber,
} from "./sqs-messages.ts";
import { attributeText, cutUtf8, escapeRefused } from "./sqs-text.ts";

/** The attributes of a dead letter (architecture §6.2). */
const OWN_NAMES: ReadonlySet<string> = new Set(["reason", "detail", "attempts", "runId"]);
/** SQS takes ten attributes. */
const MAX_FOREIGN_ATTRIBUTES = 10 - OWN_NAMES.size;
/** All four with their names and types stay below 1 KiB, which the codec leaves free in every readable body. */
const MAX_DETAIL_BYTES = 700;
const MAX_NAME_BYTES = 80;

const UNKNOWN = "unknown";

/**
 * The letter as a message: the body without its progress, what happened as attributes, and the attributes of
 * other programs as far as there is room.
 */
export function encodeLetter(letter: DeadLetter, foreign: SqsAttributes): SqsOutgoing {
  const own: SqsAttributes = {
    reason: { DataType: "String", StringValue: attributeText(letter.reason, MAX_NAME_BYTES) },
    detail: { DataType: "String", StringValue: attributeText(letter.detail, MAX_DETAIL_BYTES) },
    attempts: { DataType: "Number", StringValue: String(letter.attempts) },
    runId: { DataType: "String", StringValue: attributeText(letter.runId, MAX_NAME_BYTES) },
  };
  const kept = Object.entries(withoutOwn(foreign)).slice(0, MAX_FOREIGN_ATTRIBUTES);
  const body = escapeRefused(withoutProgress(letter.body));
  const whole = { body, attributes: { ...Object.fromEntries(kept), ...own } };
  return sizeBytesOf(whole) <= MAX_BODY_BYTES ? whole : { body, attributes: own };
}

/**
 * The letter of a body that is too large for any queue together with what has to be said about it. Such a body
 * is unreadable as a task, so that its beginning is all a person needs; the detail says that it was cut.
 */
export function encodeCutLetter(letter: DeadLetter): SqsOutgoing {
  const { body, attributes } = encodeLetter(
    { ...letter, detail: `(Body cut from ${Buffer.byteLength(letter.body)} bytes.) ${letter.detail}` },
    {},
  );
  return { body: cutUtf8(body, MAX_BODY_BYTES - sizeBytesOf({ body: "", attributes })), attributes };
}

/**
 * A message of the dead-letter queue, as a letter. What no run of this program put there has no attributes:
 * SQS itself moves messages by a redrive policy after many receives without acknowledgement, which is what
 * `crash-loop` means; anything else has the reason `unknown`.
 */
export function readLetter(received: SqsReceived): HeldDeadLetter {
  const { reason, detail, attempts, runId } = received.attributes;
  const base = { id: received.messageId, body: received.body };
  const isOurs = reason?.StringValue !== undefined;
  if (!isOurs && received.movedBySqs) {
    return {
      ...base,
      reason: "crash-loop",
      detail:
        "SQS moved this message here: it was received more often than the queue's redrive policy allows.",
      attempts: 0,
      runId: UNKNOWN,
      // SQS keeps only the time at which it entered the task queue.
      deadLetteredAtMs: undefined,
    };
  }
  return {
    ...base,
    reason: reason?.StringValue ?? UNKNOWN,
    detail: detail?.StringValue ?? "The message says nothing about why it is here.",
    attempts: wholeNumber(attempts?.StringValue) ?? 0,
    runId: runId?.StringValue ?? UNKNOWN,
    deadLetteredAtMs: received.sentAtMs,
  };
}

/** The message that moves a letter back: a fresh start, with the attributes of other programs. */
export function messageOfLetter({ body, attributes }: SqsReceived): SqsOutgoing {
  return { body: escapeRefused(withoutProgress(body)), attributes: withoutOwn(attributes) };
}

function withoutOwn(attributes: SqsAttributes): SqsAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !OWN_NAMES.has(name)));
}
