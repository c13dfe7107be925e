import type { DiscoverRunReport } from "../config/discover-and-request.ts";
import { type LeftAloneReport, leftAloneInWords } from "../domain/left-alone.ts";
import type { SweepReport } from "../maintenance/sweep.ts";
import type { QueueDepth } from "../ports/task-queue.ts";
import type { NextToGo, RunReport, StopReason, TaskEntry } from "../records/run-report.ts";
import { slotsWarning } from "../run/next-to-go.ts";
import { messageLines } from "./failure-lines.ts";
import { count, formatBytes, formatDue, formatDuration, table } from "./format.ts";
import type { Line } from "./output.ts";
import { requestLines } from "./request-lines.ts";
import { deletionInWords, outcomeInWords, reasonInWords } from "./words.ts";

function stopInWords(stopReason: StopReason): string {
  switch (stopReason) {
    case "drained":
      return "nothing is left to do now";
    case "time-budget":
      return "the time is up, or too short for the next task; the next run goes on";
    case "system-failure":
      return "stopped by a failure of the system; no task was given up for it";
    case "aborted":
      return "interrupted; everything was handed back";
    case "no-pressure":
      return "too few export slots are used to act now";
  }
}

/** The closing lines of an archive run. */
export function runLines(report: RunReport): readonly Line[] {
  const { counts, failure } = report;
  const durationMs = Date.parse(report.endedAt) - Date.parse(report.startedAt);
  const numbers = [
    `archived ${counts.archived} (${formatBytes(report.bytes)})`,
    `deleted ${counts.deleted}`,
    ...rareCounts(counts),
  ];
  return [
    `Run ${report.runId}: ${stopInWords(report.stopReason)} (${formatDuration(durationMs)})`,
    `  ${numbers.join(", ")}`,
    `  export slots used: ${slotsInWords(report)}`,
    ...(report.pacing === "unshared"
      ? ["  pacing: unshared; run one archiver at a time on this store, or more will only be throttled"]
      : []),
    ...worthMentioning(report.tasks),
    ...leftAloneLines(report.leftAlone),
    ...(failure === undefined
      ? []
      : ["", ...messageLines(failure, "Failed: ").map(red), `  ${failure.hint}`]),
  ];
}

/** What was left alone, one line each. */
export function leftAloneLines(leftAlone: LeftAloneReport | undefined): readonly string[] {
  if (leftAlone === undefined) {
    return [];
  }
  const more = leftAlone.count - leftAlone.items.length;
  return [
    `Left alone, since it cannot be understood: ${leftAlone.count}`,
    ...leftAlone.items.map((item) => `  ${leftAloneInWords(item)}`),
    ...(more === 0 ? [] : [`  and ${more} more`]),
  ];
}

/** The counts that are worth a word only when they are not 0. */
function rareCounts(counts: RunReport["counts"]): readonly string[] {
  const rare: readonly (readonly [string, number])[] = [
    ["kept", counts.kept],
    ["postponements", counts.postponed],
    ["failed tries", counts.retried],
    ["throttled answers", counts.throttled],
    ["dead-lettered", counts.deadLettered],
  ];
  return rare.filter(([, n]) => n > 0).map(([what, n]) => `${what} ${n}`);
}

function slotsInWords(report: RunReport): string {
  const { held, limit, seenAt } = report.platform;
  const seen = seenAt === undefined ? "" : `, seen at ${seenAt}`;
  return held === undefined ? "not seen in this run" : `${held} of ${limit}${seen}${oldestInWords(report)}`;
}

function oldestInWords({ platform }: RunReport): string {
  const { oldestUnarchived } = platform;
  return oldestUnarchived === undefined
    ? ""
    : `; longest unarchived: ${oldestUnarchived.exportTaskId}, made ${oldestUnarchived.createTime}`;
}

/** The last word on each task that did not end as a run with these settings ends them. */
function worthMentioning(tasks: readonly TaskEntry[]): readonly string[] {
  const last = [...new Map(tasks.map((entry) => [entry.exportTaskId, entry])).values()];
  const rows = last
    .filter((entry) => entry.outcome !== "archived-deleted" && entry.outcome !== "deleted")
    .filter((entry) => !isKeptAsSet(entry))
    .map((entry) => [
      entry.exportTaskId,
      outcomeInWords(entry),
      entry.reason === undefined ? "" : reasonInWords(entry.reason),
    ]);
  const keptAsSet = last.filter(isKeptAsSet).length;
  return [
    ...(keptAsSet === 0
      ? []
      : [`  ${count(keptAsSet, "export")} archived and kept: ${deletionInWords("never")}`]),
    ...(rows.length === 0 ? [] : table(["export task", "ended", "because"], rows)),
  ];
}

/** With deletion switched off every export ends so; fifty lines would say one thing. */
function isKeptAsSet({ outcome, reason }: TaskEntry): boolean {
  return outcome === "archived-kept" && reason === "delete-disabled";
}

/** What is left in the queue, and when it is due. */
export function leftLines(left: QueueDepth, nowMs: number): readonly string[] {
  const waiting = left.ready + left.delayed + left.inFlight;
  const due = left.nextDueAtMs === undefined ? "" : `, the next ${formatDue(left.nextDueAtMs, nowMs)}`;
  return [
    waiting === 0 ? "Left in the queue: nothing" : `Left in the queue: ${count(waiting, "task")}${due}`,
    ...(left.deadLetters === 0
      ? []
      : [`Dead letters: ${left.deadLetters} (see "iotda-archiver dead-letters list")`]),
  ];
}

/** The closing lines of `discover`. */
export function discoverLines(report: DiscoverRunReport): readonly Line[] {
  const { held, limit, unfinished, enqueued, skipped } = report;
  return [
    `Export slots used: ${held} of ${limit}, ${unfinished} still being made`,
    ...slotsLines(held, report.nextToGo),
    `Enqueued ${count(enqueued.length, "task")}${enqueued.length === 0 ? "" : ", oldest first:"}`,
    ...enqueued.map((exportTaskId) => `  ${exportTaskId}`),
    ...(skipped.length === 0 ? [] : [`Skipped ${count(skipped.length, "task")}:`]),
    ...skipped.map(({ exportTaskId, reason }) => `  ${exportTaskId}: ${skipInWords(reason)}`),
    ...(skipped.some(({ reason }) => reason === "dead-lettered") ? [DEAD_LETTERED_ADVICE] : []),
    ...leftAloneLines(report.leftAlone),
    ...requestLines(report),
  ];
}

/** Records outlive letters: that a letter was dismissed is not seen in them. */
const DEAD_LETTERED_ADVICE = [
  'Dead-lettered: "iotda-archiver dead-letters redrive <id …>" tries again. Where a letter was dismissed, there is none:',
  "ask for the export again. A failed export can be deleted on the platform by hand.",
].join(" ");

function red(text: string): Line {
  return { text, colour: "red" };
}

/** The warning while few export slots are free. */
export function slotsLines(held: number, next: NextToGo | undefined): readonly Line[] {
  return next === undefined ? [] : [{ text: `Warning: ${slotsWarning(held, next)}`, colour: "yellow" }];
}

/** `run`'s line on its discover: by count, since a run that finds nothing to do should say why. */
export function discoveredLine({ enqueued, skipped, unfinished }: DiscoverRunReport): string {
  const counts = new Map<string, number>();
  for (const { reason } of skipped) {
    const kind = skipKindInWords(reason);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const why = [...counts].map(([kind, n]) => `${n} ${kind}`).join(", ");
  return `Discovered: ${enqueued.length} enqueued, ${skipped.length} skipped${why === "" ? "" : ` (${why})`}, ${unfinished} still being made`;
}

function skipKindInWords(reason: DiscoverRunReport["skipped"][number]["reason"]): string {
  switch (reason) {
    case "dead-lettered":
      return "dead-lettered";
    case "enqueued-recently":
      return "enqueued less than 6 h ago";
    case "unknown-status":
      return "of unknown status";
    case "kept:copy-cold":
    case "kept:delete-disabled":
    case "kept:hold":
    case "kept:expired":
    case "kept:sibling":
    case "kept:odd-list":
      return "archived and kept";
  }
}

function skipInWords(reason: DiscoverRunReport["skipped"][number]["reason"]): string {
  switch (reason) {
    case "dead-lettered":
      return "dead-lettered";
    case "enqueued-recently":
      return "enqueued less than 6 h ago";
    case "unknown-status":
      return "its status is not one this program knows";
    case "kept:copy-cold":
    case "kept:delete-disabled":
    case "kept:hold":
    case "kept:expired":
    case "kept:sibling":
    case "kept:odd-list":
      return `archived and kept: ${reasonInWords(reason.slice("kept:".length))}`;
  }
}

/** `sweep` for a person. */
export function sweepLines({
  abortedUploads,
  youngUploads,
  orphans,
  checkedObjects,
  leftAlone,
}: SweepReport): readonly string[] {
  const kept = orphans.filter(({ removed }) => !removed);
  return [
    `Open uploads: ${abortedUploads.length} older than a day aborted, ${youngUploads} younger left alone`,
    ...abortedUploads.map(({ key, initiatedAt }) => `  ${key}, begun ${initiatedAt}`),
    `Objects: ${checkedObjects} looked at, ${count(orphans.length, "orphan")} found, ${orphans.length - kept.length} removed`,
    ...orphans.map(
      ({ key, sizeBytes, modifiedAt, removed, onlyCopy }) =>
        `  ${key}, ${formatBytes(sizeBytes)}, of ${modifiedAt}${removed ? ", removed" : ""}${onlyCopy ? ", the only copy left" : ""}`,
    ),
    ...leftAloneLines(leftAlone),
    ...(kept.length === 0
      ? []
      : ["An orphan is a copy that no record names. --remove-orphans removes those older than a day."]),
    ...(orphans.some(({ onlyCopy }) => onlyCopy)
      ? [
          "The only copy left is never removed: the recorded object of that revision is not there any more (runbook, damaged-objects).",
        ]
      : []),
  ];
}
