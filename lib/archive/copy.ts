import type { ObjectInfo } from "../ports/object-store.ts";
import type { ArchivedRecord } from "../records/schemas.ts";

/** A complete, verified, recorded copy of the listed revision. */
export interface Copy {
  readonly kind: "copy";
  readonly record: ArchivedRecord;
  /** The object as recorded, or as this attempt's read-back saw it: what the gate compares with. */
  readonly seen: ObjectInfo;
  /** When its bytes were last read whole and compared, on the monotonic clock; `-Infinity` when nobody knows. */
  readonly provedAtMs: number;
  /** Whether this attempt made the record. */
  readonly archivedNow: boolean;
}

/** Whether an object is still the one that was seen: size, version, and the store's digest or else its ETag. */
export function isSameObject(now: ObjectInfo, seen: ObjectInfo): boolean {
  const sameVersion = seen.versionId === undefined || now.versionId === seen.versionId;
  const sameContent =
    seen.checksum !== undefined && now.checksum !== undefined
      ? now.checksum === seen.checksum
      : now.etag === seen.etag;
  return now.sizeBytes === seen.sizeBytes && sameVersion && sameContent;
}

/** The part of a record's `object` that HEAD shows too. */
export function recordedInfo({ object }: ArchivedRecord): ObjectInfo {
  return {
    sizeBytes: object.sizeBytes,
    etag: object.etag,
    ...(object.versionId === undefined ? {} : { versionId: object.versionId }),
    ...(object.checksum === undefined ? {} : { checksum: object.checksum }),
  };
}
