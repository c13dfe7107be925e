import { ArchiverError } from "../domain/errors.ts";
import { isObjectOfRevision } from "../domain/key-layout.ts";
import { checkMembers } from "../integrity/members.ts";
import type { ListedObject, ObjectInfo } from "../ports/object-store.ts";
import type { Attempt } from "./attempt.ts";
import { type Copy, isAsRecorded, isSameObject, readBack, recordedInfo, recordedProofAtMs } from "./copy.ts";
import type { FinishedTask } from "./inspect-task.ts";
import { recordArchived } from "./write-records.ts";

/** How many unrecorded objects of one revision are looked at; each may have to be read whole. */
const MAX_ADOPTION_CANDIDATES = 3;

/**
 * The recorded copy, if it still checks out. Where HEAD differs from the record (moved to another disk,
 * re-encrypted) the bytes decide.
 */
export async function recordedCopy(attempt: Attempt, state: FinishedTask): Promise<Copy | undefined> {
  const { archived } = state.records;
  if (archived === undefined) {
    return undefined;
  }
  const { store, clock } = attempt.run.ports;
  const { signal } = attempt.limit;
  const { key, sizeBytes } = archived.object;
  attempt.learned.sizeBytes = sizeBytes;
  const now = await store.head(key, { signal });
  if (now === undefined) {
    return undefined;
  }
  const recorded = recordedInfo(archived);
  const copy = { kind: "copy", record: archived, archivedNow: false } as const;
  if (isSameObject(now, recorded)) {
    return { ...copy, seen: recorded, provedAtMs: recordedProofAtMs(archived, clock) };
  }
  const provedAtMs = clock.monotonicMs();
  return (await isAsRecorded(store, archived, signal)) ? { ...copy, seen: now, provedAtMs } : undefined;
}

/**
 * An object of this revision without a record: its runner died between completing and recording it. It was
 * completed only after proof, and is taken over when every member's CRC-32 checks out on reading it back. One that
 * cannot be read, since it lies in an archive storage class, is passed over like one that does not check out.
 */
export async function adoptedCopy(attempt: Attempt, state: FinishedTask): Promise<Copy | undefined> {
  if (state.records.archived !== undefined) {
    return undefined;
  }
  for (const { key, modifiedAtMs } of await adoptionCandidates(attempt, state)) {
    const found = await readCandidate(attempt, key);
    if (found !== undefined) {
      return await recordArchived(attempt, state, {
        object: { key, ...found.info },
        sha256: found.sha256,
        verification: { level: "read-back", container: "members", adopted: true },
        downloadedAtMs: modifiedAtMs,
      });
    }
  }
  return undefined;
}

/** An unrecorded object with its hash; `undefined` unless every member's CRC-32 checks out. */
async function readCandidate(
  attempt: Attempt,
  key: string,
): Promise<{ readonly info: ObjectInfo; readonly sha256: string } | undefined> {
  const { store } = attempt.run.ports;
  const { signal } = attempt.limit;
  const info = await store.head(key, { signal });
  if (info === undefined) {
    return undefined;
  }
  const bytes = {
    read: (startByte: number, endByteExclusive: number) =>
      store.read(key, { signal, range: { startByte, endByteExclusive } }),
  };
  try {
    const members = await checkMembers(bytes, info.sizeBytes, { signal });
    if (members.kind !== "intact") {
      return undefined;
    }
    const { sha256, sizeBytes } = await readBack(store, key, signal);
    return sizeBytes === info.sizeBytes ? { info, sha256 } : undefined;
  } catch (error) {
    // Restoring it takes somebody, and hours; the platform has the file now (architecture §4, step 2).
    if (error instanceof ArchiverError && error.code === "store-object-cold") {
      return undefined;
    }
    throw error;
  }
}

/** Newest first: the latest attempt is the likeliest to be whole. */
async function adoptionCandidates(attempt: Attempt, state: FinishedTask): Promise<readonly ListedObject[]> {
  const candidates: ListedObject[] = [];
  const prefix = `${state.folder}${state.revision}-`;
  for await (const object of attempt.run.ports.store.list(prefix, { signal: attempt.limit.signal })) {
    if (object.oddity === undefined && isObjectOfRevision(object.key, state.folder, state.revision)) {
      candidates.push(object);
    }
  }
  return candidates.sort((a, b) => b.modifiedAtMs - a.modifiedAtMs).slice(0, MAX_ADOPTION_CANDIDATES);
}
