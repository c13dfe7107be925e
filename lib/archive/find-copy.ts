import { isObjectOfRevision } from "../domain/key-layout.ts";
import { checkMembers } from "../integrity/members.ts";
import type { ListedObject } from "../ports/object-store.ts";
import { type Copy, isSameObject, recordedInfo } from "./copy.ts";
import type { FinishedTask } from "./look.ts";
import { readBack } from "./read-back.ts";
import { recordArchived } from "./record-archived.ts";
import type { Visit } from "./visit.ts";

/** How many unrecorded objects of one revision are looked at; each may have to be read whole. */
const MAX_ADOPTION_CANDIDATES = 3;

/**
 * The recorded copy, if it still checks out. Where HEAD differs from the record (moved to another disk,
 * re-encrypted) the bytes decide.
 */
export async function standingCopy(visit: Visit, sight: FinishedTask): Promise<Copy | undefined> {
  const { archived } = sight.records;
  if (archived === undefined) {
    return undefined;
  }
  const { store } = visit.run.ports;
  const { signal } = visit.limit;
  const { key, sizeBytes, sha256 } = archived.object;
  visit.learned.sizeBytes = sizeBytes;
  const now = await store.head(key, { signal });
  if (now === undefined) {
    return undefined;
  }
  const recorded = recordedInfo(archived);
  if (isSameObject(now, recorded)) {
    return { kind: "copy", record: archived, seen: recorded, archivedNow: false };
  }
  const read = await readBack(store, key, signal);
  const isIntact = read.sizeBytes === sizeBytes && read.sha256 === sha256;
  return isIntact ? { kind: "copy", record: archived, seen: now, archivedNow: false } : undefined;
}

/**
 * An object of this revision without a record: its runner died between completing and recording it. It was
 * completed only after proof, and is taken over when every member's CRC-32 checks out on reading it back.
 */
export async function adoptedCopy(visit: Visit, sight: FinishedTask): Promise<Copy | undefined> {
  if (sight.records.archived !== undefined) {
    return undefined;
  }
  const { store } = visit.run.ports;
  const { signal } = visit.limit;
  for (const candidate of await adoptionCandidates(visit, sight)) {
    const info = await store.head(candidate.key, { signal });
    if (info === undefined) {
      continue;
    }
    const bytes = {
      read: (startByte: number, endByteExclusive: number) =>
        store.read(candidate.key, { signal, range: { startByte, endByteExclusive } }),
    };
    const members = await checkMembers(bytes, info.sizeBytes, { signal });
    if (members.kind !== "intact") {
      continue;
    }
    const { sha256, sizeBytes } = await readBack(store, candidate.key, signal);
    if (sizeBytes === info.sizeBytes) {
      return await recordArchived(visit, sight, {
        object: { key: candidate.key, ...info },
        sha256,
        verification: { level: "read-back", container: "members", adopted: true },
        downloadedAtMs: candidate.modifiedAtMs,
      });
    }
  }
  return undefined;
}

/** Newest first: the latest attempt is the likeliest to be whole. */
async function adoptionCandidates(visit: Visit, sight: FinishedTask): Promise<readonly ListedObject[]> {
  const candidates: ListedObject[] = [];
  const prefix = `${sight.folder}${sight.revision}-`;
  for await (const object of visit.run.ports.store.list(prefix, { signal: visit.limit.signal })) {
    if (isObjectOfRevision(object.key, sight.folder, sight.revision)) {
      candidates.push(object);
    }
  }
  return candidates.sort((a, b) => b.modifiedAtMs - a.modifiedAtMs).slice(0, MAX_ADOPTION_CANDIDATES);
}
