import { type ExportTask, parsePlatformTime, revisionOf } from "../domain/export-task.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { Records } from "../records/records.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { recordsOfRevision } from "../records/task-records.ts";
import type { PlatformView } from "./platform-view.ts";
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
  { exportTaskId, exportedAfter }: MadeExport,
  view: PlatformView,
  records: Records,
  options: CallOptions,
): Promise<ExportFate> {
  const exportedAfterMs = Date.parse(exportedAfter);
  const known = await records.ofTask(exportTaskId, options);
  const revisions = [...known.revisions.values()];
  if (revisions.some(({ archived }) => archived !== undefined && isOfExport(archived, exportedAfterMs))) {
    return { kind: "archived" };
  }
  const ageMs = view.platformMs - exportedAfterMs;
  const listed = view.tasks.find((task) => task.exportTaskId === exportTaskId);
  if (listed === undefined) {
    const isGivenUp = revisions.some(
      ({ deadLetter }) => deadLetter !== undefined && Date.parse(deadLetter.deadLetteredAt) > exportedAfterMs,
    );
    return isGivenUp || ageMs >= LOST_AFTER_MS
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
export async function isSafelyArchived(
  task: ExportTask,
  { records, store }: { readonly records: Records; readonly store: Pick<ObjectStore, "head"> },
  options: CallOptions,
): Promise<boolean> {
  const known = await records.ofTask(task.exportTaskId, options);
  const { archived } = recordsOfRevision(known, revisionOf(task));
  const object = archived && (await store.head(archived.object.key, options));
  return object !== undefined && object.sizeBytes === archived?.object.sizeBytes;
}
