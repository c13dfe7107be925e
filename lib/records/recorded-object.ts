import { compact } from "../domain/compact.ts";
import type { ObjectInfo } from "../ports/object-store.ts";
import type { ArchivedRecord } from "./schemas.ts";

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
  const { sizeBytes, etag, versionId, checksum } = object;
  return compact({ sizeBytes, etag, versionId, checksum });
}
