import { type ExportTask, type PlatformScope, parsePlatformTime, revisionOf } from "../domain/export-task.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { archivedRecords, recordsOfRevision } from "../records/task-records.ts";
import { type FreshList, listedAs, taskIn } from "../run/platform-list.ts";
import type { RequestsRun } from "./request-ledger.ts";
import type { ClaimDocument, MadeExport } from "./schemas.ts";
import { LOST_AFTER_MS, NEVER_FINISHED_AFTER_MS } from "./settings.ts";

/** Whether the task exports this batch task, whatever else its condition says. */
export function isExportOf(task: Pick<ExportTask, "resourceCondition">, batchTaskId: string): boolean {
  return taskIdOf(task) === batchTaskId;
}

/** Whether the task is what our own create of this batch task makes: nothing but the batch task, tenant-wide. */
export function isOwnKindOfExport(task: ExportTask, batchTaskId: string): boolean {
  const { resourceCondition, appType } = task;
  return (
    isExportOf(task, batchTaskId) &&
    Object.keys(resourceCondition ?? {}).length === 1 &&
    (appType === undefined || appType === "GLOBAL")
  );
}

/** Whether the platform made this task later than a moment; not for a task that does not say when. */
export function isCreatedAfter(task: ExportTask, momentMs: number): boolean {
  const createdMs = parsePlatformTime(task.createTime);
  return createdMs !== undefined && createdMs > momentMs;
}

/** What a claim has to remember of the list. */
export function seenOf(batchTaskId: string, tasks: readonly ExportTask[]): ClaimDocument["seen"] {
  return tasks
    .filter((task) => isExportOf(task, batchTaskId))
    .map((task) => ({
      exportTaskId: task.exportTaskId,
      status: task.status,
      revision: revisionOf(task),
    }));
}

/** An export that was made, or made again under its old id, since the claim. */
export function exportNotIn(
  { seen }: Pick<ClaimDocument, "seen">,
  batchTaskId: string,
  tasks: readonly ExportTask[],
): ExportTask | undefined {
  return tasks.find(
    (task) =>
      isOwnKindOfExport(task, batchTaskId) &&
      !seen.some(
        ({ exportTaskId, status, revision }) =>
          exportTaskId === task.exportTaskId && status === task.status && revision === revisionOf(task),
      ),
  );
}

function taskIdOf({ resourceCondition }: Pick<ExportTask, "resourceCondition">): unknown {
  return typeof resourceCondition === "object" && resourceCondition !== null
    ? Object.getOwnPropertyDescriptor(resourceCondition, "task_id")?.value
    : undefined;
}

/** How far the store's clock and the platform's may be apart here. */
const CLOCKS_APART_MS = 3_600_000;

/**
 * Looks for an export of a batch task that was made since `afterMs` and is archived and gone already: what a
 * create made whose answer was lost. Slow in an old archive, and needed after a crash only.
 *
 * @returns its id. @throws what the store throws.
 */
export async function findArchivedExport(
  store: ObjectStore,
  scope: PlatformScope,
  { batchTaskId, afterMs }: { readonly batchTaskId: string; readonly afterMs: number },
  options: CallOptions,
): Promise<string | undefined> {
  for await (const record of archivedRecords(store, scope, afterMs - CLOCKS_APART_MS, options)) {
    if (isExportSince(record, batchTaskId, afterMs)) {
      return record.exportTaskId;
    }
  }
  return undefined;
}

function isExportSince({ source }: ArchivedRecord, batchTaskId: string, afterMs: number): boolean {
  const { resource_condition: condition, end_time: endTime } = source;
  const endedMs = parsePlatformTime(endTime);
  return (
    typeof condition === "object" &&
    condition !== null &&
    Object.keys(condition).length === 1 &&
    Object.entries(condition).some(([name, value]) => name === "task_id" && value === batchTaskId) &&
    endedMs !== undefined &&
    endedMs >= afterMs
  );
}

/** What has become of an export that a request asked for. */
type ExportProgress =
  | { readonly kind: "archived" }
  /** It came to nothing; another one may be asked for. */
  | { readonly kind: "failed"; readonly reason: "export-failed" | "export-lost" }
  /** It will never be archived, and another one would not help or could destroy it. */
  | { readonly kind: "unrecoverable"; readonly reason: string }
  | { readonly kind: "under-way"; readonly reason: "unfinished" | "unarchived" | "absent" };

/** Looks an export up in a list and then in the records: what was deleted in between was recorded before. */
export async function progressOf(
  run: RequestsRun,
  { exportTaskId, exportedAfter }: MadeExport,
  list: FreshList,
): Promise<ExportProgress> {
  const exportedAfterMs = Date.parse(exportedAfter);
  const known = await run.records.ofTask(exportTaskId, run);
  const revisions = [...known.revisions.values()];
  if (revisions.some(({ archived }) => archived !== undefined && isOfExport(archived, exportedAfterMs))) {
    return { kind: "archived" };
  }
  const ageMs = list.platformMs - exportedAfterMs;
  const listed = taskIn(list, exportTaskId);
  if (listed === undefined) {
    const isGivenUp = revisions.some(
      ({ deadLetter }) => deadLetter !== undefined && Date.parse(deadLetter.deadLetteredAt) > exportedAfterMs,
    );
    const presence = listedAs(list, exportTaskId);
    if (presence === "odd") {
      // It is there; another create could overwrite its file.
      return { kind: "under-way", reason: "unarchived" };
    }
    const lostAfterMs = presence === "absent" ? LOST_AFTER_MS : NEVER_FINISHED_AFTER_MS;
    return isGivenUp || ageMs >= lostAfterMs
      ? { kind: "failed", reason: "export-lost" }
      : { kind: "under-way", reason: "absent" };
  }
  if (listed.status === "Failed") {
    return { kind: "failed", reason: "export-failed" };
  }
  if (listed.status !== "Success") {
    return ageMs >= NEVER_FINISHED_AFTER_MS
      ? { kind: "unrecoverable", reason: "never-finished" }
      : { kind: "under-way", reason: "unfinished" };
  }
  const { deadLetterNumber } = recordsOfRevision(known, revisionOf(listed));
  return deadLetterNumber > 0
    ? { kind: "unrecoverable", reason: "dead-lettered" }
    : { kind: "under-way", reason: "unarchived" };
}

/** The platform may keep an id when it makes an export again: what ended before is an earlier export's copy. */
function isOfExport({ source, downloadedAt }: ArchivedRecord, exportedAfterMs: number): boolean {
  const endTime = source.end_time;
  const endedMs = parsePlatformTime(endTime);
  return (endedMs ?? Date.parse(downloadedAt)) >= exportedAfterMs;
}

/** Whether this export's listed revision is archived, so that overwriting or evicting it loses nothing. */
export async function isSafelyArchived(run: RequestsRun, task: ExportTask): Promise<boolean> {
  const known = await run.records.ofTask(task.exportTaskId, run);
  const { archived } = recordsOfRevision(known, revisionOf(task));
  const object = archived && (await run.ports.store.head(archived.object.key, run));
  return object !== undefined && object.sizeBytes === archived?.object.sizeBytes;
}
