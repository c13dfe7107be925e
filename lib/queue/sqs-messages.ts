import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import * as v from "valibot";
import { MAX_BODY_BYTES } from "./message-codec.ts";

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
