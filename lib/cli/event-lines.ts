import type { ArchiveEvent } from "../archive/events.ts";
import type { Failure } from "../domain/errors.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { leftAloneInWords } from "../domain/left-alone.ts";
import type { Log } from "../observability/log.ts";
import type { TaskEntry } from "../records/run-report.ts";
import { count, formatDuration } from "./format.ts";
import { messageLines } from "./output.ts";
import { deletionInWords, outcomeInWords, reasonInWords } from "./words.ts";

/** The exports that a run attempts, as it knows them when it has discovered. */
export interface ExpectedWork {
  readonly exportTaskIds: readonly string[];
  readonly downloadIntervalMs: number;
}

/** Shows a run while it works. */
export interface RunView {
  observe(event: ArchiveEvent): void;
  /** Tells what the run has to do, for a view that counts it down. */
  expect(work: ExpectedWork): void;
  /** A line of the program itself. */
  say(line: string): void;
  /** Leaves the terminal as it should be. */
  close(): void;
}

/** Lines in a log: for cron, pipes and files. */
export function createPlainView(log: Log): RunView {
  const linesOf = createEventLines();
  return {
    observe(event) {
      for (const { level, text } of linesOf(event)) {
        log[level](text);
      }
    },
    expect: () => undefined,
    say: (line) => log.info(line),
    close: () => undefined,
  };
}

/** One event as a person reads it. */
export interface EventLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  /** An export is gone from the platform because its copy is proved. */
  readonly isGood?: true;
}

type Ended = Extract<ArchiveEvent, { kind: "task-ended" }>;
type OtherEvent = Exclude<ArchiveEvent, { kind: "failed" | "task-ended" | "run-ended" }>;

/**
 * Turns the events of a run into lines: one for each attempt at an export. A failed try has its line when the run knows
 * what becomes of the export; that may be much later where the failure may be the system's, and then it is said at once.
 *
 * @returns what gives the lines of an event; none for those that only move the live view.
 */
export function createEventLines(): (event: ArchiveEvent) => readonly EventLine[] {
  const failed = new Map<string, Failure>();
  const said = new Set<string>();
  return (event) => {
    switch (event.kind) {
      case "failed":
        if (event.verdict === "attempt") {
          failed.set(event.exportTaskId, event.failure);
          return [];
        }
        said.add(event.exportTaskId);
        return [failedLine(event.exportTaskId, event.failure)];
      case "export-lost":
        said.add(event.exportTaskId);
        break;
      case "task-ended": {
        const { exportTaskId } = event.entry;
        const failure = failed.get(exportTaskId);
        failed.delete(exportTaskId);
        return failure === undefined && said.delete(exportTaskId) && isNoNews(event.entry)
          ? []
          : [endedLine(event, failure)];
      }
      case "run-ended":
        return [...failed].map(([exportTaskId, failure]) => failedLine(exportTaskId, failure));
    }
    const line = eventLine(event);
    return line === undefined ? [] : [line];
  };
}

/** How an attempt ends of which was said that it failed, or that its export is lost. */
function isNoNews({ outcome, reason }: TaskEntry): boolean {
  return outcome === "retried" || reason === "source-gone";
}

/** A line of its own for an event. */
function eventLine(event: OtherEvent): EventLine | undefined {
  switch (event.kind) {
    case "run-started": {
      const { runId, held, pacing, deletion } = event;
      const text = `Run ${runId}: ${held} of 50 export slots used, pacing ${pacing}, ${deletionInWords(deletion)}`;
      return { level: "info", text };
    }
    case "task-started":
      return { level: "debug", text: `${event.exportTaskId}: started` };
    case "archived": {
      const adopted = event.adopted ? ", adopted from a run that crashed" : "";
      return { level: "debug", text: `${event.exportTaskId}: recorded as ${event.key}${adopted}` };
    }
    case "export-lost":
      return { level: "error", text: `${event.exportTaskId}: EXPORT LOST. ${event.detail}` };
    case "lease-lost": {
      const text = `${event.exportTaskId ?? "a message"}: the visibility timeout of its message ran out; another runner may work on it too`;
      return { level: "info", text };
    }
    case "left-alone":
      return { level: "warn", text: `Left alone: ${leftAloneInWords(event.item)}` };
    case "warning":
      return { level: "warn", text: event.message };
    case "idle":
      return event.isNew ? waitingLine(event) : undefined;
    case "throttled": // its task-ended line says it
    case "verification-failed": // so does the line of its failure
    case "listed":
    case "slot-awaited":
    case "download-started":
    case "bytes":
    case "verifying":
    case "deleted":
      return undefined;
  }
}

function waitingLine({ untilMs, delayed, inFlight }: Extract<ArchiveEvent, { kind: "idle" }>): EventLine {
  const due = new Date(untilMs).toISOString();
  const others = inFlight === 0 ? "" : `, ${inFlight} with another run or left by one that crashed`;
  const text = `Nothing is ready. The run waits for the next task, due at ${due}; ${count(delayed, "task")} delayed${others}`;
  return { level: "info", text };
}

/** @param outcome what becomes of the export, where that is known. */
function failedLine(exportTaskId: string, failure: Failure, outcome?: string): EventLine {
  // The stored bytes are not those that were downloaded.
  const isOfVerification = failure.code === "copy-differs" || failure.code === "store-copy-differs";
  const what = `${isOfVerification ? "verification failed: " : ""}${messageLines(failure).join(" ")}`;
  const ending = outcome === undefined ? "" : `; ${outcome}`;
  const text = `${exportTaskId}: ${what}${ending}. ${failure.hint}`;
  return { level: isOfVerification ? "error" : "warn", text };
}

function endedLine({ entry, delayMs }: Ended, failure: Failure | undefined): EventLine {
  const { exportTaskId, sizeBytes, reason } = entry;
  const size = sizeBytes === undefined ? "" : `, ${formatBytes(sizeBytes)}`;
  const why = reason === undefined ? "" : `: ${reasonInWords(reason)}`;
  const inTime = delayMs === undefined ? "" : ` in ${formatDuration(delayMs)}`;
  const again = inTime === "" ? "" : `; again${inTime}`;
  const outcome = outcomeInWords(entry);
  const text = `${exportTaskId}: ${outcome}`;
  switch (entry.outcome) {
    case "archived-deleted":
    case "deleted":
      return { level: "info", isGood: true, text: `${text}${size}` };
    case "archived-kept":
      return { level: "info", text: `${text}${size}${why}` };
    case "already-done":
    case "postponed":
      return { level: "info", text: `${text}${why}${again}` };
    case "retried":
      return failure === undefined
        ? { level: "info", text: `${text}${why}${again}` }
        : failedLine(exportTaskId, failure, `${outcome}${inTime}`);
    case "dead-lettered":
      return failure === undefined
        ? { level: "error", text: `${text}${why}` }
        : { ...failedLine(exportTaskId, failure, `${outcome}${why}`), level: "error" };
  }
}
