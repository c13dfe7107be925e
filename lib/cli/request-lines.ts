import type { DiscoverReport } from "../discovery/discover.ts";
import type { WaitReason } from "../requests/decide.ts";
import type { StatusReport } from "./commands/status.ts";
import { messageLines } from "./failure-lines.ts";
import { count, formatDuration } from "./format.ts";
import { reasonInWords } from "./words.ts";

const WAIT_WORDS: Readonly<Record<WaitReason, string>> = {
  "places-held":
    "45 or more places are held, or all but 5 of ARCHIVER_EXPORT_PLACES: one more could evict one not archived",
  "unfinished-limit": "five exports are being made, which is all the platform allows",
  "same-condition-unfinished": "an export of the same batch task is being made",
  "same-condition-unarchived": "an export of the same batch task is not archived yet",
  claimed: "another run is creating the export, or died at it",
  "tried-just-now": "the last try came to nothing just now",
  "list-too-old": "platform and store answer too slowly to create safely",
  "older-requests-first": "many older requests come first",
  "request-file-unreadable": "its file under requests/ is none of this program's",
};

/** What a reason of an open or ended request means, where it means something else than for a task. */
const REASON_WORDS: Readonly<Record<string, string>> = {
  ...WAIT_WORDS,
  "same-condition-dead-lettered": "an export of the same batch task was given up and would be overwritten",
  "next-run": "the next discover works on it",
  unfinished: "its export is being made",
  unarchived: "its export is not archived yet",
  absent: "no list shows its export",
  "export-failed": "the platform could not make its export",
  "export-lost": "its export left the platform before it was archived",
  "create-refused": "the platform refuses to make the export",
  "never-finished": "the platform never finished its export",
  "dead-lettered": "its export was dead-lettered",
};

function inWords(reason: string): string {
  return REASON_WORDS[reason] ?? reasonInWords(reason);
}

/** The part of `discover` that is about export requests. */
export function requestLines({ requests }: Pick<DiscoverReport, "requests">): readonly string[] {
  if (requests === undefined) {
    return [];
  }
  const { created, underWay, waiting, ended, failure } = requests;
  const lines = [
    ...created.map(({ batchTaskId, exportTaskId }) => `${batchTaskId}: created export ${exportTaskId}`),
    ...underWay.map(
      ({ batchTaskId, exportTaskId, reason }) => `${batchTaskId}: export ${exportTaskId}, ${inWords(reason)}`,
    ),
    ...waiting.map(({ batchTaskId, reason }) => `${batchTaskId}: waits; ${inWords(reason)}`),
    ...ended.map((end) =>
      end.outcome === "archived"
        ? `${end.batchTaskId}: archived, export ${end.exportTaskId}`
        : `${end.batchTaskId}: given up; ${inWords(end.reason)}`,
    ),
  ];
  return [
    `Export requests: ${lines.length} looked at`,
    ...lines.map((line) => `  ${line}`),
    ...(failure === undefined
      ? []
      : [...messageLines(failure, "  Stopped by a failure: "), `  ${failure.hint}`]),
  ];
}

/** The part of `status` that is about export requests. */
export function openRequestLines({ requests }: StatusReport, nowMs: number): readonly string[] {
  if (requests === undefined) {
    return [];
  }
  return [
    `Open export requests: ${count(requests.open, "batch task")}`,
    ...requests.requests.map(({ batchTaskId, requestedAt, exportTaskId, reason }) => {
      const age = requestedAt === undefined ? "" : `, ${formatDuration(nowMs - Date.parse(requestedAt))} old`;
      const made = exportTaskId === undefined ? "" : `, export ${exportTaskId}`;
      return `  ${batchTaskId}${age}${made}: ${inWords(reason)}`;
    }),
  ];
}
