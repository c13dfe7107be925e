import type { ArchiveEvent } from "../archive/events.ts";
import type { Failure } from "../domain/errors.ts";
import { leftAloneInWords } from "../domain/left-alone.ts";
import type { TaskEntry } from "../records/run-report.ts";
import { messageLines } from "./failure-lines.ts";
import { count, formatBytes, formatDuration } from "./format.ts";
import { deletionInWords, outcomeInWords, reasonInWords } from "./words.ts";

/** One event as a person reads it. */
export interface EventLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  /** Coloured on a terminal: what the line means for the operator. */
  readonly tone: "good" | "plain" | "caution" | "bad";
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
    case "run-started":
      return {
        level: "info",
        tone: "plain",
        text: `Run ${event.runId}: ${event.held} of 50 export slots used, pacing ${event.pacing}, ${deletionInWords(event.deletion)}`,
      };
    case "task-started":
      return { level: "debug", tone: "plain", text: `${event.exportTaskId}: started` };
    case "archived":
      return {
        level: "debug",
        tone: "plain",
        text: `${event.exportTaskId}: recorded as ${event.key}${event.adopted ? ", adopted from a run that died" : ""}`,
      };
    case "export-lost":
      return { level: "error", tone: "bad", text: `${event.exportTaskId}: EXPORT LOST. ${event.detail}` };
    case "lease-lost":
      return {
        level: "info",
        tone: "plain",
        text: `${event.exportTaskId ?? "a message"}: its visibility timeout ran out; another runner may work on it too`,
      };
    case "left-alone":
      return {
        level: "warn",
        tone: "caution",
        text: `Left alone: ${leftAloneInWords(event.item)}`,
      };
    case "warning":
      return { level: "warn", tone: "caution", text: event.message };
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
  const others = inFlight === 0 ? "" : `, ${inFlight} with another run or left by one that died`;
  return {
    level: "info",
    tone: "plain",
    text: `Nothing is ready: waiting for the next task, due at ${due}; ${count(delayed, "task")} delayed${others}`,
  };
}

/** @param outcome what becomes of the export, where that is known. */
function failedLine(exportTaskId: string, failure: Failure, outcome?: string): EventLine {
  const what = `${isOfVerification(failure) ? "verification failed: " : ""}${messageLines(failure).join(" ")}`;
  return {
    ...(isOfVerification(failure) ? { level: "error", tone: "bad" } : { level: "warn", tone: "caution" }),
    text: `${exportTaskId}: ${what}${outcome === undefined ? "" : `; ${outcome}`}. ${failure.hint}`,
  };
}

/** The stored bytes are not those that were downloaded. */
function isOfVerification({ code }: Failure): boolean {
  return code === "copy-differs" || code === "store-copy-differs";
}

function endedLine({ entry, delayMs }: Ended, failure: Failure | undefined): EventLine {
  const size = entry.sizeBytes === undefined ? "" : `, ${formatBytes(entry.sizeBytes)}`;
  const why = entry.reason === undefined ? "" : `: ${reasonInWords(entry.reason)}`;
  const inTime = delayMs === undefined ? "" : ` in ${formatDuration(delayMs)}`;
  const again = inTime === "" ? "" : `; again${inTime}`;
  const outcome = outcomeInWords(entry);
  const text = `${entry.exportTaskId}: ${outcome}`;
  switch (entry.outcome) {
    case "archived-deleted":
    case "deleted":
      return { level: "info", tone: "good", text: `${text}${size}` };
    case "archived-kept":
      return { level: "info", tone: "plain", text: `${text}${size}${why}` };
    case "already-done":
    case "postponed":
      return { level: "info", tone: "plain", text: `${text}${why}${again}` };
    case "retried":
      return failure === undefined
        ? { level: "info", tone: "plain", text: `${text}${why}${again}` }
        : failedLine(entry.exportTaskId, failure, `${outcome}${inTime}`);
    case "dead-lettered":
      return failure === undefined
        ? { level: "error", tone: "bad", text: `${text}${why}` }
        : { ...failedLine(entry.exportTaskId, failure, `${outcome}${why}`), level: "error", tone: "bad" };
  }
}
