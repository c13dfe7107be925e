import type { Failure } from "../domain/errors.ts";
import { isSameFailure } from "./asked.ts";
import { messageLines } from "./failure-lines.ts";
import { formatDue } from "./format.ts";
import { openRequestLines } from "./request-lines.ts";
import type { PlatformStatus, StatusReport } from "./status-report.ts";
import { leftAloneLines, slotsLines } from "./summaries.ts";
import type { Line } from "./terminal.ts";
import { deletionInWords } from "./words.ts";

/** `status` for a person. What is not known is called so. */
export function statusLines(status: StatusReport, nowMs: number): readonly Line[] {
  const { platform, deletion, leftAlone, failures = {} } = status;
  return [
    ...(platform === null
      ? failedLines("Platform: it cannot be asked", failures.platform)
      : platformLines(platform)),
    ...leftAloneLines(leftAlone),
    ...queueLines(status, nowMs),
    `Runs: ${deletionInWords(deletion)}`,
    ...(isSameFailure(failures.store, failures.queue)
      ? [red("Store: it cannot be used for the same reason")]
      : failedLines("Store: it cannot be used", failures.store)),
    ...nextSlotLines(status, nowMs),
    ...openRequestLines(status, nowMs),
  ];
}

/** With what to do about it. */
function failedLines(lead: string, failure: Failure | undefined): readonly Line[] {
  return failure === undefined ? [] : [...messageLines(failure, `${lead}: `).map(red), `  ${failure.hint}`];
}

function platformLines(platform: PlatformStatus): readonly Line[] {
  const { held, limit, archived, oldest, nextToGo } = platform;
  const byStatus = Object.entries(platform.byStatus).map(([status, n]) => `${n} ${status}`);
  // What is unfinished or has failed cannot be archived.
  const finished = platform.byStatus.Success ?? 0;
  return [
    `Platform: ${held} of ${limit} export slots used${byStatus.length === 0 ? "" : ` (${byStatus.join(", ")})`}`,
    ...(oldest === undefined
      ? []
      : [
          `  oldest: ${oldest.exportTaskId}, made ${oldest.createTime}; evicted first when all slots are used`,
        ]),
    ...(finished === 0
      ? []
      : [
          archived === null
            ? `  of ${finished} finished: how many are archived is not known`
            : `  of ${finished} finished: ${archived} archived, ${finished - archived} not archived`,
        ]),
    ...slotsLines(held, nextToGo),
  ];
}

function queueLines({ queue, failures }: StatusReport, nowMs: number): readonly Line[] {
  if (queue === null) {
    const why = failedLines("Queue: it cannot be asked", failures?.queue);
    return why.length > 0 ? why : ["Queue: there is none yet"];
  }
  const { ready, delayed, inFlight, nextDueAtMs, deadLetters } = queue;
  const due = nextDueAtMs === undefined ? "" : `; the next ${formatDue(nextDueAtMs, nowMs)}`;
  return [
    `Queue: ${ready} ready, ${delayed} delayed, ${inFlight} in flight${due}`,
    `Dead letters: ${deadLetters}${deadLetters === 0 ? "" : ' (see "iotda-archiver dead-letters list")'}`,
  ];
}

function nextSlotLines({ nextSlotAt }: StatusReport, nowMs: number): readonly Line[] {
  if (nextSlotAt === null) {
    return ["Next download slot: not known"];
  }
  return [
    nextSlotAt === undefined
      ? "Next download: no run has paced this store yet"
      : `Next download slot: ${formatDue(Date.parse(nextSlotAt), nowMs)}`,
  ];
}

function red(text: string): Line {
  return { text, colour: "red" };
}
