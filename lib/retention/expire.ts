import { exportsRoot, parseExportObjectKey } from "../domain/key-layout.ts";
import { leftAloneInWords } from "../domain/left-alone.ts";
import { Records } from "../records/records.ts";
import { type RecordedRevision, type RevisionLedger, UNREADABLE } from "../records/retention-records.ts";
import { expiryVerdict, type StayReason } from "./expiry-verdict.ts";
import { earliestClockMs, PlatformProof, removalSightIn } from "./platform-proof.ts";
import { policyDigest } from "./policy.ts";
import { type Removal, removeExport } from "./remove-export.ts";
import {
  type ExpiryPorts,
  MAX_ENTRIES,
  RetentionRun,
  type RetentionRunOptions,
  type RetentionSettings,
  type RetentionStop,
  type RunFrame,
  rotatedByDay,
} from "./run.ts";
import { isoTime } from "./terms.ts";

export interface RemovedEntry {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly keys: readonly string[];
  readonly rule: string;
  readonly keepUntil: string;
}

export interface StayEntry {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly reason: StayReason;
  readonly problem?: string;
}

/** What an expire run returns. */
export interface ExpireReport extends RunFrame {
  readonly policy: string;
  /** The moment the run decided by: the earliest of this machine's, the store's and the platform's clock. */
  readonly decidedBy?: string;
  readonly counts: {
    readonly checked: number;
    readonly due: number;
    readonly removed: number;
    /** Exports found gone from the platform, which got their `deleted` record. */
    readonly markedGone: number;
  };
  readonly removed: readonly RemovedEntry[];
  /** Exports whose time is over and which stay all the same, and those that need a person; at most {@link MAX_ENTRIES}. */
  readonly stayed: readonly StayEntry[];
}

/** Why a person should look; everything else passes on its own. */
const WORTH_TELLING: ReadonlySet<StayReason> = new Set(["unreadable"]);

interface Due {
  readonly revision: RecordedRevision;
  readonly keepUntilMs: number;
}

/** What going through the records found. */
interface Survey {
  readonly due: Due[];
  /** Archived, without a `deleted` record. */
  readonly undeleted: RevisionLedger[];
  readonly stayed: StayEntry[];
  checked: number;
}

/**
 * Removes recorded objects whose time is over. The only code that removes archived objects; each removal
 * rests on what {@link removeExport} asks again. Failures of the system are in the report.
 *
 * @throws what the store's preflight throws, and the signal's reason.
 */
export async function expire(
  ports: ExpiryPorts,
  settings: RetentionSettings,
  options: RetentionRunOptions,
): Promise<ExpireReport> {
  const run = await RetentionRun.begin(ports, settings, options);
  const proof = new PlatformProof(ports, settings, options.signal);
  const survey: Survey = { due: [], undeleted: [], stayed: [], checked: 0 };
  const removed: RemovedEntry[] = [];
  let markedGone = 0;
  let nowMs: number | undefined;
  let stopReason: RetentionStop = "done";
  try {
    const { platformDateMs } = await proof.look();
    nowMs = await earliestClockMs(ports, platformDateMs, options.signal);
    const isSurveyed = await surveyRecords(run, survey, nowMs);
    // Begun after the records were read: what it does not show was archived before it.
    const list = await proof.look();
    if (list.tasks.length === 0) {
      stopReason = "no-proof";
      survey.stayed.push(...survey.due.map((due) => stayOf(due.revision, "empty-list")));
    } else {
      const gone = survey.undeleted.filter((one) => removalSightIn(list, one.exportTaskId) === "absent");
      markedGone = await markGone(run, gone);
      // Held ones are left out at once: looked at one by one, a month of them would use up every run's time.
      const holds = await run.holds.read(run);
      for (const item of holds.leftAlone) {
        ports.observe({ kind: "warning", code: "hold-left-alone", message: leftAloneInWords(item) });
      }
      const held = survey.due.filter(({ revision }) => holds.isHeld(revision.exportTaskId));
      const free = survey.due.filter(({ revision }) => !holds.isHeld(revision.exportTaskId));
      const removalsEnd = await removeDue(run, proof, free, survey.stayed, removed, nowMs);
      survey.stayed.push(...held.map(({ revision }) => stayOf(revision, "held")));
      stopReason = isSurveyed && markedGone === gone.length ? removalsEnd : "time-budget";
    }
  } catch (error) {
    run.noteEnd(error);
    stopReason = "system-failure";
  }
  return {
    ...run.frame(stopReason),
    policy: policyDigest(settings.policy),
    ...(nowMs === undefined ? {} : { decidedBy: isoTime(nowMs) }),
    counts: { checked: survey.checked, due: survey.due.length, removed: removed.length, markedGone },
    removed,
    stayed: survey.stayed.slice(0, MAX_ENTRIES),
  };
}

/**
 * Reads every revision that may still have an object, for half of the time at most: the other half is for what
 * is found to be due. An archive too large to be read in one run would lose nothing ever otherwise.
 *
 * @returns whether time was enough for all; the rest comes first on another day.
 */
async function surveyRecords(run: RetentionRun, survey: Survey, nowMs: number): Promise<boolean> {
  const standing = await revisionsWithObjects(run);
  const revisions = rotatedByDay(await run.records.revisions(run), nowMs);
  const { clock } = run.ports;
  const untilMs = clock.monotonicMs() + run.msLeft() / 2;
  let isWhole = true;
  for (const [done, revision] of revisions.entries()) {
    isWhole = run.failure === undefined && clock.monotonicMs() < untilMs;
    if (!isWhole) {
      break;
    }
    run.ports.observe({ kind: "progress", done, total: revisions.length });
    const isOver = revision.numbers.expired > 0 && !standing.has(nameOf(revision));
    if (revision.numbers.archived === 0 || isOver) {
      continue;
    }
    survey.checked += 1;
    try {
      sortIn(survey, await run.records.read(revision, run), run, nowMs);
      run.noteSuccess();
    } catch (error) {
      const { message } = run.noteFailure(error);
      survey.stayed.push({ ...stayOf(revision, "failed"), problem: message });
    }
  }
  survey.due.sort((a, b) => a.keepUntilMs - b.keepUntilMs);
  return isWhole;
}

function sortIn(survey: Survey, ledger: RevisionLedger, run: RetentionRun, nowMs: number): void {
  const verdict = expiryVerdict(run.settings.policy, ledger, nowMs);
  if (verdict.kind === "due") {
    survey.due.push({ revision: ledger, keepUntilMs: verdict.keepUntilMs });
  } else if (WORTH_TELLING.has(verdict.reason)) {
    survey.stayed.push(stayOf(ledger, verdict.reason));
  }
  if (ledger.deleted === undefined && ledger.archived !== undefined && ledger.archived !== UNREADABLE) {
    survey.undeleted.push(ledger);
  }
}

async function revisionsWithObjects(run: RetentionRun): Promise<ReadonlySet<string>> {
  const { scope } = run.settings;
  const names = new Set<string>();
  for await (const { key, oddity } of run.ports.store.list(exportsRoot(scope), run)) {
    const parsed = parseExportObjectKey(key, scope);
    if (parsed !== undefined && oddity === undefined) {
      names.add(nameOf(parsed));
    }
  }
  return names;
}

function nameOf({ exportTaskId, revision }: { exportTaskId: string; revision: string }): string {
  return `${exportTaskId}/${revision}`;
}

/**
 * Architecture §4 step 2: one complete list that does not show a task is enough, since its copy is recorded.
 *
 * @returns how many there was time for.
 */
async function markGone(run: RetentionRun, gone: readonly RevisionLedger[]): Promise<number> {
  const { store, clock } = run.ports;
  const records = new Records(store, run.settings.scope, run.abilities);
  for (const [done, { exportTaskId, revision }] of gone.entries()) {
    if (!run.hasTime()) {
      return done;
    }
    const at = isoTime(clock.wallMs());
    const facts = { deletedAt: at, confirmedAt: at, runId: run.runId, outcome: "already-gone" } as const;
    await records.writeDeleted(exportTaskId, revision, facts, run);
  }
  return gone.length;
}

async function removeDue(
  run: RetentionRun,
  proof: PlatformProof,
  due: readonly Due[],
  stayed: StayEntry[],
  removed: RemovedEntry[],
  nowMs: number,
): Promise<RetentionStop> {
  for (const [done, { revision }] of due.entries()) {
    if (run.failure !== undefined) {
      return "system-failure";
    }
    if (!run.hasTime()) {
      // What stands behind a removal has its turn in a later run; behind none it may stand for ever.
      const behind = removed.length === 0 ? due.slice(done) : [];
      stayed.push(...behind.map((one) => stayOf(one.revision, "no-time")));
      return "time-budget";
    }
    if (removed.length >= run.settings.maxRemovals) {
      return "removal-limit";
    }
    try {
      note(await removeExport(run, proof, revision, nowMs), revision, removed, stayed);
      run.noteSuccess();
    } catch (error) {
      const { message } = run.noteFailure(error);
      stayed.push({ ...stayOf(revision, "failed"), problem: message });
    }
  }
  return "done";
}

function note(
  removal: Removal,
  revision: RecordedRevision,
  removed: RemovedEntry[],
  stayed: StayEntry[],
): void {
  switch (removal.kind) {
    case "stays":
      stayed.push(stayOf(revision, removal.reason));
      return;
    case "removed": {
      const { exportTaskId, revision: name } = revision;
      removed.push({
        exportTaskId,
        revision: name,
        keys: removal.objects.map(({ key }) => key),
        rule: removal.rule,
        keepUntil: isoTime(removal.keepUntilMs),
      });
    }
  }
}

function stayOf({ exportTaskId, revision }: RecordedRevision, reason: StayReason): StayEntry {
  return { exportTaskId, revision, reason };
}
