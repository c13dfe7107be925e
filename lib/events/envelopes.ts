import * as v from "valibot";
import { MAX_JSON_DEPTH, nestsDeeperThan, parseJson, readForeignJson } from "../domain/json.ts";
import { hasHttpField, MAX_EVENT_BYTES, type Refusal, refused } from "./refusal.ts";

/** An HTTP request as a host hands it over. */
export interface HttpEvent {
  readonly method: string;
  /** Names as they came, in any case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** What a function was called with. */
export type Envelope =
  | { readonly kind: "http"; readonly request: HttpEvent }
  /** It has a mark of HTTP and is not an HTTP request that a host hands over: whoever sent it is not let in. */
  | { readonly kind: "odd-http" }
  | EventBatch
  /** EventBridge, or somebody who may call the function: the event itself. */
  | { readonly kind: "direct"; readonly event: unknown };

const headers = v.nullish(v.record(v.string(), v.union([v.string(), v.undefined()])));
const httpBody = { headers, body: v.nullish(v.string()), isBase64Encoded: v.nullish(v.boolean()) };

/** Lambda function URLs and HTTP APIs (payload 2.0). */
const httpV2Schema = v.object({
  ...httpBody,
  requestContext: v.object({ http: v.object({ method: v.string() }) }),
});
/** API Gateway's older payload, which Huawei's API gateway follows. */
const httpV1Schema = v.object({ ...httpBody, httpMethod: v.string() });
const eventBridgeSchema = v.object({ "detail-type": v.string(), detail: v.unknown() });
/** A notification of SNS inside a message of SQS. */
const snsMessageSchema = v.object({ Type: v.literal("Notification"), Message: v.string() });

/** SNS in SQS, EventBridge in SNS in SQS; no sender needs more. */
const MAX_WRAPPINGS = 3;

const TOO_DEEP = refused("malformed", `The event is nested deeper than ${MAX_JSON_DEPTH} levels.`);

/**
 * Tells by its shape how an event came. Only what has no mark of HTTP and no records is direct: the host has asked who
 * sends those, and the door asks for no secret.
 */
export function readEnvelope(event: unknown): Envelope {
  if (hasMarkOfHttp(event)) {
    return readHttp(event) ?? { kind: "odd-http" };
  }
  return readBatch(event) ?? { kind: "direct", event };
}

const httpVersionSchema = v.object({ version: v.picklist(["1.0", "2.0"]) });

function hasMarkOfHttp(event: unknown): boolean {
  return hasHttpField(event) || v.is(httpVersionSchema, event);
}

/**
 * The event inside a text that came through queues: what other services wrapped around it is taken off.
 */
export function unwrapText(text: string): { readonly kind: "json"; readonly json: unknown } | Refusal {
  if (text.length > MAX_EVENT_BYTES || Buffer.byteLength(text, "utf8") > MAX_EVENT_BYTES) {
    return refused("too-large", "The event is larger than 256 KiB.");
  }
  const json = readForeignJson(text);
  switch (json.kind) {
    case "json":
      return unwrapJson(json.value, MAX_WRAPPINGS);
    case "none":
      return refused("malformed", "The event is not JSON.");
    case "too-deep":
      return TOO_DEEP;
  }
}

/** The same for an event that is parsed already. */
export function unwrapJson(
  json: unknown,
  wrappingsLeft = MAX_WRAPPINGS,
): { readonly kind: "json"; readonly json: unknown } | Refusal {
  if (nestsDeeperThan(json, MAX_JSON_DEPTH)) {
    return TOO_DEEP;
  }
  const bridged = v.safeParse(eventBridgeSchema, json);
  const notified = v.safeParse(snsMessageSchema, json);
  if (!bridged.success && !notified.success) {
    return { kind: "json", json };
  }
  if (wrappingsLeft === 0) {
    return refused("malformed", "The event is wrapped more than three times.");
  }
  const inner = bridged.success
    ? bridged.output.detail
    : notified.success
      ? parseJson(notified.output.Message)
      : undefined;
  return inner === undefined
    ? refused("malformed", "The notification's message is not JSON.")
    : unwrapJson(inner, wrappingsLeft - 1);
}

function readHttp(event: unknown): Envelope | undefined {
  const v2 = v.safeParse(httpV2Schema, event);
  const v1 = v.safeParse(httpV1Schema, event);
  const parsed = v2.success ? v2 : v1;
  if (!parsed.success) {
    return undefined;
  }
  const { headers: given, body, isBase64Encoded } = parsed.output;
  const method = v2.success ? v2.output.requestContext.http.method : v1.success ? v1.output.httpMethod : "";
  return {
    kind: "http",
    request: { method, headers: given ?? {}, body: body ?? "", isBase64Encoded: isBase64Encoded ?? false },
  };
}

/** One record of a batch, read on its own. */
export type BatchRecord =
  | { readonly kind: "text"; readonly text: string; readonly messageId: string | undefined }
  /** What it carries cannot be read; `messageId` where the host can be told to bring it again. */
  | { readonly kind: "malformed"; readonly problem: string; readonly messageId: string | undefined };

/** Records as hosts hand them over; `unknown` where the host is unknown. */
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
function readBatch(event: unknown): EventBatch | undefined {
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
    return { kind: "malformed", problem: "its body is missing or is not a text", messageId };
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
    : { kind: "malformed", problem: "its message is missing or is not a text", messageId: undefined };
}

/** All that the known events have at their top, by the field that tells their kind. */
const FIELDS_OF_KIND: Readonly<Record<string, readonly string[]>> = {
  // EventBridge.
  "detail-type": [
    ...["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"],
    ...["replay-name", "trace-header"],
  ],
  // A notification of SNS.
  Type: [
    ...["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "MessageAttributes"],
    ...["SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL", "SequenceNumber"],
  ],
  // The platform's push (iotda-api §6).
  resource: ["resource", "event", "event_time", "event_time_ms", "request_id", "notify_data"],
};
const REQUEST_FIELDS = ["exportTaskId", "export_task_id"];

/**
 * The event that a function was called with, without what is wrapped around it. Its sender needed no secret.
 * So it may have the fields of one known event only: any other may be the mark of an HTTP request of an unforeseen
 * host.
 */
export function readDirectEvent(event: unknown): { readonly kind: "json"; readonly json: unknown } | Refusal {
  const unwrapped = unwrapJson(event);
  return unwrapped.kind === "json" && !hasKnownFieldsOnly(event)
    ? refused("unknown-event", "The event has an unknown field.")
    : unwrapped;
}

function hasKnownFieldsOnly(event: unknown): boolean {
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    // It is not an event at all, which its reader says.
    return true;
  }
  const kind = Object.keys(FIELDS_OF_KIND).find((name) => Object.hasOwn(event, name));
  const known = (kind === undefined ? undefined : FIELDS_OF_KIND[kind]) ?? REQUEST_FIELDS;
  return Object.keys(event).every((name) => known.includes(name));
}
