import { unwrapJson } from "./envelopes.ts";
import { type Refusal, refused } from "./refusal.ts";

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
 * The event that a function was called with, without what is wrapped around it. Nobody asked its sender for a secret.
 * So it may have the fields of one known event only: any other may be the mark of an HTTP request of a host that
 * nobody thought of.
 */
export function readDirectEvent(event: unknown): { readonly kind: "json"; readonly json: unknown } | Refusal {
  const unwrapped = unwrapJson(event);
  return unwrapped.kind === "json" && !hasKnownFieldsOnly(event)
    ? refused("unknown-event", "The event has a field that no known event has.")
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
