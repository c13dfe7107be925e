import type { ArchiveEvent } from "../archive/events.ts";
import { leftAloneInWords } from "../domain/left-alone.ts";
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

/** The line for an event; `undefined` for those that only move the live view. */
export function eventLine(event: ArchiveEvent): EventLine | undefined {
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
    case "failed":
      return {
        level: "warn",
        tone: "caution",
        text: `${event.exportTaskId}: ${messageLines(event.failure).join(" ")}. ${event.failure.hint}`,
      };
    case "verification-failed":
      return {
        level: "error",
        tone: "bad",
        text: `${event.exportTaskId}: verification failed: ${event.failure.message}`,
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
    case "task-ended":
      return endedLine(event);
    case "idle":
      return event.isNew ? waitingLine(event) : undefined;
    case "throttled": // its task-ended line says it
    case "listed":
    case "slot-awaited":
    case "download-started":
    case "bytes":
    case "verifying":
    case "deleted":
    case "run-ended":
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

function endedLine({ entry, delayMs }: Extract<ArchiveEvent, { kind: "task-ended" }>): EventLine {
  const size = entry.sizeBytes === undefined ? "" : `, ${formatBytes(entry.sizeBytes)}`;
  const why = entry.reason === undefined ? "" : `: ${reasonInWords(entry.reason)}`;
  const inTime = delayMs === undefined ? "" : ` in ${formatDuration(delayMs)}`;
  const again = inTime === "" ? "" : `; again${inTime}`;
  const text = `${entry.exportTaskId}: ${outcomeInWords(entry)}`;
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
      // Why it failed was said when it failed.
      return { level: "info", tone: "plain", text: `${text}${inTime}` };
    case "dead-lettered":
      return { level: "error", tone: "bad", text: `${text}${why}` };
  }
}
