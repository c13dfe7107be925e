import type { DiscoverRunReport } from "../config/discover-and-request.ts";
import type { TaskEntry } from "../records/run-report.ts";
import type { OpenRequest, OpenRequests } from "../requests/open-requests.ts";
import { count, formatDuration } from "./format.ts";
import { failureLines, type Line, lines } from "./output.ts";
import { outcomeInWords, reasonInWords, requestReasonInWords } from "./words.ts";

/**
 * The part of `discover` and `run` that is about export requests, counted by batch task: one may be asked for several
 * times, and what is said of it is said once.
 * @param tasks what a run after that discover made of the exports: the later word counts.
 */
export function requestLines(
  { requests }: Pick<DiscoverRunReport, "requests">,
  tasks: readonly TaskEntry[] = [],
): readonly Line[] {
  if (requests === undefined) {
    return [];
  }
  const { created, underWay, waiting, ended, failure } = requests;
  const attempts = new Map(tasks.map((entry) => [entry.exportTaskId, attemptInWords(entry)]));
  const isNew = new Set(created.map(({ exportTaskId }) => exportTaskId));
  const standings: { readonly batchTaskId: string; readonly standing: string }[] = [
    ...created.map(({ batchTaskId, exportTaskId }) => {
      const attempt = attempts.get(exportTaskId);
      return {
        batchTaskId,
        standing: `created export ${exportTaskId}${attempt === undefined ? "" : `, ${attempt}`}`,
      };
    }),
    ...underWay
      .filter(({ exportTaskId }) => !isNew.has(exportTaskId))
      .map(({ batchTaskId, exportTaskId, reason }) => {
        const attempt = attempts.get(exportTaskId) ?? requestReasonInWords(reason);
        return { batchTaskId, standing: `export ${exportTaskId}, ${attempt}` };
      }),
    ...waiting.map(({ batchTaskId, reason }) => ({
      batchTaskId,
      standing: `waits; ${requestReasonInWords(reason)}`,
    })),
    ...ended.map((end) => ({
      batchTaskId: end.batchTaskId,
      standing:
        end.outcome === "archived"
          ? `export ${end.exportTaskId}, archived`
          : `given up; ${requestReasonInWords(end.reason)}`,
    })),
  ];
  const batchTasks = new Set(standings.map(({ batchTaskId }) => batchTaskId));
  return lines(
    `Export requests: ${count(batchTasks.size, "batch task")}`,
    [...new Set(standings.map(({ batchTaskId, standing }) => `  ${batchTaskId}: ${standing}`))],
    failureLines(failure, "  A failure stopped the requests: "),
  );
}

function attemptInWords(attempt: TaskEntry): string {
  return `${outcomeInWords(attempt)}${attempt.reason === undefined ? "" : `: ${reasonInWords(attempt.reason)}`}`;
}

/** The part of `status` that is about export requests; `null` where they are not known. */
export function openRequestLines(requests: OpenRequests | null | undefined, nowMs: number): readonly Line[] {
  if (requests === undefined) {
    return [];
  }
  if (requests === null) {
    return ["Open export requests: unknown"];
  }
  const { open, batchTasks } = requests;
  // Those of one batch task that stand alike are one line: of the oldest, which comes first.
  const alike = Map.groupBy(requests.requests, ({ batchTaskId, exportTaskId = "", reason }) =>
    [batchTaskId, exportTaskId, reason].join(" "),
  );
  return lines(
    `Open export requests: ${count(batchTasks, "batch task")}${open === batchTasks ? "" : ` (${open} requests)`}`,
    ...[...alike.values()].map(([first]) => first && openRequestLine(first, nowMs)),
  );
}

function openRequestLine(
  { batchTaskId, requestedAt, exportTaskId, reason }: OpenRequest,
  nowMs: number,
): string {
  const age = requestedAt === undefined ? "" : `, ${formatDuration(nowMs - Date.parse(requestedAt))} old`;
  const made = exportTaskId === undefined ? "" : `, export ${exportTaskId}`;
  return `  ${batchTaskId}${age}${made}: ${requestReasonInWords(reason)}`;
}
