import { ArchiverError } from "../domain/errors.ts";
import { digestOf, isSameContent } from "../integrity/digest.ts";
import { readInventoryState } from "../records/inventory-state.ts";
import { isSameObject, recordedInfo } from "../records/recorded-object.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import type { SeenCopy } from "../run/archived-exports.ts";
import type { Attempt } from "./attempt.ts";
import type { Copy } from "./copy.ts";
import { copyDiffers } from "./errors.ts";

/** A copy whose bytes were read longer ago may have rotted since, without a new ETag or modification time. */
export const PROOF_MAX_AGE_MS = 3_600_000;

/** Reads a recorded copy whole: whether its bytes are still what the record says. Throws what the store throws. */
async function isAsRecorded({ run, limit }: Attempt, { object }: ArchivedRecord): Promise<boolean> {
  const { store, clock } = run.ports;
  const digest = await digestOf(store.read(object.key, { signal: limit.signal }));
  if (!isSameContent(digest, object)) {
    run.readAtMs.delete(object.key);
    return false;
  }
  run.readAtMs.set(object.key, clock.monotonicMs());
  return true;
}

/**
 * When a record says that its copy was read back, on the monotonic clock; `-Infinity` where it does not, or where
 * its time lies in the future: a wrong clock must not make a proof younger.
 */
function recordedProofAtMs({ run }: Attempt, { verification, archivedAt }: ArchivedRecord): number {
  const { clock } = run.ports;
  const ageMs = clock.wallMs() - Date.parse(archivedAt);
  return verification.level === "read-back" && ageMs >= 0
    ? clock.monotonicMs() - ageMs
    : Number.NEGATIVE_INFINITY;
}

/**
 * The keys of copies that the last inventory found damaged. For them neither a proof from before it nor the store's own
 * checksum stands. Throws what the store throws.
 */
export async function damagedKeys({ run, limit }: Attempt): Promise<ReadonlySet<string>> {
  const state = await readInventoryState(run.ports.store, run.settings.scope, { signal: limit.signal });
  return new Set(state?.damage.map(({ key }) => key));
}

/**
 * Whether a delete that relies on this copy has to wait until it was read whole once more: it is known as damaged, is not
 * the object that was recorded, or was last read more than an hour ago in a store that does not scrub its checksums itself.
 */
function mustBeRead(attempt: Attempt, { record, seen }: SeenCopy, isKnownDamaged: boolean): boolean {
  const { run } = attempt;
  const { key } = record.object;
  const isFresh = (atMs: number) => run.ports.clock.monotonicMs() - atMs <= PROOF_MAX_AGE_MS;
  if (isFresh(run.readAtMs.get(key) ?? Number.NEGATIVE_INFINITY)) {
    return false;
  }
  const isProven = run.abilities.verification === "stored" || isFresh(recordedProofAtMs(attempt, record));
  return isKnownDamaged || !isProven || !isSameObject(seen, recordedInfo(record));
}

/**
 * What became of the proofs that a delete relies on. `fresh`: they stand. `renewed`: copies were read, which took its
 * time, and the gate has to be passed again. The others open no gate.
 */
export type ProofsVerdict = "fresh" | "renewed" | "cold" | "damaged" | "sibling-unproven";

/**
 * Reads whole what a delete relies on and has no fresh proof: the task's own copy, and the copies of the siblings whose
 * file the platform may remove with the task's. Throws what the store throws.
 */
export async function renewProofs(
  attempt: Attempt,
  own: Copy,
  siblings: readonly SeenCopy[],
): Promise<ProofsVerdict> {
  let verdict: ProofsVerdict = "fresh";
  if (mustBeRead(attempt, own, own.isKnownDamaged)) {
    const proof = await prove(attempt, own.record);
    if (proof !== "proven") {
      return proof;
    }
    verdict = "renewed";
  }
  const damaged = siblings.length > 0 ? await damagedKeys(attempt) : new Set<string>();
  for (const sibling of siblings) {
    if (mustBeRead(attempt, sibling, damaged.has(sibling.record.object.key))) {
      if ((await prove(attempt, sibling.record)) !== "proven") {
        return "sibling-unproven";
      }
      verdict = "renewed";
    }
  }
  return verdict;
}

/**
 * Reads a recorded copy whole and compares its SHA-256: `cold` when it lies in a storage class that cannot be read,
 * `damaged` when its bytes are not what the record says, which is told. Throws what the store throws otherwise.
 */
export async function prove(
  attempt: Attempt,
  record: ArchivedRecord,
): Promise<"proven" | "cold" | "damaged"> {
  const { observe } = attempt.run.ports;
  const { exportTaskId, object } = record;
  observe({ kind: "verifying", exportTaskId });
  try {
    if (await isAsRecorded(attempt, record)) {
      return "proven";
    }
  } catch (error) {
    if (error instanceof ArchiverError && error.code === "store-object-cold") {
      return "cold";
    }
    throw error;
  }
  const { code, message, hint } = copyDiffers(object.key, "its bytes changed after it was archived");
  observe({ kind: "verification-failed", exportTaskId, failure: { code, message, hint } });
  return "damaged";
}
