import type { SweepReport } from "../catalogue/sweep.ts";
import type { DiscoverRunReport } from "../config/discover-and-request.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { type LeftAloneReport, leftAloneInWords } from "../domain/left-alone.ts";
import type { QueueDepth } from "../ports/task-queue.ts";
import type { NextToGo, RunReport, TaskEntry } from "../records/run-report.ts";
import { slotsWarning } from "../run/next-to-go.ts";
import { count, formatDue, formatDuration } from "./format.ts";
import { failureLines, type Line, lines, red } from "./output.ts";
import { requestLines } from "./request-lines.ts";
import { table } from "./table.ts";
import {
  deletionInWords,
  outcomeInWords,
  reasonInWords,
  STOP_WORDS,
  skipInWords,
  skipKindInWords,
} from "./words.ts";

/** The closing lines of an archive run. */
export async function runLines(report: RunReport): Promise<readonly Line[]> {
  const { counts, failure } = report;
  const durationMs = Date.parse(report.endedAt) - Date.parse(report.startedAt);
  // Of these a count of 0 is not worth a word.
  const rare = Object.entries({
    kept: counts.kept,
    postponements: counts.postponed,
    "failed tries": counts.retried,
    "throttled answers": counts.throttled,
    "dead-lettered": counts.deadLettered,
  }).flatMap(([what, n]) => (n === 0 ? [] : [`${what} ${n}`]));
  const numbers = [`archived ${counts.archived} (${formatBytes(report.bytes)})`, `deleted ${counts.deleted}`];
  return lines(
    `Run ${report.runId}: ${STOP_WORDS[report.stopReason]} (${formatDuration(durationMs)})`,
    `  ${[...numbers, ...rare].join(", ")}`,
    `  export slots used: ${slotsInWords(report)}`,
    report.pacing === "unshared" &&
      "  pacing: unshared; run only one archiver at a time on this store, because the platform would throttle a second one",
    await worthMentioning(report.tasks),
    leftAloneLines(report.leftAlone),
    failure && "",
    failureLines(failure, "Failed: ", red),
  );
}

/** What a plan says and the run did not even attempt. */
export function notAttemptedLines(exportTaskIds: readonly string[]): readonly Line[] {
  return exportTaskIds.length === 0
    ? []
    : [
        "In the plan, and not attempted: no longer on the platform, settled by another run, or not reached",
        ...exportTaskIds.map((exportTaskId) => `  ${exportTaskId}`),
      ];
}

/** What was left alone, one line each. */
export function leftAloneLines(leftAlone: LeftAloneReport | undefined): readonly Line[] {
  if (leftAlone === undefined) {
    return [];
  }
  const more = leftAlone.count - leftAlone.items.length;
  return lines(
    `Left alone because the program cannot understand them: ${leftAlone.count}`,
    leftAlone.items.map((item) => `  ${leftAloneInWords(item)}`),
    more > 0 && `  and ${more} more`,
  );
}

function slotsInWords({ platform }: RunReport): string {
  const { held, limit, seenAt, oldestUnarchived: oldest } = platform;
  if (held === undefined) {
    return "not listed in this run";
  }
  const seen = seenAt === undefined ? "" : `, seen at ${seenAt}`;
  const unarchived =
    oldest === undefined ? "" : `; oldest unarchived: ${oldest.exportTaskId}, created ${oldest.createTime}`;
  return `${held} of ${limit}${seen}${unarchived}`;
}

/** The last word on each task that did not end as a run with these settings ends them. */
async function worthMentioning(tasks: readonly TaskEntry[]): Promise<readonly Line[]> {
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
  return lines(
    keptAsSet > 0 && `  ${count(keptAsSet, "export")} archived and kept: ${deletionInWords("never")}`,
    rows.length > 0 && (await table(["export task", "ended", "because"], rows)),
  );
}

/** With deletion switched off every export ends so; fifty lines would say one thing. */
function isKeptAsSet({ outcome, reason }: TaskEntry): boolean {
  return outcome === "archived-kept" && reason === "delete-disabled";
}

/** What is left in the queue, and when it is due. */
export function leftLines(left: QueueDepth, nowMs: number): readonly Line[] {
  const waiting = left.ready + left.delayed + left.inFlight;
  const due = left.nextDueAtMs === undefined ? "" : `, the next ${formatDue(left.nextDueAtMs, nowMs)}`;
  return lines(
    `Left in the queue: ${waiting === 0 ? "nothing" : `${count(waiting, "task")}${due}`}`,
    left.deadLetters > 0 && deadLettersLine(left),
  );
}

/** How many dead letters there are, and which command shows them. */
export function deadLettersLine({ deadLetters }: QueueDepth): string {
  return `Dead letters: ${deadLetters}${deadLetters === 0 ? "" : ' (see "iotda-archiver dead-letters list")'}`;
}

/** The closing lines of `discover`. */
export function discoverLines(report: DiscoverRunReport): readonly Line[] {
  const { held, limit, unfinished, enqueued, skipped } = report;
  return lines(
    `Export slots used: ${held} of ${limit}, ${unfinished} still being made`,
    slotsLines(held, report.nextToGo),
    `Enqueued ${count(enqueued.length, "task")}${enqueued.length === 0 ? "" : ", oldest first:"}`,
    enqueued.map((exportTaskId) => `  ${exportTaskId}`),
    skipped.length > 0 && `Skipped ${count(skipped.length, "task")}:`,
    skipped.map(({ exportTaskId, reason }) => `  ${exportTaskId}: ${skipInWords(reason)}`),
    skipped.some(({ reason }) => reason === "dead-lettered") && DEAD_LETTERED_ADVICE,
    leftAloneLines(report.leftAlone),
    requestLines(report),
  );
}

/** Records outlive letters: that a letter was dismissed is not seen in them. */
const DEAD_LETTERED_ADVICE =
  'To try a dead-lettered task again, run "iotda-archiver dead-letters redrive <id …>". If its letter was dismissed, ' +
  "ask for the export again. You can delete a failed export on the platform by hand.";

/** The warning while few export slots are free. */
export function slotsLines(held: number, next: NextToGo | undefined): readonly Line[] {
  return next === undefined ? [] : [{ text: `Warning: ${slotsWarning(held, next)}`, colour: "magenta" }];
}

/** `run`'s line on its discover: by count, since a run that finds nothing to do should say why. */
export function discoveredLine({ enqueued, skipped, unfinished }: DiscoverRunReport): string {
  const kinds = Map.groupBy(skipped, ({ reason }) => skipKindInWords(reason));
  const why = [...kinds].map(([kind, { length }]) => `${length} ${kind}`).join(", ");
  return `Discovered: ${enqueued.length} enqueued, ${skipped.length} skipped${why === "" ? "" : ` (${why})`}, ${unfinished} still being made`;
}

/** `sweep` for a person. */
export function sweepLines(report: SweepReport): readonly Line[] {
  const { abortedUploads, youngUploads, orphans, checkedObjects, damaged, leftAlone, failure } = report;
  if (failure !== undefined) {
    return failureLines(failure, "Failed: ", red);
  }
  const kept = orphans.filter(({ removed }) => !removed);
  return lines(
    `Open uploads: ${abortedUploads.length} older than a day aborted, ${youngUploads} younger left alone`,
    abortedUploads.map(({ key, initiatedAt }) => `  ${key}, started ${initiatedAt}`),
    `Objects: ${checkedObjects} checked, ${count(orphans.length, "orphan")} found, ${orphans.length - kept.length} removed`,
    orphans.map(
      ({ key, sizeBytes, modifiedAt, removed, onlyCopy }) =>
        `  ${key}, ${formatBytes(sizeBytes)}, modified ${modifiedAt}${removed ? ", removed" : ""}${onlyCopy ? ", the only copy left" : ""}`,
    ),
    leftAloneLines(leftAlone),
    kept.length > 0 &&
      "An orphan is a copy older than a day that no record names. --remove-orphans removes it where the recorded copy is there.",
    orphans.some(({ onlyCopy }) => onlyCopy) &&
      "sweep never removes the only copy left: no recorded object of that revision is there (docs/runbook.md, damaged-objects).",
    damaged > 0 &&
      red(`${count(damaged, "export")} damaged: "iotda-archiver list --state damaged" shows them.`),
  );
}
