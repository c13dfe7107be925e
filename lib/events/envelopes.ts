import * as v from "valibot";
import { MAX_JSON_DEPTH, nestsDeeperThan, parseJson, readForeignJson } from "../domain/json.ts";
import { type EventBatch, readBatch } from "./event-batch.ts";
import { hasHttpField } from "./http-fields.ts";
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

/** SNS in SQS, EventBridge in SNS in SQS; nobody needs more. */
const MAX_WRAPPINGS = 3;

const TOO_DEEP = refused("malformed", `The event is nested deeper than ${MAX_JSON_DEPTH} levels.`);

/**
 * Tells by its shape how an event came. Only what has no mark of HTTP and no records is direct: the host has asked who
 * sends those, and nobody asks for a secret.
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
