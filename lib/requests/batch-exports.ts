import { type ExportTask, parsePlatformTime } from "../domain/export-task.ts";

/** Whether the task exports this batch task, whatever else its condition says. */
export function isExportOf(task: ExportTask, batchTaskId: string): boolean {
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

function taskIdOf({ resourceCondition }: ExportTask): unknown {
  return typeof resourceCondition === "object" && resourceCondition !== null
    ? Object.getOwnPropertyDescriptor(resourceCondition, "task_id")?.value
    : undefined;
}
