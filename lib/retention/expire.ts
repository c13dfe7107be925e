import { compact } from "../domain/compact.ts";
import { leftAloneInWords } from "../domain/left-alone.ts";
import { Records } from "../records/records.ts";
import { type RecordedRevision, type RevisionLedger, UNREADABLE } from "../records/retention-records.ts";
import { type FreshList, freshList } from "../run/platform-list.ts";
import { expiryVerdict, presenceIn, type StayReason } from "./expiry-verdict.ts";
import { expiryByLine, termsOfLine } from "./line-verdict.ts";
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
} from "./run.ts";
import { readSeen, type SeenExport, type SeenFrom, seeExports } from "./seen-exports.ts";
import { isoTime } from "./terms.ts";

export interface StayEntry {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly reason: StayReason;
  readonly problem?: string;
}

/** What an expire run returns. */
export interface ExpireReport extends RunFrame, Partial<SeenFrom> {
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

type Named = Pick<RecordedRevision, "exportTaskId" | "revision">;

/** What looking at the archived exports found. */
interface Survey {
  readonly from?: SeenFrom;
  readonly checked: number;
  /** The most overdue first. What the catalogue tells of them is asked again for each. */
  readonly due: readonly Named[];
  /** Archived, without a `deleted` record. */
  readonly undeleted: readonly Named[];
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
  /** Those that are not due by their records, or were removed since the catalogue was made. */
  readonly notDue: number;
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
  let removals: Removals = {
    removed: [],
    stayed: [],
    markedGone: 0,
    notDue: 0,
    stopReason: "system-failure",
  };
  try {
    const list = await look();
    nowMs = await earliestClockMs(ports, list.platformDateMs, options.signal);
    survey = await surveyExports(run, list, nowMs);
    removals = await actOn(run, look, survey, nowMs);
  } catch (error) {
    run.noteEnd(error);
  }
  const { removed, markedGone, notDue, stopReason } = removals;
  return {
    ...run.frame(stopReason),
    policy: policyDigest(settings.policy),
    ...survey.from,
    ...compact({ decidedBy: nowMs === undefined ? undefined : isoTime(nowMs) }),
    counts: { checked: survey.checked, due: survey.due.length - notDue, removed: removed.length, markedGone },
    removed,
    stayed: [...survey.stayed, ...removals.stayed].slice(0, MAX_ENTRIES),
  };
}

/**
 * Looks at every export that may still have an object, for half of the time at most: the other half is for what
 * is found to be due. An archive too large to be read in one run would lose nothing ever otherwise.
 */
async function surveyExports(run: RetentionRun, list: FreshList, nowMs: number): Promise<Survey> {
  const { clock, observe } = run.ports;
  const seen = await seeExports(run, { asksForObjects: true });
  const untilMs = clock.monotonicMs() + run.msLeft() / 2;
  const findings = new Findings();
  let isWhole = true;
  let done = 0;
  for await (const one of seen.each()) {
    isWhole = run.canGoOn() && clock.monotonicMs() < untilMs;
    if (!isWhole) {
      break;
    }
    observe({ kind: "progress", done, total: Math.max(seen.total, done + 1) });
    done += 1;
    if (!one.isExpired || one.isDoubtful) {
      findings.checked += 1;
      await judge(run, one, findings, nowMs);
    }
  }
  const { checked, due, stayed, undeleted } = findings;
  for (const named of findings.undeletedByLine) {
    // What a list shows is not gone: its records need no second look.
    if (presenceIn(list, named.exportTaskId) === "still-listed") {
      continue;
    }
    isWhole &&= run.canGoOn() && clock.monotonicMs() < untilMs;
    if (!isWhole) {
      break;
    }
    await run.attempt(async () => {
      const ledger = await run.records.readAgain(named, run);
      if (ledger !== undefined && isUndeleted(ledger)) {
        undeleted.push(named);
      }
    });
  }
  due.sort((a, b) => a.keepUntilMs - b.keepUntilMs);
  return { from: seen.from, checked, due, undeleted, stayed, isWhole };
}

/** What a survey has found so far. */
class Findings {
  checked = 0;
  readonly due: (Named & { readonly keepUntilMs: number })[] = [];
  readonly undeleted: Named[] = [];
  readonly undeletedByLine: Named[] = [];
  readonly stayed: StayEntry[] = [];
}

/** By the line of the catalogue; by the records where there is none, or something is wrong with the export. */
async function judge(run: RetentionRun, seen: SeenExport, findings: Findings, nowMs: number): Promise<void> {
  const { exportTaskId, revision, line, isDoubtful } = seen;
  const { policy } = run.settings;
  const named = { exportTaskId, revision };
  if (line !== undefined && !isDoubtful) {
    const verdict = expiryByLine(line, termsOfLine(policy, line), nowMs);
    if (verdict.kind === "candidate") {
      findings.due.push({ ...named, keepUntilMs: verdict.keepUntilMs });
    }
    if (line.deletedAt === undefined) {
      findings.undeletedByLine.push(named);
    }
    return;
  }
  const failure = await run.attempt(async () => {
    const ledger = await readSeen(run, seen);
    if (ledger === undefined) {
      return; // the catalogue named what has no record
    }
    const verdict = expiryVerdict(policy, ledger, nowMs);
    if (verdict.kind === "due") {
      findings.due.push({ ...named, keepUntilMs: verdict.keepUntilMs });
    } else if (verdict.reason === "unreadable") {
      findings.stayed.push(stayOf(named, verdict.reason));
    }
    if (isUndeleted(ledger)) {
      findings.undeleted.push(named);
    }
  });
  if (failure !== undefined) {
    findings.stayed.push({ ...stayOf(named, "failed"), problem: failure.message });
  }
}

/** Whether the export was archived, and its records say nothing of its end on the platform. */
function isUndeleted({ archived, deleted }: RevisionLedger): boolean {
  return archived !== undefined && archived !== UNREADABLE && deleted === undefined;
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
    return { removed: [], stayed, markedGone: 0, notDue: 0, stopReason: "no-proof" };
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
  const { removed, stayed, notDue, stopReason } = await removeDue(run, look, free, nowMs);
  return {
    removed,
    notDue,
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
async function markGone(run: RetentionRun, gone: readonly Named[]): Promise<number> {
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

/** What the records say of an export that was due by an older catalogue. */
const NOT_DUE: ReadonlySet<StayReason> = new Set([
  "unexpired",
  "not-deleted",
  "deleted-recently",
  "removed-before",
]);

async function removeDue(
  run: RetentionRun,
  look: () => Promise<FreshList>,
  due: readonly Named[],
  nowMs: number,
): Promise<Omit<Removals, "markedGone">> {
  const removed: RemovedEntry[] = [];
  const stayed: StayEntry[] = [];
  let notDue = 0;
  for (const [done, revision] of due.entries()) {
    if (!run.canGoOn()) {
      // What stands behind a removal has its turn in a later run; behind none it may stand for ever.
      const behind = run.failure === undefined && removed.length === 0 ? due.slice(done) : [];
      stayed.push(...behind.map((one) => stayOf(one, "no-time")));
      return { removed, stayed, notDue, stopReason: "time-budget" };
    }
    if (removed.length >= run.settings.maxRemovals) {
      return { removed, stayed, notDue, stopReason: "removal-limit" };
    }
    const failure = await run.attempt(async () => {
      const removal = await removeExport(run, look, revision, nowMs);
      if (typeof removal === "string" && NOT_DUE.has(removal)) {
        notDue += 1;
      } else if (typeof removal === "string") {
        stayed.push(stayOf(revision, removal));
      } else {
        removed.push(removal);
      }
    });
    if (failure !== undefined) {
      stayed.push({ ...stayOf(revision, "failed"), problem: failure.message });
    }
  }
  return { removed, stayed, notDue, stopReason: "done" };
}

function stayOf({ exportTaskId, revision }: Named, reason: StayReason): StayEntry {
  return { exportTaskId, revision, reason };
}
