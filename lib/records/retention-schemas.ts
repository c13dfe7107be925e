import * as v from "valibot";
import { isoTime, schemaVersion } from "./schemas.ts";

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
