import { type AddedHold, type Holds, isGlob } from "../records/holds.ts";
import type { ExpireReport } from "../retention/expire.ts";
import type { PlanEntry, RetentionPlan } from "../retention/plan.ts";
import type { RetainReport } from "../retention/retain.ts";
import type { RetentionStop, RunFrame } from "../retention/run.ts";
import type { Damage, VerifyReport } from "../retention/verify.ts";
import { messageLines } from "./failure-lines.ts";
import { count, formatBytes, table } from "./format.ts";
import { stayInWords, sweepInWords } from "./words.ts";

const STOP_WORDS: Readonly<Record<RetentionStop, string>> = {
  done: "done",
  "time-budget": "the time is up; the next run goes on",
  "removal-limit": "as many exports removed as one run may; the next run goes on",
  "no-proof": "the platform's list is empty, which proves nothing: nothing was removed",
  "system-failure": "stopped by a failure of the system",
};

function endLines({ stopReason, failure }: RunFrame): readonly string[] {
  const why = failure === undefined ? [] : [...messageLines(failure, "  "), `  ${failure.hint}`];
  return stopReason === "done" ? [] : [`Ended: ${STOP_WORDS[stopReason]}.`, ...why];
}

/** What the store cannot do, so that nobody takes a record for a lock. */
function storeLines({ store }: Pick<RetainReport, "store">): readonly string[] {
  const lacks = [...(store.canLock ? [] : ["locks"]), ...(store.canTag ? [] : ["tags"])];
  return lacks.length === 0
    ? []
    : [
        `This store has no ${lacks.join(" and no ")}: only the retained records say how long an object is kept.`,
      ];
}

/** `retention plan`. */
export function planLines(plan: RetentionPlan): readonly string[] {
  const rows = plan.entries.map((entry) => [
    entry.exportTaskId,
    entry.rule ?? "?",
    day(entry.archivedAt),
    day(entry.keepUntil),
    lockOf(entry),
    sweepInWords(entry.sweep),
    expireInWords(entry),
  ]);
  const refused = plan.entries.filter(({ problem }) => problem !== undefined);
  return [
    ...(rows.length === 0
      ? ["Nothing is archived, or everything has expired."]
      : table(
          ["export task", "rule", "archived", "kept until", "lock", "next sweep", "next expire run"],
          rows,
        )),
    ...refused.map(({ exportTaskId, problem = "" }) => `${exportTaskId}: refused: ${problem}`),
    ...storeLines(plan),
    ...(plan.failure === undefined
      ? []
      : [...messageLines(plan.failure, "Platform: it cannot be asked: "), `  ${plan.failure.hint}`]),
  ];
}

function expireInWords({ expire }: PlanEntry): string {
  switch (expire) {
    case null:
      return "not known without the platform";
    case "remove":
      return "REMOVE";
    default:
      return `stays: ${stayInWords(expire)}`;
  }
}

/** A run that failed before it saw any has not found that there are none. */
function sawNothing({ failure }: RunFrame, seen: number): boolean {
  return failure !== undefined && seen === 0;
}

function day(isoTime: string | undefined): string {
  return isoTime?.slice(0, 10) ?? "?";
}

/** What this store does: a rule's wish is not a lock where the store has none. */
function lockOf({ lock = "?", lockedUntil, applied }: PlanEntry): string {
  if (lockedUntil !== undefined) {
    return `${lock}, locked until ${day(lockedUntil)}`;
  }
  return applied?.lock === "unsupported"
    ? "none: no locks on this store"
    : applied?.lock === "none"
      ? "none"
      : lock;
}

/** `retention sweep`. */
export function retainLines(report: RetainReport): readonly string[] {
  const counts = Object.entries(report.counts).map(([outcome, n]) => `${outcome} ${n}`);
  const notable = report.entries.filter(({ outcome }) => outcome !== "retained");
  return [
    ...(sawNothing(report, counts.length)
      ? []
      : [`Retention: ${counts.join(", ") || "nothing is archived"}.`]),
    ...notable.map(({ exportTaskId, outcome, problem = "" }) => `${exportTaskId}: ${outcome}: ${problem}`),
    ...storeLines(report),
    ...endLines(report),
  ];
}

/** `retention expire`. */
export function expireLines(report: ExpireReport): readonly string[] {
  const { checked, due, removed, markedGone } = report.counts;
  return [
    ...report.removed.map(
      ({ exportTaskId, rule, keepUntil }) =>
        `${exportTaskId}: removed; rule "${rule}" kept it until ${day(keepUntil)}`,
    ),
    ...report.stayed.map(
      ({ exportTaskId, reason, problem }) => `${exportTaskId}: stays: ${problem ?? stayInWords(reason)}`,
    ),
    ...(sawNothing(report, checked)
      ? []
      : [`${count(checked, "export")} looked at, ${due} due, ${removed} removed.`]),
    ...(markedGone === 0 ? [] : [`${count(markedGone, "export")} found gone from the platform.`]),
    ...endLines(report),
  ];
}

/** `hold add`. */
export function addedHoldLines({ hold, replaced }: AddedHold): readonly string[] {
  const what = isGlob(hold.pattern) ? "Matching export tasks are" : "It is";
  const before =
    replaced === undefined
      ? []
      : [
          replaced === "unreadable"
            ? "It replaces a hold that could not be read."
            : `It replaces the hold of ${replaced.by} since ${day(replaced.heldAt)}, "${replaced.reason}", which is noted under holds/lifted/.`,
        ];
  return [`Held: ${hold.pattern}. ${what} neither deleted nor expired from the next run on.`, ...before];
}

/** `hold list`. */
export function holdLines({ all, leftAlone }: Holds): readonly string[] {
  const problems = new Map(leftAlone.map((item) => [item.key, item.problem]));
  const rows = all.map(({ key, pattern, record }) => [
    pattern ?? `everything (${key})`,
    record?.by ?? "?",
    day(record?.heldAt),
    record?.reason ?? problems.get(key) ?? "unreadable; it holds all the same",
  ]);
  return rows.length === 0 ? ["There are no holds."] : table(["hold on", "by", "since", "reason"], rows);
}

const DAMAGE_WORDS: Readonly<Record<Damage, string>> = {
  missing: "MISSING",
  damaged: "DAMAGED",
  "unreadable-record": "RECORD UNREADABLE",
};

/** What to do about damage, before anybody makes it worse. */
const DAMAGE_ADVICE = [
  'Next: keep what is left where it is, with "iotda-archiver hold add <id> --reason …"; then look for another version or a',
  "backup of the object, and for what else wrote or removed there (docs/runbook.md, damaged-objects).",
].join(" ");

const NOTHING_RECORDED =
  "Nothing is recorded for this project and instance: look at ARCHIVER_IOTDA_PROJECT_ID and ARCHIVER_IOTDA_INSTANCE_ID if something should be.";

/** `verify`. */
export function verifyLines(report: VerifyReport): readonly string[] {
  const { recorded, checked, intact, damaged, cold, failed } = report.counts;
  return [
    ...report.damage.map(
      ({ exportTaskId, damage, key = "look at its files below records/" }) =>
        `${exportTaskId}: ${DAMAGE_WORDS[damage]}: ${key}`,
    ),
    ...(report.damage.length === 0 ? [] : [DAMAGE_ADVICE]),
    ...(sawNothing(report, recorded)
      ? []
      : [
          `${checked} of ${count(recorded, "copy", "copies")} read (${formatBytes(report.checkedBytes)}): ${intact} intact, ${damaged} damaged${failed === 0 ? "" : `, ${failed} could not be read`}.`,
        ]),
    ...(cold === 0
      ? []
      : [
          `${count(cold, "copy", "copies")} in an archive storage class: not checked, since they have to be restored before they can be read.`,
        ]),
    ...(recorded === 0 && report.failure === undefined ? [NOTHING_RECORDED] : []),
    ...endLines(report),
  ];
}
