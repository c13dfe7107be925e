import { compact } from "../domain/compact.ts";
import { ArchiverError } from "../domain/errors.ts";
import { isObjectOfRevision } from "../domain/key-layout.ts";
import { type Digest, digestOf, isSameContent } from "../integrity/digest.ts";
import { checkMembers } from "../integrity/members.ts";
import type { Clock } from "../ports/clock.ts";
import type { ListedObject, ObjectInfo, ObjectStore } from "../ports/object-store.ts";
import { readInventoryState } from "../records/inventory-state.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import type { Attempt } from "./attempt.ts";
import { copyDiffers } from "./errors.ts";
import type { FinishedTask } from "./inspect-task.ts";
import { requireAllowed } from "./permission.ts";
import { type ProvenCopy, recordArchived } from "./write-records.ts";

/** A complete, verified, recorded copy of the listed revision. */
export interface Copy {
  readonly record: ArchivedRecord;
  /** The object as recorded, or as this attempt's read-back saw it: what the gate compares with. */
  readonly seen: ObjectInfo;
  /** When its bytes were last read whole and compared, on the monotonic clock; `-Infinity` when that is unknown. */
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
  const { sizeBytes, etag, versionId, checksum } = object;
  return compact({ sizeBytes, etag, versionId, checksum });
}

/** Reads a stored object whole and hashes it. Throws what the store throws. */
export async function readBack(
  store: Pick<ObjectStore, "read">,
  key: string,
  signal: AbortSignal,
): Promise<Digest> {
  return await digestOf(store.read(key, { signal }));
}

/** Reads a recorded copy whole: whether its bytes are still what the record says. Throws what the store throws. */
export async function isAsRecorded(
  store: Pick<ObjectStore, "read">,
  { object }: ArchivedRecord,
  signal: AbortSignal,
): Promise<boolean> {
  return isSameContent(await readBack(store, object.key, signal), object);
}

/** A copy whose bytes were read longer ago may have rotted since, without a new ETag or modification time. */
export const PROOF_MAX_AGE_MS = 3_600_000;

/**
 * When a record says that its copy was read back, on the monotonic clock; `-Infinity` where it does not, or where
 * its time lies in the future: a wrong clock must not make a proof younger.
 */
function recordedProofAtMs({ verification, archivedAt }: ArchivedRecord, clock: Clock): number {
  const ageMs = clock.wallMs() - Date.parse(archivedAt);
  return verification.level === "read-back" && ageMs >= 0
    ? clock.monotonicMs() - ageMs
    : Number.NEGATIVE_INFINITY;
}

/** Whether a task may be deleted on the strength of this copy's last proof. A store that scrubs its own checksums proves it itself. */
export function isProofFresh({ run }: Pick<Attempt, "run">, copy: Copy): boolean {
  const ageMs = run.ports.clock.monotonicMs() - copy.provedAtMs;
  return run.abilities.verification === "stored" || ageMs <= PROOF_MAX_AGE_MS;
}

/**
 * Whether the last inventory found a copy damaged that was recorded before this attempt. Then neither a proof of the last
 * hour nor the store's own checksum stands for its bytes. Throws what the store throws.
 */
export async function isKnownDamaged({ run, limit }: Attempt, copy: Copy): Promise<boolean> {
  if (copy.archivedNow) {
    return false;
  }
  const state = await readInventoryState(run.ports.store, run.settings.scope, { signal: limit.signal });
  return state?.damage.some(({ key }) => key === copy.record.object.key) === true;
}

/**
 * Reads a recorded copy whole and compares its SHA-256.
 * @returns the copy with its new proof; `cold` when it lies in a storage class that cannot be read; `damaged` when
 *   its bytes are not what the record says, which is told. Throws what the store throws otherwise.
 */
export async function proveAgain(attempt: Attempt, copy: Copy): Promise<Copy | "cold" | "damaged"> {
  const { store, clock, observe } = attempt.run.ports;
  observe({ kind: "verifying", exportTaskId: attempt.exportTaskId });
  try {
    if (await isAsRecorded(store, copy.record, attempt.limit.signal)) {
      return { ...copy, provedAtMs: clock.monotonicMs() };
    }
  } catch (error) {
    if (error instanceof ArchiverError && error.code === "store-object-cold") {
      return "cold";
    }
    throw error;
  }
  const { code, message, hint } = copyDiffers(
    copy.record.object.key,
    "its bytes changed after it was archived",
  );
  observe({
    kind: "verification-failed",
    exportTaskId: attempt.exportTaskId,
    failure: { code, message, hint },
  });
  return "damaged";
}

/** Step 6: records a copy that was proved. Where another runner's record stands, its copy is the one. */
export async function recordCopy(attempt: Attempt, state: FinishedTask, proven: ProvenCopy): Promise<Copy> {
  const { standing, won } = await recordArchived(attempt, state, proven);
  return {
    record: standing,
    seen: won ? proven.object : recordedInfo(standing),
    provedAtMs: recordedProofAtMs(standing, attempt.run.ports.clock),
    archivedNow: won,
  };
}

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
  const { key } = archived.object;
  const now = await store.head(key, { signal });
  if (now === undefined) {
    return undefined;
  }
  const recorded = recordedInfo(archived);
  const copy = { record: archived, archivedNow: false } as const;
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
