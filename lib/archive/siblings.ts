import { type ExportTask, revisionOf } from "../domain/export-task.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { Records } from "../records/records.ts";
import { recordsOfRevision } from "../records/task-records.ts";

/** JSON with sorted keys, so that two spellings of one condition compare equal. */
function canonicalJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? ""
  );
}

function conditionKey(task: ExportTask): string {
  return canonicalJson([
    task.resourceType ?? null,
    task.resourceCondition ?? null,
    task.appType ?? null,
    task.appId ?? null,
  ]);
}

/**
 * The other tasks of the list that were made with the same condition: the platform may keep one file for all
 * of them ("same-condition create overwrites", reference §1.6).
 */
export function sameConditionTasks(task: ExportTask, tasks: readonly ExportTask[]): readonly ExportTask[] {
  const key = conditionKey(task);
  return tasks.filter((other) => other.exportTaskId !== task.exportTaskId && conditionKey(other) === key);
}

/**
 * Whether deleting `task` could take away the file of another one that is not archived yet: a sibling still
 * being made, or made and without an `archived` record (design §4 step 7).
 */
export async function isBlockedBySibling(
  records: Records,
  task: ExportTask,
  tasks: readonly ExportTask[],
  options: CallOptions,
): Promise<boolean> {
  for (const sibling of sameConditionTasks(task, tasks)) {
    if (sibling.status === "Failed") {
      continue;
    }
    if (sibling.status !== "Success") {
      return true;
    }
    const known = await records.ofTask(sibling.exportTaskId, options);
    if (recordsOfRevision(known, revisionOf(sibling)).archived === undefined) {
      return true;
    }
  }
  return false;
}
