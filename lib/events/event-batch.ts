import * as v from "valibot";

/** One record of a batch, read on its own. */
export type BatchRecord =
  | { readonly kind: "text"; readonly text: string; readonly messageId: string | undefined }
  /** What it carries cannot be read; `messageId` where the host can be told to bring it again. */
  | { readonly kind: "malformed"; readonly problem: string; readonly messageId: string | undefined };

/** Records as hosts hand them over; `unknown` where nobody can tell whose they are. */
export type EventBatch =
  | { readonly kind: "sqs"; readonly records: readonly BatchRecord[] }
  | { readonly kind: "notifications"; readonly records: readonly BatchRecord[] }
  | { readonly kind: "unknown" };

const sqsMark = v.union([
  v.object({ eventSource: v.literal("aws:sqs") }),
  v.object({ messageId: v.string() }),
  v.object({ receiptHandle: v.string() }),
]);
const snsMark = v.object({ EventSource: v.literal("aws:sns") });
const smnMark = v.object({ event_source: v.literal("smn") });

const messageIdSchema = v.object({ messageId: v.pipe(v.string(), v.minLength(1), v.maxLength(256)) });
const sqsSchema = v.object({ body: v.string() });
const snsSchema = v.object({ EventSource: v.literal("aws:sns"), Sns: v.object({ Message: v.string() }) });
/** Huawei's SMN (iotda-api §5.1). */
const smnSchema = v.object({ event_source: v.literal("smn"), smn: v.object({ message: v.string() }) });

const recordsSchema = v.object({ Records: v.unknown() });
const recordSchema = v.object({ record: v.unknown() });

/**
 * Reads a batch of SQS, SNS or SMN; `undefined` for an event that is none. One malformed record costs only itself, and
 * never makes something else of the batch.
 */
export function readBatch(event: unknown): EventBatch | undefined {
  if (v.is(recordsSchema, event)) {
    return batchOf(event.Records);
  }
  return v.is(recordSchema, event) ? notificationsOf(event.record, smnMark) : undefined;
}

function batchOf(records: unknown): EventBatch {
  if (Array.isArray(records) && records.some((record) => v.is(sqsMark, record))) {
    return { kind: "sqs", records: records.map(readSqs) };
  }
  return notificationsOf(records, snsMark);
}

function notificationsOf(records: unknown, mark: typeof snsMark | typeof smnMark): EventBatch {
  return Array.isArray(records) && records.some((record) => v.is(mark, record))
    ? { kind: "notifications", records: records.map(readNotification) }
    : { kind: "unknown" };
}

function readSqs(record: unknown): BatchRecord {
  const messageId = v.is(messageIdSchema, record) ? record.messageId : undefined;
  if (!v.is(sqsSchema, record)) {
    return { kind: "malformed", problem: "it has no body that is a text", messageId };
  }
  // Without its id the host could not be told to bring it again: it is taken all the same.
  return { kind: "text", text: record.body, messageId };
}

function readNotification(record: unknown): BatchRecord {
  if (v.is(snsSchema, record)) {
    return { kind: "text", text: record.Sns.Message, messageId: undefined };
  }
  return v.is(smnSchema, record)
    ? { kind: "text", text: record.smn.message, messageId: undefined }
    : { kind: "malformed", problem: "it has no message that is a text", messageId: undefined };
}
