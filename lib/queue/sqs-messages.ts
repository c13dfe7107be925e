import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import * as v from "valibot";
import { formatBytes } from "../domain/format-bytes.ts";
import type { DeadLetter, HeldDeadLetter } from "../ports/task-queue.ts";
import { MAX_BODY_BYTES, withoutProgress } from "./message-codec.ts";
import { attributeText, cutUtf8, escapeRefused } from "./sqs-text.ts";

/** Message attributes: of other programs on a task message, of ours on a dead letter. */
export type SqsAttributes = Readonly<Record<string, MessageAttributeValue>>;

/** A message to be sent. */
export interface SqsOutgoing {
  readonly body: string;
  readonly attributes: SqsAttributes;
}

/** A message as SQS hands it out; everything else of it is not needed. */
const receivedSchema = v.object({
  MessageId: v.pipe(v.string(), v.minLength(1)),
  ReceiptHandle: v.pipe(v.string(), v.minLength(1)),
  Body: v.string(),
  Attributes: v.optional(v.record(v.string(), v.string()), {}),
  MessageAttributes: v.optional(
    v.record(
      v.string(),
      v.object({
        DataType: v.string(),
        StringValue: v.optional(v.string()),
        BinaryValue: v.optional(v.instance(Uint8Array)),
      }),
    ),
    {},
  ),
});

export interface SqsReceived {
  readonly messageId: string;
  readonly handle: string;
  readonly body: string;
  readonly attributes: SqsAttributes;
  /** 1 where the queue does not say. */
  readonly receiveCount: number;
  /** When it was first put into any queue. */
  readonly sentAtMs: number | undefined;
  /** SQS itself moved it here, by a redrive policy. */
  readonly movedBySqs: boolean;
}

/** The system attributes that {@link readReceived} reads. */
export const SYSTEM_ATTRIBUTES = [
  "ApproximateReceiveCount",
  "SentTimestamp",
  "DeadLetterQueueSourceArn",
] as const;

/** The messages of an answer, or `undefined` when one of them is not as documented. */
export function readReceived(messages: unknown): readonly SqsReceived[] | undefined {
  const result = v.safeParse(v.optional(v.array(receivedSchema), []), messages);
  return result.success ? result.output.map(fromWire) : undefined;
}

function fromWire(message: v.InferOutput<typeof receivedSchema>): SqsReceived {
  const { ApproximateReceiveCount, SentTimestamp, DeadLetterQueueSourceArn } = message.Attributes;
  return {
    messageId: message.MessageId,
    handle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.MessageAttributes,
    receiveCount: Math.max(1, wholeNumber(ApproximateReceiveCount) ?? 1),
    sentAtMs: wholeNumber(SentTimestamp),
    movedBySqs: DeadLetterQueueSourceArn !== undefined,
  };
}

/** A count or time as SQS writes it; `undefined` for anything else. */
export function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** What SQS counts against its limits: the body, and name, type and value of each attribute. */
export function sizeBytesOf({ body, attributes }: SqsOutgoing): number {
  const attributeSizes = Object.entries(attributes).map(
    ([name, { DataType = "", StringValue = "", BinaryValue }]) =>
      Buffer.byteLength(name + DataType + StringValue) + (BinaryValue?.byteLength ?? 0),
  );
  return attributeSizes.reduce((sum, size) => sum + size, Buffer.byteLength(body));
}

/** The message, without its attributes where both together are larger than what every queue takes. */
export function withinLimit(message: SqsOutgoing): SqsOutgoing {
  return sizeBytesOf(message) <= MAX_BODY_BYTES ? message : { ...message, attributes: {} };
}

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
    { ...letter, detail: `(Body cut from ${formatBytes(Buffer.byteLength(letter.body))}.) ${letter.detail}` },
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
    detail: detail?.StringValue ?? "The message does not say why it is here.",
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
