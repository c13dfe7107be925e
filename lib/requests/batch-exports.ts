import { type ExportTask, parsePlatformTime, revisionOf } from "../domain/export-task.ts";
import type { ClaimDocument } from "./schemas.ts";

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
  const createdMs = task.createTime === undefined ? undefined : parsePlatformTime(task.createTime);
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

/** An export that was made, or made anew under its old id, since the claim. */
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
