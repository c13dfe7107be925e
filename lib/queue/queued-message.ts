import * as v from "valibot";
import { parseDocumentJson } from "../domain/json.ts";
import type { StoredDocument } from "../ports/object-store.ts";
import { jsonText } from "../records/create-once.ts";
import { isoTime, SCHEMA_VERSION, schemaVersion } from "../records/schemas.ts";
import { MAX_BODY_BYTES } from "./message-codec.ts";

/** ARCHIVER_VISIBILITY_MS may be 12 hours at most; a claim beyond that was not made by this program. */
const MAX_CLAIM_MS = 24 * 3_600_000;

const claimSchema = v.object({
  /** Random, of one receive: the right to settle the message. */
  handle: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  /** Until then the message is hidden. By the store's clock. */
  visibleAt: isoTime,
  receiveCount: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
});

const messageSchema = v.object({
  schemaVersion,
  body: v.string(),
  /** Of the last receive; missing before the first. */
  claim: v.optional(claimSchema),
});

/** A message as its document says it. */
export type QueuedMessage = v.InferOutput<typeof messageSchema>;

/** What stands at a message's key. */
export type FoundMessage =
  | { readonly kind: "message"; readonly message: QueuedMessage; readonly etag: string }
  /** `problem` follows the file's name, and quotes nothing of it. */
  | { readonly kind: "odd"; readonly problem: string };

/** The document of a message. */
export function messageText(message: Omit<QueuedMessage, "schemaVersion">): string {
  return jsonText({ schemaVersion: SCHEMA_VERSION, ...message });
}

/**
 * Reads what stands at a message's key. Other programs may put a body there as it is, a bare id or JSON: it becomes a
 * message like any other.
 */
export function readMessage({ text, etag }: StoredDocument): FoundMessage {
  if (text === undefined) {
    return { kind: "odd", problem: "is not a text" };
  }
  const json = parseDocumentJson(text);
  const parsed = v.safeParse(messageSchema, json);
  const message = parsed.success ? parsed.output : { schemaVersion: SCHEMA_VERSION, body: text };
  if (!parsed.success && typeof json === "object" && json !== null && "schemaVersion" in json) {
    return { kind: "odd", problem: "was written by a newer version, or edited" };
  }
  if (Buffer.byteLength(message.body, "utf8") > MAX_BODY_BYTES) {
    return { kind: "odd", problem: "has a body larger than 256 KiB" };
  }
  return { kind: "message", message, etag };
}

/** When a message that is due becomes visible again; `undefined` when it is visible. */
export function hiddenUntilMs({ claim }: QueuedMessage, nowMs: number): number | undefined {
  const visibleAtMs = claim === undefined ? 0 : Date.parse(claim.visibleAt);
  // One that says "in a year" would hide the message for good.
  return visibleAtMs > nowMs && visibleAtMs <= nowMs + MAX_CLAIM_MS ? visibleAtMs : undefined;
}
