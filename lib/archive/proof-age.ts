import { ArchiverError } from "../domain/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import type { Attempt } from "./attempt.ts";
import type { Copy } from "./copy.ts";
import { copyDiffers } from "./errors.ts";
import { isAsRecorded } from "./read-back.ts";

/** A copy whose bytes were read longer ago may have rotted since, without a new ETag or modification time. */
export const PROOF_MAX_AGE_MS = 3_600_000;

/**
 * When a record says that its copy was read back, on the monotonic clock; `-Infinity` where it does not, or where
 * its time lies in the future: a wrong clock must not make a proof younger.
 */
export function recordedProofAtMs({ verification, archivedAt }: ArchivedRecord, clock: Clock): number {
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
