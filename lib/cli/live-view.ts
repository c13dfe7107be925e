import { styleText } from "node:util";
import { createLogUpdate } from "log-update";
import type { ArchiveEvent } from "../archive/events.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { harmlessText } from "../domain/harmless-text.ts";
import { PLACES_LIMIT } from "../run/platform-list.ts";
import { createEventLines, type EventLine, type RunView } from "./event-lines.ts";
import { formatDuration } from "./format.ts";
import { columnsOf, shownSecrets } from "./output.ts";
import { wrapped } from "./wrapping.ts";

// For terminals only, which import it on demand: log-update takes 40 ms to load.

const REDRAW_EVERY_MS = 100;
/** With an id of 36 characters and two sizes beside it, a line has 80 columns at most. */
const BAR_CELLS = 16;

type Style = Parameters<typeof styleText>[0];

/** An ordinary line has the terminal's own colour: white cannot be read on a light background. */
const STYLE_OF_LEVEL = {
  debug: undefined,
  info: undefined,
  warn: "yellow",
  error: "red",
} as const satisfies Record<EventLine["level"], Style | undefined>;

/** Finished lines scroll by; below them a block shows what is going on now. */
export function createLiveView(
  stream: NodeJS.WriteStream,
  showDebug: boolean,
  wallMs: () => number,
): RunView {
  const terminal = createLogUpdate(stream);
  const progress = new Progress();
  const linesOf = createEventLines();
  const draw = () => terminal(block(progress, wallMs()).join("\n"));
  const timer = setInterval(draw, REDRAW_EVERY_MS);
  const scroll = (text: string, style: Style | undefined) => {
    const lines = wrapped(harmlessText(shownSecrets.result(text)), columnsOf(stream));
    terminal.clear();
    stream.write(`${style === undefined ? lines : styleText(style, lines, { stream })}\n`);
    draw();
  };
  return {
    observe(event) {
      progress.note(event);
      for (const { text, level, isGood } of linesOf(event)) {
        if (showDebug || level !== "debug") {
          scroll(text, isGood ? "green" : STYLE_OF_LEVEL[level]);
        }
      }
    },
    say: (line) => scroll(line, "bold"),
    close() {
      clearInterval(timer);
      terminal.clear();
      terminal.done();
    },
  };
}

function block(progress: Progress, nowMs: number): readonly string[] {
  const { held, archived, deleted, archivedBytes, failed, deadLettered } = progress;
  const slots = held === undefined ? "export slots not seen yet" : `export slots ${held}/${PLACES_LIMIT}`;
  const totals = [
    `archived ${archived} (${formatBytes(archivedBytes)})`,
    `deleted ${deleted}`,
    ...(failed > 0 ? [`failed tries ${failed}`] : []),
    ...(deadLettered > 0 ? [`dead-lettered ${deadLettered}`] : []),
  ];
  const lines = ["", `  ${[slots, ...totals].join("  ·  ")}`];
  for (const task of progress.inFlight.values()) {
    // Ids that were checked, and nothing else from outside.
    lines.push(`  ${task.exportTaskId.padEnd(24)}  ${describe(task, nowMs)}`);
  }
  if (progress.inFlight.size === 0 && progress.idleUntilMs !== undefined) {
    lines.push(`  nothing is ready; the next task is due in ${formatDuration(progress.idleUntilMs - nowMs)}`);
  }
  return lines;
}

function describe(task: TaskProgress, nowMs: number): string {
  switch (task.phase) {
    case "looking":
      return "looking it up";
    case "waiting":
      return `next slot in ${formatDuration((task.startsAtMs ?? nowMs) - nowMs)}`;
    case "downloading":
      return `${bar(task)} ${amount(task)}`;
    case "verifying":
      return `${bar(task)} verifying ${formatBytes(task.receivedBytes)}`;
    case "deleting":
      return "archived; deleting on the platform";
  }
}

function bar({ receivedBytes, expectedBytes }: TaskProgress): string {
  if (expectedBytes === undefined || expectedBytes === 0) {
    return "";
  }
  const full = Math.round(BAR_CELLS * Math.min(1, receivedBytes / expectedBytes));
  return `${"█".repeat(full)}${"░".repeat(BAR_CELLS - full)}`;
}

function amount({ receivedBytes, expectedBytes }: TaskProgress): string {
  return expectedBytes === undefined
    ? formatBytes(receivedBytes)
    : `${formatBytes(receivedBytes)} of ${formatBytes(expectedBytes)}`;
}

/** One task in flight, as the live view shows it. */
interface TaskProgress {
  readonly exportTaskId: string;
  phase: "looking" | "waiting" | "downloading" | "verifying" | "deleting";
  /** While waiting: when its slot begins. */
  startsAtMs?: number;
  receivedBytes: number;
  expectedBytes?: number | undefined;
}

/** What the live view knows: the events of a run, summed up. */
export class Progress {
  held: number | undefined;
  archived = 0;
  deleted = 0;
  archivedBytes = 0;
  failed = 0;
  deadLettered = 0;
  /** Set while nothing is ready. */
  idleUntilMs: number | undefined;
  readonly inFlight = new Map<string, TaskProgress>();

  note(event: ArchiveEvent): void {
    switch (event.kind) {
      case "run-started":
      case "listed":
        this.held = event.held;
        return;
      case "task-started":
        this.idleUntilMs = undefined;
        this.inFlight.set(event.exportTaskId, {
          exportTaskId: event.exportTaskId,
          phase: "looking",
          receivedBytes: 0,
        });
        return;
      case "slot-awaited":
        this.#move(event.exportTaskId, { phase: "waiting", startsAtMs: event.startsAtMs });
        return;
      case "download-started":
        this.#move(event.exportTaskId, { phase: "downloading", expectedBytes: event.expectedSizeBytes });
        return;
      case "bytes":
        this.#move(event.exportTaskId, { receivedBytes: event.receivedBytes });
        return;
      case "verifying":
        this.#move(event.exportTaskId, { phase: "verifying" });
        return;
      case "archived":
        this.archived += 1;
        this.archivedBytes += event.sizeBytes;
        this.#move(event.exportTaskId, { phase: "deleting" });
        return;
      case "deleted":
        this.deleted += event.outcome === "deleted" ? 1 : 0;
        return;
      case "task-ended":
        this.deadLettered += event.entry.outcome === "dead-lettered" ? 1 : 0;
        this.inFlight.delete(event.entry.exportTaskId);
        return;
      case "failed":
        this.failed += 1;
        this.inFlight.delete(event.exportTaskId);
        return;
      case "idle":
        this.idleUntilMs = event.untilMs;
        return;
      case "throttled":
      case "verification-failed":
      case "export-lost":
      case "lease-lost":
      case "left-alone":
      case "warning":
      case "run-ended":
        return;
    }
  }

  #move(exportTaskId: string, change: Partial<TaskProgress>): void {
    const task = this.inFlight.get(exportTaskId);
    if (task !== undefined) {
      Object.assign(task, change);
    }
  }
}
