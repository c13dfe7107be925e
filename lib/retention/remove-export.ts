import { requireOwnArchive } from "../identity/marker.ts";
import type { VersionProtection } from "../ports/retention-store.ts";
import { type RecordedRevision, type RevisionLedger, UNREADABLE } from "../records/retention-records.ts";
import { type DueObject, expiryVerdict, idOf, isLocked, type StayReason } from "./expiry-verdict.ts";
import type { PlatformProof } from "./platform-proof.ts";
import type { RetentionRun } from "./run.ts";
import { isoTime } from "./terms.ts";

/** What came of one export that seemed due. */
export type Removal =
  | {
      readonly kind: "removed";
      readonly rule: string;
      readonly keepUntilMs: number;
      readonly objects: readonly DueObject[];
    }
  | { readonly kind: "stays"; readonly reason: StayReason };

/** A slow hold or lock check makes the list too old; after this many lists the export waits for the next run. */
const MAX_LISTS = 3;

/**
 * Removes the objects of one revision, if everything that allows it holds at this moment; all of it is asked
 * again. `expired.json` is written before the first removal: a run that dies in between is finished by the
 * next one, which asks everything again as well.
 *
 * @throws what store and platform throw; nothing is removed after that.
 */
export async function removeExport(
  run: RetentionRun,
  proof: PlatformProof,
  revision: RecordedRevision,
  nowMs: number,
): Promise<Removal> {
  const ledger = await run.records.readAnew(revision, run);
  if (ledger === undefined) {
    return stays("unrecorded");
  }
  const verdict = expiryVerdict(run.settings.policy, ledger, nowMs);
  if (verdict.kind === "stays") {
    return stays(verdict.reason);
  }
  const objection = await whyNot(run, proof, ledger, verdict.objects, nowMs);
  if (objection !== undefined) {
    return stays(objection);
  }
  const { rule, keepUntilMs } = verdict;
  const facts = {
    objects: [...verdict.objects],
    rule: rule.name,
    keepUntil: isoTime(keepUntilMs),
    expiredAt: isoTime(run.ports.clock.wallMs()),
    runId: run.runId,
  };
  if (!names(ledger, verdict.objects) && !(await run.records.writeExpired(ledger, facts, run))) {
    return stays("lost-race");
  }
  // Again, now that it is written: the last answers before the removal are the ones it rests on.
  const lateObjection = await whyNot(run, proof, ledger, verdict.objects, nowMs);
  if (lateObjection !== undefined) {
    return stays(lateObjection);
  }
  for (const object of verdict.objects) {
    await run.ports.store.removeVersion(object, run);
  }
  return { kind: "removed", rule: rule.name, keepUntilMs, objects: verdict.objects };
}

function stays(reason: StayReason): Removal {
  return { kind: "stays", reason };
}

/** Whether the standing `expired` record names every one of these versions. */
function names({ expired }: RevisionLedger, objects: readonly DueObject[]): boolean {
  if (expired === undefined || expired === UNREADABLE) {
    return false;
  }
  const named = new Set(expired.objects.map(idOf));
  return objects.every((object) => named.has(idOf(object)));
}

/** What the world objects: the platform's list, locks and holds; all again when the list has become old meanwhile. */
async function whyNot(
  run: RetentionRun,
  proof: PlatformProof,
  { exportTaskId, expired }: RevisionLedger,
  objects: readonly DueObject[],
  nowMs: number,
): Promise<StayReason | undefined> {
  for (let attempt = 1; attempt <= MAX_LISTS; attempt += 1) {
    const { sight, list } = await proof.lookFor(exportTaskId);
    if (sight !== "absent") {
      return sight;
    }
    const protections = await readProtections(run, objects);
    if (protections.every((protection) => protection === undefined)) {
      return expired === undefined ? "missing" : "removed-before";
    }
    if (protections.some((protection) => protection !== undefined && isLocked(protection, nowMs))) {
      return "locked";
    }
    if ((await run.holds.read(run)).isHeld(exportTaskId)) {
      return "held";
    }
    // No hold in a store that was put in the archive's place proves nothing.
    await requireOwnArchive(run, run);
    if (proof.isFresh(list)) {
      return undefined;
    }
  }
  return "lost-race";
}

async function readProtections(
  run: RetentionRun,
  objects: readonly DueObject[],
): Promise<readonly (VersionProtection | undefined)[]> {
  const protections: (VersionProtection | undefined)[] = [];
  for (const object of objects) {
    protections.push(await run.ports.store.readProtection(object, run));
  }
  return protections;
}
