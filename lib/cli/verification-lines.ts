import type { DrillReport } from "../catalogue/drill.ts";
import type { VerificationReport } from "../catalogue/verification.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { count, formatDuration } from "./format.ts";
import { type Line, lines, red } from "./output.ts";

const COPIES = ["copy", "copies"] as const;

/** What an inventory read again, and whether every copy is read within the limit. */
export function verificationLines(report: VerificationReport | undefined): readonly Line[] {
  if (report === undefined) {
    return ["No copy was read again: ARCHIVER_VERIFY_WITHIN_DAYS is 0."];
  }
  const { copies, checked, checkedBytes, intact, damaged, failed, coldCopies, isLimitKept } = report;
  const unread = failed === 0 ? "" : `, ${failed} could not be read`;
  return lines(
    `${checked} of ${count(copies, ...COPIES)} read again (${formatBytes(checkedBytes)}): ${intact} intact, ${damaged} damaged${unread}.`,
    isLimitKept ? keptLine(report) : missedLines(report),
    coldCopies > 0 &&
      `Not read: ${count(coldCopies, ...COPIES)} in an archive storage class. Let the store check them: docs/finding.md, "Copies are read again".`,
    report.drill && drillLine(report.drill),
  );
}

/** Whether a person has to look at the report, damaged copies left out: the inventory's own report has those. */
export function asksForAttention(report: VerificationReport | undefined): boolean {
  return report !== undefined && (!report.isLimitKept || report.drill?.result === "failed");
}

function keptLine({ copies, coldCopies, limitDays, oldestUnreadDays }: VerificationReport): Line | undefined {
  return copies > coldCopies
    ? `Each copy is read at least once in ${count(limitDays, "day")}. The longest that one had not been read: ${count(oldestUnreadDays, "day")}.`
    : undefined;
}

function missedLines(report: VerificationReport): readonly Line[] {
  const { limitDays, missedFrom = "", oldestUnreadDays, budgetBytesPerDay, neededBytesPerDay } = report;
  const text =
    `From ${missedFrom.slice(0, 10)} on, copies will have been unread for more than ${count(limitDays, "day")}; ` +
    `the longest now: ${count(oldestUnreadDays, "day")}.`;
  return [
    { text, colour: "magenta" },
    neededBytesPerDay > budgetBytesPerDay
      ? `Next: set ARCHIVER_VERIFY_BYTES_PER_DAY to ${neededBytesPerDay} (${formatBytes(neededBytesPerDay)}) or more, or ARCHIVER_VERIFY_WITHIN_DAYS to more days.`
      : `Next: give the inventory more time: ${formatBytes(neededBytesPerDay)} a day would keep the limit, and this time it read ${formatBytes(report.checkedBytes)}.`,
  ];
}

function drillLine({ exportTaskId, revision, durationMs, result, problem = "" }: DrillReport): Line {
  const which = `${exportTaskId}, revision ${revision},`;
  switch (result) {
    case "restored":
      return `Drill: ${which} was restored and every member of it inflated, in ${formatDuration(durationMs)}.`;
    case "unchecked":
      return `Drill: ${which} was restored in ${formatDuration(durationMs)}. Its bytes are the recorded ones; its members were not checked: ${problem}`;
    case "failed":
      return red(`Drill: ${which} could NOT be restored: ${problem}`);
  }
}
