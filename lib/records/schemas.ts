import * as v from "valibot";
import { idempotencyKeyOf, type PlatformScope } from "../domain/export-task.ts";
import { parseDocumentJson } from "../domain/json.ts";
import { parseExportObjectKey } from "../domain/key-layout.ts";
import type { StoredDocument } from "../ports/object-store.ts";

/** The version this program writes. Readers accept every version written so far (architecture §6.3). */
export const SCHEMA_VERSION = 1;

export const schemaVersion = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(SCHEMA_VERSION));
/** A moment in ISO 8601 text, its zone named. Some of its spellings, such as `+08`, name no moment for JavaScript. */
export const isoTime = v.pipe(
  v.string(),
  v.isoTimestamp(),
  v.check((text) => !Number.isNaN(Date.parse(text)), "is not a moment that can be computed with"),
);
const revision = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const sizeBytes = v.pipe(v.number(), v.integer(), v.minValue(0));

/** `archived.json`: the commit point of one revision. */
export const archivedRecordSchema = v.object({
  schemaVersion,
  idempotencyKey: v.string(),
  projectId: v.string(),
  instanceId: v.nullable(v.string()),
  exportTaskId: v.string(),
  revision,
  object: v.object({
    /** Below the store's prefix. */
    key: v.string(),
    versionId: v.optional(v.string()),
    sizeBytes,
    sha256,
    etag: v.string(),
    checksum: v.optional(v.string()),
  }),
  /** The listed task, verbatim. */
  source: v.record(v.string(), v.unknown()),
  verification: v.object({
    level: v.picklist(["stored", "read-back"]),
    container: v.picklist(["members", "structure", "off"]),
    adopted: v.optional(v.boolean()),
  }),
  /** When the download began; for an adopted object, when the store got it. */
  downloadedAt: isoTime,
  archivedAt: isoTime,
  runId: v.string(),
  /** Failed tries before this one. */
  attempts: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type ArchivedRecord = v.InferOutput<typeof archivedRecordSchema>;

/** `deleted.json`: the task is gone from the platform, seen in a fresh list. */
export const deletedRecordSchema = v.object({
  schemaVersion,
  idempotencyKey: v.string(),
  deletedAt: isoTime,
  confirmedAt: isoTime,
  runId: v.string(),
  /** `already-gone`: the platform or somebody else removed it after it was archived. */
  outcome: v.picklist(["deleted", "already-gone"]),
});
export type DeletedRecord = v.InferOutput<typeof deletedRecordSchema>;

/** `dead-letter.json`, and the letters under `dead-letters/`, which have neither revision nor idempotency key. */
export const deadLetterRecordSchema = v.object({
  schemaVersion,
  idempotencyKey: v.optional(v.string()),
  exportTaskId: v.optional(v.string()),
  revision: v.optional(revision),
  reason: v.string(),
  detail: v.string(),
  attempts: v.pipe(v.number(), v.integer(), v.minValue(0)),
  runId: v.string(),
  deadLetteredAt: isoTime,
  /** The message as it was received, shortened when it is long. */
  body: v.string(),
});
export type DeadLetterRecord = v.InferOutput<typeof deadLetterRecordSchema>;

/**
 * Reads a document as a record.
 * @returns `undefined` when there is none, or none of this kind: an unparsable record never opens the gate.
 */
export function parseRecord<Schema extends v.GenericSchema>(
  schema: Schema,
  document: Pick<StoredDocument, "text"> | undefined,
): v.InferOutput<Schema> | undefined {
  if (document?.text === undefined) {
    return undefined;
  }
  const result = v.safeParse(schema, parseDocumentJson(document.text));
  return result.success ? result.output : undefined;
}

/** Whether a record is about this revision, and its object lies where archive runs put objects of it. */
export function isOwnArchived(
  record: ArchivedRecord,
  scope: PlatformScope,
  exportTaskId: string,
  revision: string,
): boolean {
  const named = parseExportObjectKey(record.object.key, scope);
  return (
    record.idempotencyKey === idempotencyKeyOf(scope, exportTaskId, revision) &&
    named?.exportTaskId === exportTaskId &&
    named.revision === revision
  );
}

/** A moment, or the word that there is none. */
const isoTimeOrForever = v.union([v.literal("forever"), isoTime]);

/** One stored version, as a record names it. */
const recordedVersion = {
  /** Below the store's prefix. */
  key: v.string(),
  versionId: v.optional(v.string()),
};

/** `retained.json`: how long the recorded version is kept, and what the store does about it. */
export const retainedRecordSchema = v.object({
  schemaVersion,
  idempotencyKey: v.string(),
  object: v.object(recordedVersion),
  /** The name of the policy's rule. */
  rule: v.string(),
  keepUntil: isoTimeOrForever,
  lock: v.picklist(["none", "governance", "compliance"]),
  /** Set where the store holds a lock of ours or a longer one. */
  lockedUntil: v.optional(isoTime),
  tags: v.record(v.string(), v.string()),
  /** `unsupported`: the store has none, and only this record says how long the object is kept. */
  applied: v.object({
    lock: v.picklist(["locked", "none", "unsupported"]),
    tags: v.picklist(["tagged", "unsupported"]),
  }),
  retainedAt: isoTime,
  runId: v.string(),
});
export type RetainedRecord = v.InferOutput<typeof retainedRecordSchema>;

/** `expired.json`: written before the objects it names are removed, so that a removal is never a riddle. */
export const expiredRecordSchema = v.object({
  schemaVersion,
  idempotencyKey: v.string(),
  objects: v.pipe(
    v.array(v.object({ ...recordedVersion, sizeBytes: v.number(), sha256: v.string() })),
    v.minLength(1),
  ),
  rule: v.string(),
  keepUntil: isoTime,
  expiredAt: isoTime,
  runId: v.string(),
});
export type ExpiredRecord = v.InferOutput<typeof expiredRecordSchema>;
