import type { ArchiveEvent } from "../archive/events.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { PLACES_LIMIT } from "../run/platform-list.ts";
import type { ExpectedWork } from "./event-lines.ts";
import { formatDuration } from "./format.ts";

/** With an id of 36 characters and two sizes beside it, a line has 80 columns at most. */
const BAR_CELLS = 16;

/** What goes on now, for a person: lines of at most 80 columns, below an empty one. */
export function progressLines(progress: Progress, nowMs: number): readonly string[] {
  const { held, archived, deleted, archivedBytes, failed, deadLettered } = progress;
  const slots = held === undefined ? "export slots not seen yet" : `export slots ${held}/${PLACES_LIMIT}`;
  const totals = [`archived ${archived} (${formatBytes(archivedBytes)})`, `deleted ${deleted}`];
  const troubles = [
    ...(failed > 0 ? [`failed tries ${failed}`] : []),
    ...(deadLettered > 0 ? [`dead-lettered ${deadLettered}`] : []),
  ];
  const lines = ["", `  ${[slots, ...totals].join("  ·  ")}`, ...aheadLines(progress)];
  if (troubles.length > 0) {
    lines.push(`  ${troubles.join("  ·  ")}`);
  }
  for (const task of progress.inFlight.values()) {
    // Ids that were checked, and nothing else from outside.
    lines.push(`  ${task.exportTaskId.padEnd(24)}  ${describe(task, nowMs)}`);
  }
  if (progress.inFlight.size === 0 && progress.idleUntilMs !== undefined) {
    lines.push(`  nothing is ready; the next task is due in ${formatDuration(progress.idleUntilMs - nowMs)}`);
  }
  return lines;
}

/** What the run still has to do, and what would be lost if an export were made now. */
function aheadLines({ expected, oldest }: Progress): readonly string[] {
  const lines: string[] = [];
  if (expected !== undefined) {
    const { left, total, toDownload, downloadIntervalMs } = expected;
    // The next download may begin at once.
    const floorMs = Math.max(0, toDownload - 1) * downloadIntervalMs;
    const time = floorMs === 0 ? "" : `  ·  at least ${formatDuration(floorMs)} if all are downloaded`;
    lines.push(`  left ${left.size} of ${total}${time}`);
  }
  if (oldest !== undefined) {
    lines.push(`  destroyed first when the slots are full: ${oldest}`);
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
  /** The export that the platform destroys first when its slots are full. */
  oldest: string | undefined;
  #left: Set<string> | undefined;
  #total = 0;
  #downloadIntervalMs = 0;
  readonly #downloaded = new Set<string>();
  /** Set while nothing is ready. */
  idleUntilMs: number | undefined;
  readonly inFlight = new Map<string, TaskProgress>();

  /** What the run still has to do; `undefined` until it is known. */
  get expected() {
    const left = this.#left;
    return (
      left && {
        left,
        total: this.#total,
        toDownload: [...left].filter((id) => !this.#downloaded.has(id)).length,
        downloadIntervalMs: this.#downloadIntervalMs,
      }
    );
  }

  expect({ exportTaskIds, downloadIntervalMs }: ExpectedWork): void {
    this.#left = new Set(exportTaskIds);
    this.#total = this.#left.size;
    this.#downloadIntervalMs = downloadIntervalMs;
  }

  note(event: ArchiveEvent): void {
    switch (event.kind) {
      case "run-started":
      case "listed":
        this.held = event.held;
        this.oldest = event.oldest;
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
        this.#downloaded.add(event.exportTaskId);
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
        if (event.delayMs === undefined) {
          this.#left?.delete(event.entry.exportTaskId);
        }
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
