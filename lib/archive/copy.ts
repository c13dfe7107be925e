import { ArchiverError } from "../domain/errors.ts";
import { isObjectOfRevision } from "../domain/key-layout.ts";
import { type Digest, digestOf } from "../integrity/digest.ts";
import { checkMembers } from "../integrity/members.ts";
import type { ListedObject, ObjectInfo, ObjectStore } from "../ports/object-store.ts";
import { isSameObject, recordedInfo } from "../records/recorded-object.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import type { Attempt } from "./attempt.ts";
import type { FinishedTask } from "./inspect-task.ts";
import { requireAllowed } from "./permission.ts";
import { damagedKeys, prove } from "./proofs.ts";
import { type ProvenCopy, recordArchived } from "./write-records.ts";

/** A complete, verified, recorded copy of the listed revision. */
export interface Copy {
  readonly record: ArchivedRecord;
  /** The object as recorded, or as this attempt's read-back saw it: what the gate compares with. */
  readonly seen: ObjectInfo;
  /** Whether this attempt made the record. */
  readonly archivedNow: boolean;
  /** Whether the last inventory found it damaged: what the store says of it proves nothing then. */
  readonly isKnownDamaged: boolean;
}

/** Reads a stored object whole and hashes it. Throws what the store throws. */
export async function readBack(
  store: Pick<ObjectStore, "read">,
  key: string,
  signal: AbortSignal,
): Promise<Digest> {
  return await digestOf(store.read(key, { signal }));
}

/** Step 6: records a copy that was proved. Where another runner's record stands, its copy is the one. */
export async function recordCopy(attempt: Attempt, state: FinishedTask, proven: ProvenCopy): Promise<Copy> {
  const { standing, won } = await recordArchived(attempt, state, proven);
  return {
    record: standing,
    seen: won ? proven.object : recordedInfo(standing),
    archivedNow: won,
    isKnownDamaged: false,
  };
}

/** How many unrecorded objects of one revision are looked at; each may have to be read whole. */
const MAX_ADOPTION_CANDIDATES = 3;

/**
 * The recorded copy, if it still checks out. Where HEAD differs from the record (moved to another disk, re-encrypted), or
 * the last inventory found it damaged, the bytes decide. One that cannot be read, since it lies in an archive storage class,
 * stands; the gate lets no task be deleted for it.
 */
export async function recordedCopy(attempt: Attempt, state: FinishedTask): Promise<Copy | undefined> {
  const { archived } = state.records;
  if (archived === undefined) {
    return undefined;
  }
  const { key } = archived.object;
  const seen = await attempt.run.ports.store.head(key, { signal: attempt.limit.signal });
  if (seen === undefined) {
    return undefined;
  }
  const isKnownDamaged = (await damagedKeys(attempt)).has(key);
  const mustBeRead = isKnownDamaged || !isSameObject(seen, recordedInfo(archived));
  return mustBeRead && (await prove(attempt, archived)) === "damaged"
    ? undefined
    : { record: archived, seen, archivedNow: false, isKnownDamaged };
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
  requireAllowed(attempt, "archive");
  for (const { key, modifiedAtMs } of await adoptionCandidates(attempt, state)) {
    const found = await readCandidate(attempt, key);
    if (found !== undefined) {
      return await recordCopy(attempt, state, {
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
