import { type ExportTask, revisionOf } from "../domain/export-task.ts";
import { sortedJson } from "../domain/json.ts";
import { changeOfArchive } from "../identity/marker.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions, OddItem } from "../ports/platform.ts";
import type { KeepReason, PostponeReason } from "../records/run-report.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { recordsOfRevision } from "../records/task-records.ts";
import type { ArchivedExports } from "./archived-exports.ts";
import type { Attempt } from "./attempt.ts";
import { type Copy, isSameObject } from "./copy.ts";
import { SystemFailure } from "./errors.ts";
import type { FinishedTask } from "./inspect-task.ts";
import { doubtAbout, type FreshList, listForRun, taskIn } from "./run.ts";
import { LIST_MAX_AGE_MS, SIBLING_PATIENCE_MS } from "./settings.ts";

/** What may be done to an archived task on the platform. */
export type GateVerdict =
  /** All of architecture §4 step 7 holds; good until `validUntilMs` on the monotonic clock. */
  | { readonly kind: "delete"; readonly validUntilMs: number }
  /** A complete list no longer shows it: nothing is left to delete. */
  | { readonly kind: "gone" }
  | { readonly kind: "keep"; readonly reason: KeepReason }
  | {
      readonly kind: "wait";
      readonly reason: Extract<
        PostponeReason,
        "sibling" | "copy-missing" | "revision-changed" | "gate-too-slow" | "left-alone" | "odd-list"
      >;
    };

/**
 * The last door before a deletion. Everything is asked again, the list last, so that what allows the delete
 * is as fresh as it can be. Errors close the gate by being thrown.
 */
export async function gate(attempt: Attempt, state: FinishedTask, copy: Copy): Promise<GateVerdict> {
  const { run, exportTaskId } = attempt;
  const { signal } = attempt.limit;
  if (run.settings.deletion === "never") {
    return { kind: "keep", reason: "delete-disabled" };
  }
  const records = recordsOfRevision(await run.records.ofTask(exportTaskId, { signal }), state.revision);
  if (records.expired) {
    return { kind: "keep", reason: "expired" };
  }
  const holds = await run.records.holds({ signal });
  run.leftAlone.note(holds.leftAlone);
  if (holds.isHeld(exportTaskId)) {
    return { kind: "keep", reason: "hold" };
  }
  if (records.archived?.object.key !== copy.record.object.key) {
    // The newest readable record names another object than the one that was checked: look again.
    return { kind: "wait", reason: "copy-missing" };
  }
  // Between holds and HEAD: to mislead both, a store would have to come and go in between.
  await requireOwnArchive(run, { signal });
  const object = await run.ports.store.head(copy.record.object.key, { signal });
  if (object === undefined || !isSameObject(object, copy.seen)) {
    return { kind: "wait", reason: "copy-missing" };
  }
  return await platformVerdict(attempt, state, copy);
}

async function platformVerdict(attempt: Attempt, state: FinishedTask, copy: Copy): Promise<GateVerdict> {
  const { run, exportTaskId } = attempt;
  const { signal } = attempt.limit;
  const list = await listForRun(run, signal);
  const doubt = doubtAbout(list, exportTaskId);
  if (doubt !== undefined) {
    return { kind: "wait", reason: doubt };
  }
  const task = taskIn(list, exportTaskId);
  if (task === undefined) {
    return { kind: "gone" };
  }
  if (task.status !== "Success" || revisionOf(task) !== state.revision) {
    return { kind: "wait", reason: "revision-changed" };
  }
  if (await isBlockedBySibling(run.archivedExports, task, list, { signal })) {
    return isSiblingPatienceOver(copy.record, run.ports.clock.wallMs())
      ? { kind: "keep", reason: "sibling" }
      : { kind: "wait", reason: "sibling" };
  }
  return { kind: "delete", validUntilMs: list.startedAtMs + LIST_MAX_AGE_MS };
}

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
 * Whether deleting `task` could take away the file of another one that is not archived yet: a sibling still
 * being made, or made and without an `archived` record (architecture §4 step 7).
 */
export async function isBlockedBySibling(
  archivedExports: ArchivedExports,
  task: ExportTask,
  { tasks, oddItems }: Pick<FreshList, "tasks" | "oddItems">,
  options: CallOptions,
): Promise<boolean> {
  const key = conditionKey(task);
  // An odd item is never archived; one whose condition cannot be read is nobody's sibling, or nothing would be deleted.
  if (oddItems.some(({ condition }) => condition !== undefined && conditionKey(condition) === key)) {
    return true;
  }
  const siblings = sameConditionTasks(task, tasks).filter(({ status }) => status !== "Failed");
  return (
    siblings.some(({ status }) => status !== "Success") ||
    (await archivedExports.firstMissing(siblings, options)) !== undefined
  );
}

/** Whether this copy is so old that its task is kept for a sibling and no longer waits for it. */
export function isSiblingPatienceOver({ archivedAt }: ArchivedRecord, nowMs: number): boolean {
  return nowMs - Date.parse(archivedAt) > SIBLING_PATIENCE_MS;
}

/** A run, as far as its archive goes. */
interface RunInArchive {
  readonly abilities: Pick<StoreAbilities, "archiveId">;
  readonly ports: { readonly store: Pick<ObjectStore, "getDocument"> };
}

/**
 * To be asked before a task is deleted or given up, and before a copy is removed: no hold, record or report, in a store that was put in the
 * archive's place while the run was under way, proves nothing.
 *
 * @throws SystemFailure when what the run opened is not there any more. Throws what the store throws, too.
 */
export async function requireOwnArchive(
  { abilities, ports }: RunInArchive,
  options: CallOptions,
): Promise<void> {
  const { archiveId } = abilities;
  const change = archiveId === undefined ? undefined : await changeOfArchive(ports.store, archiveId, options);
  if (change !== undefined) {
    throw new SystemFailure(change);
  }
}
