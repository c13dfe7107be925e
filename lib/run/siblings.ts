import type { ExportTask } from "../domain/export-task.ts";
import { sortedJson } from "../domain/json.ts";
import type { CallOptions, OddItem } from "../ports/platform.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import type { ArchivedExports, SeenCopy } from "./archived-exports.ts";
import type { FreshList } from "./platform-list.ts";

/** How long a sibling may hold a deletion up before the task is kept for it. */
const SIBLING_PATIENCE_MS = 24 * 3_600_000;

/** A task without app type is of the whole tenant, `GLOBAL`, which no app narrows (iotda-api §1.2). */
function conditionKey({
  resourceType,
  resourceCondition,
  appType,
  appId,
}: NonNullable<OddItem["condition"]>): string | undefined {
  const app = appType === undefined || appType === "GLOBAL" ? null : [appType, appId ?? null];
  return sortedJson([resourceType ?? null, resourceCondition ?? null, app]);
}

/**
 * The other tasks of the list that were made with the same condition: the platform may keep one file for all
 * of them ("same-condition create overwrites", iotda-api §1.6).
 */
export function sameConditionTasks(task: ExportTask, tasks: readonly ExportTask[]): readonly ExportTask[] {
  const key = conditionKey(task);
  return tasks.filter((other) => other.exportTaskId !== task.exportTaskId && conditionKey(other) === key);
}

/**
 * The copies of the siblings of `task`, whose file a delete may take away with the task's. `undefined` while one of them is
 * still being made, or made and not archived: it blocks the delete (architecture §4 step 7). Throws what the store throws.
 */
export async function siblingCopies(
  archivedExports: ArchivedExports,
  task: ExportTask,
  { tasks, oddItems }: Pick<FreshList, "tasks" | "oddItems">,
  options: CallOptions,
): Promise<readonly SeenCopy[] | undefined> {
  const key = conditionKey(task);
  // An odd item is never archived; one whose condition cannot be read is not a sibling, or nothing would be deleted.
  if (oddItems.some(({ condition }) => condition !== undefined && conditionKey(condition) === key)) {
    return undefined;
  }
  const siblings = sameConditionTasks(task, tasks).filter(({ status }) => status !== "Failed");
  return siblings.some(({ status }) => status !== "Success")
    ? undefined
    : await archivedExports.copiesOf(siblings, options);
}

/** Whether this copy is so old that its task is kept for a sibling and no longer waits for it. */
export function isSiblingPatienceOver({ archivedAt }: ArchivedRecord, nowMs: number): boolean {
  return nowMs - Date.parse(archivedAt) > SIBLING_PATIENCE_MS;
}
