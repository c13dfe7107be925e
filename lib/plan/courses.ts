import type { SkipReason } from "../discovery/discover.ts";
import type { ExportTask } from "../domain/export-task.ts";
import type { TaskEntry } from "../records/run-report.ts";
import type { PlanAction } from "./plan.ts";
import type { Rehearsal, TimedEvent } from "./rehearsal.ts";

/** What became of one export in a rehearsal. Moments are epoch milliseconds. */
export interface Course {
  readonly action: PlanAction;
  readonly reason?: string | undefined;
  /** Whether it took a download slot. */
  readonly downloads: boolean;
  /** When something was begun, or decided, about it. */
  readonly atMs?: number | undefined;
  readonly deletedAtMs?: number | undefined;
}

/** What the events of a rehearsal say of one export. */
interface Told {
  downloadAtMs?: number;
  archivedAtMs?: number;
  deletedAtMs?: number;
  firstEndedAtMs?: number;
  last?: TaskEntry;
}

/** What became of each listed export: of those that were attempted by the events, of the others by `discover`. */
export function coursesOf(
  tasks: readonly ExportTask[],
  { discovered, events, deletions }: Rehearsal,
): Map<string, Course> {
  const told = toldBy(events, deletions);
  const skipped = new Map(discovered.skipped.map(({ exportTaskId, reason }) => [exportTaskId, reason]));
  return new Map(
    tasks.map((task) => {
      const { exportTaskId } = task;
      const attempted = told.get(exportTaskId);
      return [exportTaskId, attempted === undefined ? courseOfUnsent(task, skipped) : courseOf(attempted)];
    }),
  );
}

function toldBy(
  events: readonly TimedEvent[],
  deletions: ReadonlyMap<string, number>,
): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>([...deletions].map(([id, deletedAtMs]) => [id, { deletedAtMs }]));
  const of = (exportTaskId: string): Told => {
    const known = told.get(exportTaskId) ?? {};
    told.set(exportTaskId, known);
    return known;
  };
  for (const { atMs, event } of events) {
    switch (event.kind) {
      case "download-started":
        of(event.exportTaskId).downloadAtMs ??= atMs;
        break;
      case "archived":
        of(event.exportTaskId).archivedAtMs ??= atMs;
        break;
      case "task-ended": {
        const known = of(event.entry.exportTaskId);
        known.firstEndedAtMs ??= atMs;
        known.last = event.entry;
        break;
      }
      default:
        // Progress, and what concerns no single export.
        break;
    }
  }
  return told;
}

function courseOf({ downloadAtMs, archivedAtMs, deletedAtMs, firstEndedAtMs, last }: Told): Course {
  const isArchivedNow = archivedAtMs !== undefined;
  const downloads = downloadAtMs !== undefined;
  const atMs = downloadAtMs ?? archivedAtMs ?? deletedAtMs ?? firstEndedAtMs;
  if (deletedAtMs !== undefined) {
    return { action: isArchivedNow ? "archive-delete" : "delete", downloads, atMs, deletedAtMs };
  }
  const course = { reason: last?.reason, downloads, atMs };
  if (last?.outcome === "dead-lettered") {
    return { ...course, action: "give-up" };
  }
  return { ...course, action: isArchivedNow ? "archive" : actionWithoutEffect(last) };
}

/** The task stays as it is. */
function actionWithoutEffect(last: TaskEntry | undefined): PlanAction {
  switch (last?.outcome) {
    case "archived-kept":
      // It waits for its sibling until its patience is over.
      return last.reason === "sibling" ? "wait" : "keep";
    case "already-done":
      return "keep";
    case "postponed":
      return last.reason === "left-alone" ? "left-alone" : "wait";
    default:
      return "wait";
  }
}

function courseOfUnsent(
  { exportTaskId, status }: ExportTask,
  skipped: ReadonlyMap<string, SkipReason>,
): Course {
  const reason = skipped.get(exportTaskId);
  if (reason === undefined) {
    return { action: "wait", reason: status === "Processing" ? "unfinished" : undefined, downloads: false };
  }
  return reason === "unknown-status"
    ? { action: "left-alone", reason, downloads: false }
    : { action: "keep", reason: reason.replace(/^kept:/, ""), downloads: false };
}
