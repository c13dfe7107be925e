import { formatBytes } from "../domain/format-bytes.ts";
import { type AddedHold, type Holds, isGlob } from "../records/holds.ts";
import type { ExpireReport } from "../retention/expire.ts";
import type { PlanEntry, RetentionPlan } from "../retention/plan.ts";
import type { RetainReport } from "../retention/retain.ts";
import type { RunFrame } from "../retention/run.ts";
import type { Damage, VerifyReport } from "../retention/verify.ts";
import { count } from "./format.ts";
import { failureLines, type Line, lines } from "./output.ts";
import { table } from "./table.ts";
import { RETENTION_STOP_WORDS, STAY_WORDS, SWEEP_WORDS } from "./words.ts";

function endLines({ stopReason, failure }: RunFrame): readonly Line[] {
  return stopReason === "done"
    ? []
    : lines(`Ended: ${RETENTION_STOP_WORDS[stopReason]}.`, failureLines(failure, "  "));
}

/** What the store cannot do: a record is not a lock. */
function storeLine({ store }: Pick<RetainReport, "store">): Line | undefined {
  const lacks = [...(store.canLock ? [] : ["locks"]), ...(store.canTag ? [] : ["tags"])];
  return lacks.length === 0
    ? undefined
    : `This store has no ${lacks.join(" and no ")}: only the retained records say how long an object is kept.`;
}

const PLAN_HEAD = ["export task", "rule", "archived", "kept until", "lock", "next sweep", "next expire run"];

/** The table has this many rows at most. */
const MAX_ROWS = 1_000;

/** Those entries of a plan that its table shows: of a large archive those first with which something is to be done. */
export class ShownEntries {
  readonly #first: PlanEntry[] = [];
  readonly #workedOn: PlanEntry[] = [];
  /** Of all entries. */
  count = 0;

  add(entry: PlanEntry): void {
    this.count += 1;
    if (this.#first.length < MAX_ROWS) {
      this.#first.push(entry);
    }
    if (isWorkedOn(entry) && this.#workedOn.length < MAX_ROWS) {
      this.#workedOn.push(entry);
    }
  }

  rows(): readonly PlanEntry[] {
    return this.count <= MAX_ROWS
      ? this.#first
      : [...this.#workedOn, ...this.#first.filter((entry) => !isWorkedOn(entry))].slice(0, MAX_ROWS);
  }
}

/** `retention plan`. */
export async function planLines(plan: RetentionPlan, entries: ShownEntries): Promise<readonly Line[]> {
  const shown = entries.rows();
  const rows = shown.map((entry) => [
    entry.exportTaskId,
    entry.rule ?? "?",
    day(entry.archivedAt),
    day(entry.keepUntil),
    lockOf(entry),
    SWEEP_WORDS[entry.sweep],
    expireInWords(entry),
  ]);
  const refused = shown.filter(({ problem }) => problem !== undefined);
  return lines(
    rows.length === 0 ? "Nothing is archived, or everything has expired." : await table(PLAN_HEAD, rows),
    entries.count > shown.length &&
      `${count(entries.count - shown.length, "export")} more; --json shows all.`,
    refused.map(({ exportTaskId, problem = "" }) => `${exportTaskId}: refused: ${problem}`),
    storeLine(plan),
    plan.catalogueMadeAt !== undefined &&
      `As the catalogue of ${plan.catalogueMadeAt.slice(0, 16).replace("T", " ")} UTC has it; exports archived since then are not shown.`,
    failureLines(plan.failure, "Platform: no usable answer: "),
  );
}

function isWorkedOn({ sweep, expire }: PlanEntry): boolean {
  return sweep !== "nothing" || expire === "remove" || expire === "due";
}

function expireInWords({ expire }: PlanEntry): string {
  switch (expire) {
    case null:
      return "not known without the platform";
    case "remove":
      return "REMOVE";
    case "due":
      return "due, not looked at";
    default:
      return `stays: ${STAY_WORDS[expire]}`;
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
  if (applied?.lock === "unsupported") {
    return "none: no locks on this store";
  }
  return applied?.lock === "none" ? "none" : lock;
}

/** `retention sweep`. */
export function retainLines(report: RetainReport): readonly Line[] {
  const counts = Object.entries(report.counts).map(([outcome, n]) => `${outcome} ${n}`);
  const notable = report.entries.filter(({ outcome }) => outcome !== "retained");
  return lines(
    !sawNothing(report, counts.length) && `Retention: ${counts.join(", ") || "nothing is archived"}.`,
    notable.map(({ exportTaskId, outcome, problem = "" }) => `${exportTaskId}: ${outcome}: ${problem}`),
    storeLine(report),
    endLines(report),
  );
}

/** `retention expire`. */
export function expireLines(report: ExpireReport): readonly Line[] {
  const { checked, due, removed, markedGone } = report.counts;
  return lines(
    report.removed.map(
      ({ exportTaskId, rule, keepUntil }) =>
        `${exportTaskId}: removed; rule "${rule}" kept it until ${day(keepUntil)}`,
    ),
    report.stayed.map(
      ({ exportTaskId, reason, problem }) => `${exportTaskId}: stays: ${problem ?? STAY_WORDS[reason]}`,
    ),
    !sawNothing(report, checked) && `${count(checked, "export")} checked, ${due} due, ${removed} removed.`,
    markedGone > 0 && `${count(markedGone, "export")} no longer on the platform.`,
    endLines(report),
  );
}

/** `hold add`. */
export function addedHoldLines({
  hold,
  replaced,
  archivedMatches,
}: AddedHold & { readonly archivedMatches: number }): readonly Line[] {
  const what = isGlob(hold.pattern) ? "matching export tasks" : "it";
  const held = `Held: ${hold.pattern}. From the next run on, the archiver neither deletes nor expires ${what}.`;
  const matches =
    archivedMatches === 0
      ? "No archived export matches it yet. If you expected one, check the pattern."
      : `It matches ${count(archivedMatches, "archived export")}.`;
  switch (replaced) {
    case undefined:
      return [held, matches];
    case "unreadable":
      return [held, matches, "It replaces a hold that could not be read."];
    default: {
      const before = `${replaced.by} since ${day(replaced.heldAt)}, "${replaced.reason}"`;
      return [held, matches, `It replaces the hold of ${before}, which is noted under holds/lifted/.`];
    }
  }
}

/** `hold list`. */
export async function holdLines({ all, leftAlone }: Holds): Promise<readonly Line[]> {
  const problems = new Map(leftAlone.map((item) => [item.key, item.problem]));
  const rows = all.map(({ key, pattern, record }) => [
    pattern ?? `everything (${key})`,
    record?.by ?? "?",
    day(record?.heldAt),
    record?.reason ?? problems.get(key) ?? "unreadable, but it still holds",
  ]);
  return rows.length === 0
    ? ["There are no holds."]
    : await table(["hold on", "by", "since", "reason"], rows);
}

const DAMAGE_WORDS: Readonly<Record<Damage, string>> = {
  missing: "MISSING",
  damaged: "DAMAGED",
  "unreadable-record": "RECORD UNREADABLE",
};

export const DAMAGE_ADVICE =
  'Next: run "iotda-archiver hold add <id> --reason …" to keep what is left. Then look for another version or a ' +
  "backup of the object, and for what else wrote or removed there (docs/runbook.md, damaged-objects).";

const NOTHING_RECORDED =
  "The store has no record of this project and instance. If it should, check ARCHIVER_IOTDA_PROJECT_ID and ARCHIVER_IOTDA_INSTANCE_ID.";

/** `verify`. */
export function verifyLines(report: VerifyReport): readonly Line[] {
  const { recorded, checked, intact, damaged, cold, failed } = report.counts;
  const unread = failed === 0 ? "" : `, ${failed} could not be read`;
  return lines(
    report.damage.map(
      ({ exportTaskId, damage, key = "check its files below records/" }) =>
        `${exportTaskId}: ${DAMAGE_WORDS[damage]}: ${key}`,
    ),
    report.damage.length > 0 && DAMAGE_ADVICE,
    !sawNothing(report, recorded) &&
      `${checked} of ${count(recorded, "copy", "copies")} read (${formatBytes(report.checkedBytes)}): ${intact} intact, ${damaged} damaged${unread}.`,
    cold > 0 &&
      `Not checked: ${count(cold, "copy", "copies")} in an archive storage class, which the store must restore before a read.`,
    recorded === 0 && report.failure === undefined && NOTHING_RECORDED,
    endLines(report),
  );
}
