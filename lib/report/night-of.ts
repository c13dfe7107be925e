import { compact } from "../domain/compact.ts";
import type { RunReport } from "../records/run-report.ts";
import { findingsOf, verdictOf } from "./findings.ts";
import { PACE_NIGHTS } from "./forecast.ts";
import {
  type ExportStanding,
  MAX_NIGHT_EXPORTS,
  type Night,
  type NightExport,
  type NightRun,
  type PastNight,
  type VerificationStanding,
} from "./night.ts";
import { type ExportOfNight, exportsOfNight, inOrder, madeExports, runsOfNight } from "./night-exports.ts";
import type { NightFacts } from "./night-facts.ts";
import { slotsInUse } from "./places.ts";
import { addDays } from "./zoned-time.ts";

/** The nights that a report shows, its own included. */
export const NIGHTS_SHOWN = 30;
/** The newest count; more runs than that are a loop of somebody's script. */
const MAX_RUNS_SHOWN = 200;

/**
 * Makes the night of its facts. Nothing else takes part, so the same facts give the same value with its fields in the
 * same order, whatever the order of reports, lines, tasks and nights in them.
 */
export function nightOf(facts: NightFacts): Night {
  const { scope, fromMs, madeAtMs, date } = facts;
  const runs = runsOfNight(facts);
  const exports = exportsOfNight(facts);
  const made = madeExports(facts);
  const madeCount = made.filter((one) => one.madeAtMs > fromMs && one.madeAtMs <= madeAtMs).length;
  const earlierMade = madePerNight(facts);
  const { places, slots } = slotsInUse(facts, [...earlierMade, madeCount]);
  const findings = findingsOf(facts, {
    runs,
    exports,
    made,
    madeCount,
    madePerNight: earlierMade,
    places,
    slots,
  });
  const verdict = verdictOf(findings, runs.length > 0);
  const counts = {
    ...countsOf(exports),
    made: madeCount,
    throttled: sumOf(runs, ({ counts }) => counts.throttled),
  };
  const tonight = {
    date,
    verdict,
    archived: counts.archived,
    givenUp: counts.givenUp,
    made: madeCount,
    ...compact({ held: mostHeld(runs, places.held) }),
    hasRetries: exports.some(({ standing, attempts }) => standing === "retried" || attempts > 1),
  };
  return {
    schemaVersion: 1,
    date,
    timeZone: facts.timeZone,
    projectId: scope.projectId,
    ...compact({ instanceId: scope.instanceId }),
    endpoint: facts.endpoint,
    from: new Date(fromMs).toISOString(),
    madeAt: new Date(madeAtMs).toISOString(),
    verdict,
    findings,
    counts,
    bytes: sumOf(exports, ({ standing, sizeBytes = 0 }) => (IS_ARCHIVED[standing] ? sizeBytes : 0)),
    deletion: facts.deletion,
    places,
    keptFor: keptFor(exports),
    exports: exports.slice(0, MAX_NIGHT_EXPORTS).map(shown),
    runs: runs.slice(-MAX_RUNS_SHOWN).map(runShown),
    ...compact({ lastRunAt: lastRunAt(facts), verification: verificationOf(facts) }),
    nights: nightsShown(facts, tonight),
    streak: streakOf(facts, verdict),
    unknown: facts.unknown,
  };
}

const IS_ARCHIVED: Readonly<Record<ExportStanding, boolean>> = {
  "given-up": false,
  waiting: false,
  retried: false,
  "archived-kept": true,
  "archived-deleted": true,
  deleted: false,
};

function countsOf(exports: readonly ExportOfNight[]) {
  const count = (standing: ExportStanding) => exports.filter((one) => one.standing === standing).length;
  const kept = count("archived-kept");
  const archived = kept + count("archived-deleted");
  const givenUp = count("given-up");
  const waiting = count("waiting");
  return {
    finished: archived + givenUp + count("retried") + waiting,
    archived,
    deleted: count("archived-deleted") + count("deleted"),
    kept,
    givenUp,
    waiting,
  };
}

function sumOf<Item>(items: readonly Item[], amount: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + amount(item), 0);
}

function keptFor(exports: readonly ExportOfNight[]): Readonly<Record<string, number>> {
  const kept = exports.filter(({ standing }) => standing === "archived-kept");
  const reasons = Map.groupBy(kept, ({ reason = "unknown" }) => reason);
  return Object.fromEntries([...reasons].map(([reason, all]) => [reason, all.length] as const).sort());
}

function shown({ givenUpAtMs: _givenUp, finishedAtMs: _finished, ...row }: ExportOfNight): NightExport {
  return row;
}

function runShown({ runId, startedAt, endedAt, stopReason, counts, failure }: RunReport): NightRun {
  const { archived, deleted } = counts;
  return {
    runId,
    startedAt,
    endedAt,
    stopReason,
    archived,
    deleted,
    ...compact({ failureCode: failure?.code }),
  };
}

/** The newest run that neither failed nor was ended by somebody; from an earlier report where it is not among the runs. */
function lastRunAt({ runs, earlier, madeAtMs }: NightFacts): string | undefined {
  const last = inOrder(runs)
    .filter(
      ({ stopReason, endedAt }) =>
        stopReason !== "system-failure" && stopReason !== "aborted" && Date.parse(endedAt) <= madeAtMs,
    )
    .at(-1)?.endedAt;
  const reported = earlier.flatMap(({ lastRunAt: at }) => at ?? []);
  const all = [...reported, ...(last === undefined ? [] : [last])];
  return all.sort((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
}

function verificationOf({ inventory }: NightFacts): VerificationStanding | undefined {
  if (inventory === "overwritten" || inventory?.verification === undefined) {
    return undefined;
  }
  const { limitDays, copies, coldCopies, oldestUnreadDays, isLimitKept, checked, damaged } =
    inventory.verification;
  return {
    limitDays,
    copies,
    coldCopies,
    oldestUnreadDays,
    isLimitKept,
    readToday: checked,
    damaged,
    at: inventory.startedAt,
  };
}

function mostHeld(runs: readonly RunReport[], held: number | undefined): number | undefined {
  const seen = [held, ...runs.map(({ platform }) => platform.held)].filter((one) => one !== undefined);
  return seen.length === 0 ? undefined : Math.max(...seen);
}

/** How many exports were made in those of the last nights that were reported. */
function madePerNight({ earlier, date }: NightFacts): readonly number[] {
  const first = addDays(date, -PACE_NIGHTS);
  return earlier.flatMap((night) => (night.date >= first && night.date < date ? (night.made ?? []) : []));
}

function nightsShown({ earlier, date }: NightFacts, tonight: PastNight): readonly PastNight[] {
  // Field by field: what is read of earlier reports may have more fields, in another order.
  const byDate = new Map(
    earlier.map(({ date: day, verdict, archived, givenUp, made, held, hasRetries }): [string, PastNight] => [
      day,
      { date: day, verdict, ...compact({ archived, givenUp, made, held, hasRetries }) },
    ]),
  );
  return Array.from({ length: NIGHTS_SHOWN }, (_, index) => {
    const day = addDays(date, index + 1 - NIGHTS_SHOWN);
    return day === date ? tonight : (byDate.get(day) ?? { date: day, verdict: "unreported" });
  });
}

/** A night without a report ends it: what happened in it is not known. */
function streakOf({ earlier, date }: NightFacts, verdict: Night["verdict"]): number {
  if (verdict !== "ok") {
    return 0;
  }
  const before = earlier.find((night) => night.date === addDays(date, -1));
  return 1 + (before?.verdict === "ok" ? before.streak : 0);
}
