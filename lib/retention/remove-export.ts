import { requireOwnArchive } from "../identity/marker.ts";
import type { VersionProtection } from "../ports/retention-store.ts";
import { type RecordedRevision, type RevisionLedger, UNREADABLE } from "../records/retention-records.ts";
import { type FreshList, isFresh } from "../run/platform-list.ts";
import {
  type DueObject,
  expiryVerdict,
  idOf,
  isLocked,
  presenceIn,
  type StayReason,
} from "./expiry-verdict.ts";
import type { RetentionRun } from "./run.ts";
import { isoTime } from "./terms.ts";

export interface RemovedEntry {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly keys: readonly string[];
  readonly rule: string;
  readonly keepUntil: string;
}

/** A slow hold or lock check makes the list too old; after this many lists the export waits for the next run. */
const MAX_LISTS = 3;

/**
 * Removes the objects of one revision, if everything that allows it holds at this moment; all of it is asked
 * again. `expired.json` is written before the first removal: a run that dies in between is finished by the
 * next one, which asks everything again as well.
 *
 * @param look gives a list begun now.
 * @returns what was removed, or why it stays.
 * @throws what store and platform throw; nothing is removed after that.
 */
export async function removeExport(
  run: RetentionRun,
  look: () => Promise<FreshList>,
  recorded: Pick<RecordedRevision, "exportTaskId" | "revision">,
  nowMs: number,
): Promise<RemovedEntry | StayReason> {
  const ledger = await run.records.readAgain(recorded, run);
  if (ledger === undefined) {
    return "unrecorded";
  }
  const verdict = expiryVerdict(run.settings.policy, ledger, nowMs);
  if (verdict.kind === "stays") {
    return verdict.reason;
  }
  const { rule, objects } = verdict;
  const blocker = await freshBlocker(run, look, ledger, objects, nowMs);
  if (blocker !== undefined) {
    return blocker;
  }
  const keepUntil = isoTime(verdict.keepUntilMs);
  const expiredAt = isoTime(run.ports.clock.wallMs());
  const facts = { objects: [...objects], rule: rule.name, keepUntil, expiredAt, runId: run.runId };
  if (!names(ledger, objects) && !(await run.records.writeExpired(ledger, facts, run))) {
    return "lost-race";
  }
  // Again, now that it is written: the last answers before the removal are the ones it rests on.
  const lateBlocker = await freshBlocker(run, look, ledger, objects, nowMs);
  if (lateBlocker !== undefined) {
    return lateBlocker;
  }
  for (const object of objects) {
    await run.ports.store.removeVersion(object, run);
  }
  const { exportTaskId, revision } = ledger;
  return { exportTaskId, revision, keys: objects.map(({ key }) => key), rule: rule.name, keepUntil };
}

/** Whether the standing `expired` record names every one of these versions. */
function names({ expired }: RevisionLedger, objects: readonly DueObject[]): boolean {
  const named = new Set(expired === undefined || expired === UNREADABLE ? [] : expired.objects.map(idOf));
  return objects.every((object) => named.has(idOf(object)));
}

/** What blocks a removal on the strength of a list that is still fresh after everything else was asked. */
async function freshBlocker(
  run: RetentionRun,
  look: () => Promise<FreshList>,
  ledger: RevisionLedger,
  objects: readonly DueObject[],
  nowMs: number,
): Promise<StayReason | undefined> {
  for (let attempt = 1; attempt <= MAX_LISTS; attempt += 1) {
    const list = await look();
    const blocker = await findBlocker(run, list, ledger, objects, nowMs);
    if (blocker !== undefined) {
      return blocker;
    }
    // No hold in a store that was put in the archive's place proves nothing.
    await requireOwnArchive(run, run);
    if (isFresh(list, run.ports.clock)) {
      return undefined;
    }
  }
  return "lost-race";
}

/**
 * What keeps objects that their records and the policy let go: the platform's list, locks and holds.
 * @param list `undefined` where the platform did not answer: then the list blocks nothing, and allows nothing.
 */
export async function findBlocker(
  run: RetentionRun,
  list: FreshList | undefined,
  { exportTaskId, expired }: RevisionLedger,
  objects: readonly DueObject[],
  nowMs: number,
): Promise<StayReason | undefined> {
  const presence = list === undefined ? "absent" : presenceIn(list, exportTaskId);
  if (presence !== "absent") {
    return presence;
  }
  const protections: (VersionProtection | undefined)[] = [];
  for (const object of objects) {
    protections.push(await run.ports.store.readProtection(object, run));
  }
  const present = protections.filter((protection) => protection !== undefined);
  if (present.length === 0) {
    return expired === undefined ? "missing" : "removed-before";
  }
  if (present.some((protection) => isLocked(protection, nowMs))) {
    return "locked";
  }
  if ((await run.holds.read(run)).isHeld(exportTaskId)) {
    return "held";
  }
  return undefined;
}
