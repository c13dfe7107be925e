import type { DiscoverRunReport } from "../config/discover-and-request.ts";
import type { TaskEntry } from "../records/run-report.ts";
import type { WaitReason } from "../requests/decide.ts";
import type { OpenRequest } from "../requests/open-requests.ts";
import { messageLines } from "./failure-lines.ts";
import { count, formatDuration } from "./format.ts";
import type { StatusReport } from "./status-report.ts";
import { outcomeInWords, reasonInWords } from "./words.ts";

const WAIT_WORDS: Readonly<Record<WaitReason, string>> = {
  "places-held":
    "45 or more export slots are used, or all but 5 of ARCHIVER_EXPORT_PLACES: one more could evict one not archived",
  "unfinished-limit": "five exports are being made, which is all the platform allows",
  "same-condition-unfinished": "an export of the same batch task is being made",
  "same-condition-unarchived": "an export of the same batch task is not archived yet",
  claimed: "another run is creating the export, or died at it",
  "tried-just-now": "the last try came to nothing just now",
  "list-too-old": "platform and store answer too slowly to create safely",
  "older-requests-first": "many older requests come first",
  "request-file-unreadable": "unrecognised file under requests/",
};

/** What a reason of an open or ended request means, where it means something else than for a task. */
const REASON_WORDS: Readonly<Record<string, string>> = {
  ...WAIT_WORDS,
  "same-condition-dead-lettered": "an export of the same batch task was given up and would be overwritten",
  "next-run": "the next discover works on it",
  unfinished: "being made",
  unarchived: "not archived yet",
  "platform-not-seen": "where it stands is not known without the platform",
  "export-failed": "the platform could not make its export",
  "export-lost": "its export left the platform before it was archived",
  "create-refused": "the platform refuses to make the export",
  "never-finished": "the platform never finished its export",
  "dead-lettered": "its export was dead-lettered",
};

function inWords(reason: string): string {
  return REASON_WORDS[reason] ?? reasonInWords(reason);
}

/**
 * The part of `discover` and `run` that is about export requests, counted by batch task: one may be asked for several
 * times, and what is said of it is said once.
 * @param tasks what a run after that discover made of the exports: the later word counts.
 */
export function requestLines(
  { requests }: Pick<DiscoverRunReport, "requests">,
  tasks: readonly TaskEntry[] = [],
): readonly string[] {
  if (requests === undefined) {
    return [];
  }
  const { created, underWay, waiting, ended, failure } = requests;
  const attempts = new Map(tasks.map((entry) => [entry.exportTaskId, entry]));
  const isNotNew = ({ exportTaskId }: { readonly exportTaskId: string }) =>
    created.every((one) => one.exportTaskId !== exportTaskId);
  const standings: readonly (readonly [string, string])[] = [
    ...created.map(({ batchTaskId, exportTaskId }) => {
      const attempt = attempts.get(exportTaskId);
      const ending = attempt === undefined ? "" : `, ${attemptInWords(attempt)}`;
      return [batchTaskId, `created export ${exportTaskId}${ending}`] as const;
    }),
    ...underWay.filter(isNotNew).map(({ batchTaskId, exportTaskId, reason }) => {
      const attempt = attempts.get(exportTaskId);
      const standing = attempt === undefined ? inWords(reason) : attemptInWords(attempt);
      return [batchTaskId, `export ${exportTaskId}, ${standing}`] as const;
    }),
    ...waiting.map(({ batchTaskId, reason }) => [batchTaskId, `waits; ${inWords(reason)}`] as const),
    ...ended.map(
      (end) =>
        [
          end.batchTaskId,
          end.outcome === "archived"
            ? `export ${end.exportTaskId}, archived`
            : `given up; ${inWords(end.reason)}`,
        ] as const,
    ),
  ];
  const batchTasks = new Set(standings.map(([batchTaskId]) => batchTaskId));
  const lines = new Set(standings.map(([batchTaskId, standing]) => `  ${batchTaskId}: ${standing}`));
  return [
    `Export requests: ${count(batchTasks.size, "batch task")}`,
    ...lines,
    ...(failure === undefined
      ? []
      : [...messageLines(failure, "  Stopped by a failure: "), `  ${failure.hint}`]),
  ];
}

function attemptInWords(attempt: TaskEntry): string {
  return `${outcomeInWords(attempt)}${attempt.reason === undefined ? "" : `: ${reasonInWords(attempt.reason)}`}`;
}

/** The part of `status` that is about export requests. */
export function openRequestLines(
  { requests }: Pick<StatusReport, "requests">,
  nowMs: number,
): readonly string[] {
  if (requests === undefined) {
    return [];
  }
  if (requests === null) {
    return ["Open export requests: not known"];
  }
  const { open, batchTasks } = requests;
  // Those of one batch task that stand alike are one line: of the oldest, which comes first.
  const alike = Map.groupBy(requests.requests, ({ batchTaskId, exportTaskId = "", reason }) =>
    [batchTaskId, exportTaskId, reason].join(" "),
  );
  return [
    `Open export requests: ${count(batchTasks, "batch task")}${open === batchTasks ? "" : ` (${open} requests)`}`,
    ...[...alike.values()].flatMap(([first]) => (first === undefined ? [] : [openRequestLine(first, nowMs)])),
  ];
}

function openRequestLine(
  { batchTaskId, requestedAt, exportTaskId, reason }: OpenRequest,
  nowMs: number,
): string {
  const age = requestedAt === undefined ? "" : `, ${formatDuration(nowMs - Date.parse(requestedAt))} old`;
  const made = exportTaskId === undefined ? "" : `, export ${exportTaskId}`;
  return `  ${batchTaskId}${age}${made}: ${inWords(reason)}`;
}
