import { listedAs, taskIn } from "../archive/run.ts";
import { type ExportTask, parsePlatformTime, revisionOf } from "../domain/export-task.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { recordsOfRevision } from "../records/task-records.ts";
import type { PlatformView } from "./platform-view.ts";
import type { RequestsRun } from "./requests-run.ts";
import type { MadeExport } from "./schemas.ts";
import { LOST_AFTER_MS, NEVER_FINISHED_AFTER_MS } from "./settings.ts";

/** What has become of an export that a request asked for. */
export type ExportFate =
  | { readonly kind: "archived" }
  /** It came to nothing; another one may be asked for. */
  | { readonly kind: "failed"; readonly reason: "export-failed" | "export-lost" }
  /** It will never be archived, and another one would not help or could destroy it. */
  | { readonly kind: "hopeless"; readonly reason: string }
  | { readonly kind: "under-way"; readonly reason: "unfinished" | "unarchived" | "absent" };

/** Looks an export up in a list and then in the records: what was deleted in between was recorded before. */
export async function fateOf(
  run: RequestsRun,
  { exportTaskId, exportedAfter }: MadeExport,
  view: PlatformView,
): Promise<ExportFate> {
  const exportedAfterMs = Date.parse(exportedAfter);
  const known = await run.records.ofTask(exportTaskId, run);
  const revisions = [...known.revisions.values()];
  if (revisions.some(({ archived }) => archived !== undefined && isOfExport(archived, exportedAfterMs))) {
    return { kind: "archived" };
  }
  const ageMs = view.platformMs - exportedAfterMs;
  const listed = taskIn(view, exportTaskId);
  if (listed === undefined) {
    const isGivenUp = revisions.some(
      ({ deadLetter }) => deadLetter !== undefined && Date.parse(deadLetter.deadLetteredAt) > exportedAfterMs,
    );
    const sight = listedAs(view, exportTaskId);
    if (sight === "odd") {
      // It is there; another create could overwrite its file.
      return { kind: "under-way", reason: "unarchived" };
    }
    const lostAfterMs = sight === "absent" ? LOST_AFTER_MS : NEVER_FINISHED_AFTER_MS;
    return isGivenUp || ageMs >= lostAfterMs
      ? { kind: "failed", reason: "export-lost" }
      : { kind: "under-way", reason: "absent" };
  }
  if (listed.status === "Failed") {
    return { kind: "failed", reason: "export-failed" };
  }
  if (listed.status !== "Success") {
    return ageMs >= NEVER_FINISHED_AFTER_MS
      ? { kind: "hopeless", reason: "never-finished" }
      : { kind: "under-way", reason: "unfinished" };
  }
  const { deadLetterNumber } = recordsOfRevision(known, revisionOf(listed));
  return deadLetterNumber > 0
    ? { kind: "hopeless", reason: "dead-lettered" }
    : { kind: "under-way", reason: "unarchived" };
}

/** The platform may keep an id when it makes an export anew: what ended before is an earlier export's copy. */
function isOfExport({ source, downloadedAt }: ArchivedRecord, exportedAfterMs: number): boolean {
  const endTime = source.end_time;
  const endedMs = typeof endTime === "string" ? parsePlatformTime(endTime) : undefined;
  return (endedMs ?? Date.parse(downloadedAt)) >= exportedAfterMs;
}

/** Whether this export's listed revision is archived, so that overwriting or evicting it loses nothing. */
export async function isSafelyArchived(run: RequestsRun, task: ExportTask): Promise<boolean> {
  const known = await run.records.ofTask(task.exportTaskId, run);
  const { archived } = recordsOfRevision(known, revisionOf(task));
  const object = archived && (await run.ports.store.head(archived.object.key, run));
  return object !== undefined && object.sizeBytes === archived?.object.sizeBytes;
}
