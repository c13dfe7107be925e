import { compact } from "../domain/compact.ts";
import { exportsRoot, parseExportObjectKey } from "../domain/key-layout.ts";
import { leftAloneInWords } from "../domain/left-alone.ts";
import { Records } from "../records/records.ts";
import { type RecordedRevision, type RevisionLedger, UNREADABLE } from "../records/retention-records.ts";
import { type FreshList, freshList } from "../run/platform-list.ts";
import { expiryVerdict, presenceIn, type StayReason } from "./expiry-verdict.ts";
import { policyDigest } from "./policy.ts";
import { type RemovedEntry, removeExport } from "./remove-export.ts";
import {
  type ExpiryPorts,
  earliestClockMs,
  MAX_ENTRIES,
  RetentionRun,
  type RetentionRunOptions,
  type RetentionSettings,
  type RetentionStop,
  type RunFrame,
  rotated,
} from "./run.ts";
import { isoTime } from "./terms.ts";

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
  /** Exports that are due and were not removed, and those that need a person; at most {@link MAX_ENTRIES}. */
  readonly stayed: readonly StayEntry[];
}

/** What going through the records found. */
interface Survey {
  readonly checked: number;
  /** The most overdue first. */
  readonly due: readonly RecordedRevision[];
  /** Archived, without a `deleted` record. */
  readonly undeleted: readonly RevisionLedger[];
  /** What needs a person; everything else passes on its own. */
  readonly stayed: readonly StayEntry[];
  /** Whether time was enough for all; the rest comes on another day. */
  readonly isWhole: boolean;
}

/** What became of what is due. */
interface Removals {
  readonly removed: readonly RemovedEntry[];
  readonly stayed: readonly StayEntry[];
  readonly markedGone: number;
  readonly stopReason: RetentionStop;
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
  const look = () => freshList(ports, settings, options.signal);
  let nowMs: number | undefined;
  let survey: Survey = { checked: 0, due: [], undeleted: [], stayed: [], isWhole: false };
  let removals: Removals = { removed: [], stayed: [], markedGone: 0, stopReason: "system-failure" };
  try {
    const { platformDateMs } = await look();
    nowMs = await earliestClockMs(ports, platformDateMs, options.signal);
    survey = await surveyRecords(run, nowMs);
    removals = await actOn(run, look, survey, nowMs);
  } catch (error) {
    run.noteEnd(error);
  }
  const { removed, markedGone, stopReason } = removals;
  return {
    ...run.frame(stopReason),
    policy: policyDigest(settings.policy),
    ...compact({ decidedBy: nowMs === undefined ? undefined : isoTime(nowMs) }),
    counts: { checked: survey.checked, due: survey.due.length, removed: removed.length, markedGone },
    removed,
    stayed: [...survey.stayed, ...removals.stayed].slice(0, MAX_ENTRIES),
  };
}

/**
 * Reads every revision that may still have an object, for half of the time at most: the other half is for what
 * is found to be due. An archive too large to be read in one run would lose nothing ever otherwise.
 */
async function surveyRecords(run: RetentionRun, nowMs: number): Promise<Survey> {
  const { clock, observe } = run.ports;
  const standing = await revisionsWithObjects(run);
  const revisions = rotated(await run.records.revisions(run), run.ports);
  const untilMs = clock.monotonicMs() + run.msLeft() / 2;
  const due: { readonly revision: RecordedRevision; readonly keepUntilMs: number }[] = [];
  const undeleted: RevisionLedger[] = [];
  const stayed: StayEntry[] = [];
  let checked = 0;
  let isWhole = true;
  for (const [done, revision] of revisions.entries()) {
    isWhole = run.canGoOn() && clock.monotonicMs() < untilMs;
    if (!isWhole) {
      break;
    }
    observe({ kind: "progress", done, total: revisions.length });
    const isOver = revision.numbers.expired > 0 && !standing.has(nameOf(revision));
    if (revision.numbers.archived === 0 || isOver) {
      continue;
    }
    checked += 1;
    const failure = await run.attempt(async () => {
      const ledger = await run.records.read(revision, run);
      const verdict = expiryVerdict(run.settings.policy, ledger, nowMs);
      if (verdict.kind === "due") {
        due.push({ revision, keepUntilMs: verdict.keepUntilMs });
      } else if (verdict.reason === "unreadable") {
        stayed.push(stayOf(revision, verdict.reason));
      }
      if (ledger.deleted === undefined && ledger.archived !== undefined && ledger.archived !== UNREADABLE) {
        undeleted.push(ledger);
      }
    });
    if (failure !== undefined) {
      stayed.push({ ...stayOf(revision, "failed"), problem: failure.message });
    }
  }
  due.sort((a, b) => a.keepUntilMs - b.keepUntilMs);
  return { checked, due: due.map(({ revision }) => revision), undeleted, stayed, isWhole };
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

/** Records what is gone from the platform and removes what is due, if the platform's list proves anything. */
async function actOn(
  run: RetentionRun,
  look: () => Promise<FreshList>,
  { due, undeleted, isWhole }: Survey,
  nowMs: number,
): Promise<Removals> {
  // Begun after the records were read: what it does not show was archived before it.
  const list = await look();
  if (list.tasks.length === 0) {
    const stayed = due.map((revision) => stayOf(revision, "empty-list"));
    return { removed: [], stayed, markedGone: 0, stopReason: "no-proof" };
  }
  // Held ones are left out at once: looked at one by one, a month of them would use up every run's time.
  const holds = await run.holds.read(run);
  for (const item of holds.leftAlone) {
    run.ports.observe({ kind: "warning", code: "hold-left-alone", message: leftAloneInWords(item) });
  }
  const held = due.filter(({ exportTaskId }) => holds.isHeld(exportTaskId));
  const free = due.filter(({ exportTaskId }) => !holds.isHeld(exportTaskId));
  const gone = undeleted.filter((one) => presenceIn(list, one.exportTaskId) === "absent");
  const markedGone = await markGone(run, gone);
  const { removed, stayed, stopReason } = await removeDue(run, look, free, nowMs);
  return {
    removed,
    stayed: [...stayed, ...held.map((revision) => stayOf(revision, "held"))],
    markedGone,
    stopReason: isWhole && markedGone === gone.length ? stopReason : "time-budget",
  };
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
    if (run.msLeft() <= 0) {
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
  look: () => Promise<FreshList>,
  due: readonly RecordedRevision[],
  nowMs: number,
): Promise<Omit<Removals, "markedGone">> {
  const removed: RemovedEntry[] = [];
  const stayed: StayEntry[] = [];
  for (const [done, revision] of due.entries()) {
    if (!run.canGoOn()) {
      // What stands behind a removal has its turn in a later run; behind none it may stand for ever.
      const behind = run.failure === undefined && removed.length === 0 ? due.slice(done) : [];
      stayed.push(...behind.map((one) => stayOf(one, "no-time")));
      return { removed, stayed, stopReason: "time-budget" };
    }
    if (removed.length >= run.settings.maxRemovals) {
      return { removed, stayed, stopReason: "removal-limit" };
    }
    const failure = await run.attempt(async () => {
      const removal = await removeExport(run, look, revision, nowMs);
      if (typeof removal === "string") {
        stayed.push(stayOf(revision, removal));
      } else {
        removed.push(removal);
      }
    });
    if (failure !== undefined) {
      stayed.push({ ...stayOf(revision, "failed"), problem: failure.message });
    }
  }
  return { removed, stayed, stopReason: "done" };
}

function stayOf({ exportTaskId, revision }: RecordedRevision, reason: StayReason): StayEntry {
  return { exportTaskId, revision, reason };
}
