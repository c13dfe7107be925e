import * as v from "valibot";
import { parseJson } from "../domain/json.ts";
import { MAX_EVENT_BYTES } from "./outside-event.ts";
import { type Refusal, refused } from "./refusal.ts";

/** An HTTP request as a host hands it over. */
export interface HttpEvent {
  readonly method: string;
  /** Names as they came, in any case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** A message of SQS; the host is told for each whether it was settled. */
export interface SqsRecord {
  readonly messageId: string;
  readonly body: string;
}

/** What a function was called with. */
export type Envelope =
  | { readonly kind: "http"; readonly request: HttpEvent }
  | { readonly kind: "sqs"; readonly records: readonly SqsRecord[] }
  /** Notifications of SNS or SMN, as the texts they carry. */
  | { readonly kind: "notifications"; readonly texts: readonly string[] }
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
const sqsSchema = v.object({
  Records: v.pipe(
    v.array(v.object({ eventSource: v.literal("aws:sqs"), messageId: v.string(), body: v.string() })),
    v.minLength(1),
  ),
});
const snsSchema = v.object({
  Records: v.pipe(
    v.array(v.object({ EventSource: v.literal("aws:sns"), Sns: v.object({ Message: v.string() }) })),
    v.minLength(1),
  ),
});
/** Huawei's SMN (reference §5.1). */
const smnSchema = v.object({
  record: v.pipe(
    v.array(v.object({ event_source: v.literal("smn"), smn: v.object({ message: v.string() }) })),
    v.minLength(1),
  ),
});
const eventBridgeSchema = v.object({ "detail-type": v.string(), detail: v.unknown() });
/** A notification of SNS inside a message of SQS. */
const snsMessageSchema = v.object({ Type: v.literal("Notification"), Message: v.string() });

/** SNS in SQS, EventBridge in SNS in SQS; nobody needs more. */
const MAX_WRAPPINGS = 3;

/** Tells by its shape how an event came. */
export function readEnvelope(event: unknown): Envelope {
  for (const read of [readHttp, readSqs, readNotifications]) {
    const envelope = read(event);
    if (envelope !== undefined) {
      return envelope;
    }
  }
  return { kind: "direct", event };
}

/**
 * The event inside a text that came through queues: what other services wrapped around it is taken off.
 */
export function unwrapText(text: string): { readonly kind: "json"; readonly json: unknown } | Refusal {
  if (text.length > MAX_EVENT_BYTES || Buffer.byteLength(text, "utf8") > MAX_EVENT_BYTES) {
    return refused("too-large", "The event is larger than 256 KiB.");
  }
  const json = parseJson(text);
  return json === undefined ? refused("malformed", "The event is no JSON.") : unwrapJson(json, MAX_WRAPPINGS);
}

/** The same for an event that is parsed already. */
export function unwrapJson(
  json: unknown,
  wrappingsLeft = MAX_WRAPPINGS,
): { readonly kind: "json"; readonly json: unknown } | Refusal {
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
    ? refused("malformed", "The notification's message is no JSON.")
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

function readSqs(event: unknown): Envelope | undefined {
  const parsed = v.safeParse(sqsSchema, event);
  return parsed.success ? { kind: "sqs", records: parsed.output.Records } : undefined;
}

function readNotifications(event: unknown): Envelope | undefined {
  const sns = v.safeParse(snsSchema, event);
  if (sns.success) {
    return { kind: "notifications", texts: sns.output.Records.map(({ Sns }) => Sns.Message) };
  }
  const smn = v.safeParse(smnSchema, event);
  return smn.success
    ? { kind: "notifications", texts: smn.output.record.map(({ smn: { message } }) => message) }
    : undefined;
}
