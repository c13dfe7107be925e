import type { ArchiveSettings } from "../archive/settings.ts";
import { compact } from "../domain/compact.ts";
import {
  type ExportTask,
  isExportTaskId,
  isoPlatformTime,
  oldestFirst,
  revisionOf,
} from "../domain/export-task.ts";
import { LeftAloneTally } from "../domain/left-alone.ts";
import type { ToldAbilities } from "../identity/store-abilities.ts";
import type { StoreAbilities } from "../ports/object-store.ts";
import type { Holds } from "../records/holds.ts";
import { isOnlyThisTask, Records } from "../records/records.ts";
import { oddItemsOf, PLACES_LIMIT, placesHeld } from "../run/platform-list.ts";
import { type Course, coursesOf } from "./courses.ts";
import { knownRecordsOf } from "./known-records.ts";
import { doesDelete, type KnownRecords, type Plan, type PlanAction, type PlanItem } from "./plan.ts";
import { openStage, type RehearsalPorts, rehearse, type Stage } from "./rehearsal.ts";

const MAX_BATCH_TASK_CHARACTERS = 1_024;

/**
 * Says what a run would do now about each export of the platform, by rehearsing it. Nothing is written anywhere.
 *
 * @throws what the real places throw, and the failure that would end the run. Throws the signal's reason.
 */
export async function makePlan(
  ports: RehearsalPorts,
  settings: ArchiveSettings,
  { abilities, triedOut }: ToldAbilities,
  signal: AbortSignal,
): Promise<Plan> {
  const stage = await openStage(ports, settings, abilities, signal);
  const facts = await factsOf(stage, settings, abilities, signal);
  const rehearsal = await rehearse(stage, settings, signal);
  const { tasks } = stage.list;
  const courses = coursesOf(tasks, rehearsal);
  const deletions = [...courses.values()].filter(({ action }) => doesDelete(action)).length;
  const downloads = [...courses.values()].filter((course) => course.downloads).length;
  const held = placesHeld(stage.list);
  const items = [...oddItems(stage, facts), ...plannedItems(stage, facts, courses)].sort(byTime);
  const { projectId, instanceId } = settings.scope;
  const tally = new LeftAloneTally(() => undefined);
  tally.note(oddItemsOf(stage.list));
  for (const { event } of rehearsal.events) {
    tally.note(event.kind === "left-alone" ? [event.item] : []);
  }
  return {
    schemaVersion: 1,
    madeAt: new Date(stage.startedAtMs).toISOString(),
    projectId,
    instanceId: instanceId ?? null,
    ...compact({ archiveId: abilities.archiveId }),
    deletion: settings.deletion,
    downloadIntervalMs: settings.downloadIntervalMs,
    storeTriedOut: triedOut,
    items,
    totals: {
      actions: countedBy(items),
      downloads,
      durationMs: lastEffectMs(courses, stage.startedAtMs) - stage.startedAtMs,
      floorMs: Math.max(0, downloads - 1) * settings.downloadIntervalMs,
      slots: { held, after: held - deletions, limit: PLACES_LIMIT },
    },
    ...compact({ nextToGo: rehearsal.discovered.nextToGo, leftAlone: tally.report() }),
  };
}

/** What was recorded and held before the rehearsal. */
interface Facts {
  readonly holds: Holds;
  /** By export task id; without those whose records cannot be read. */
  readonly records: ReadonlyMap<string, KnownRecords>;
}

async function factsOf(
  { list, store }: Stage,
  { scope }: ArchiveSettings,
  abilities: StoreAbilities,
  signal: AbortSignal,
): Promise<Facts> {
  const records = new Records(store, scope, abilities);
  const known = new Map<string, KnownRecords>();
  for (const task of list.tasks) {
    try {
      const ofTask = await records.ofTask(task.exportTaskId, { signal });
      known.set(task.exportTaskId, knownRecordsOf(ofTask, revisionOf(task)));
    } catch (error) {
      if (!isOnlyThisTask(error)) {
        throw error;
      }
    }
  }
  return { holds: await records.holds({ signal }), records: known };
}

function plannedItems(
  { list, startedAtMs }: Stage,
  { holds, records }: Facts,
  courses: ReadonlyMap<string, Course>,
): readonly PlanItem[] {
  const free = Math.max(0, PLACES_LIMIT - placesHeld(list));
  return oldestFirst(list.tasks).map((task, older) => {
    const { exportTaskId } = task;
    const known = records.get(exportTaskId);
    const { action, reason, atMs, deletedAtMs } = courses.get(exportTaskId) ?? { action: "wait" };
    const createTime = isoPlatformTime(task.createTime);
    const isInDanger = task.status === "Success" && known?.copy === undefined;
    return compact({
      exportTaskId,
      revision: revisionOf(task),
      batchTaskId: batchTaskOf(task),
      createTime,
      ageMs: createTime === undefined ? undefined : Math.max(0, startedAtMs - Date.parse(createTime)),
      rows: rowsOf(task),
      action,
      reason,
      at: isoOf(atMs),
      deleteAt: isoOf(deletedAtMs),
      held: holds.isHeld(exportTaskId),
      records: known,
      lostAfterCreates: isInDanger ? free + older + 1 : undefined,
    });
  });
}

/** Items of the platform's list that cannot be understood, where they have an id of their own. */
function oddItems({ list }: Stage, { holds }: Facts): readonly PlanItem[] {
  const listed = new Set(list.tasks.map(({ exportTaskId }) => exportTaskId));
  const ids = new Set(
    list.oddItems.map(({ id }) => id).filter((id) => id !== undefined && isExportTaskId(id)),
  );
  return [...ids]
    .filter((id): id is string => id !== undefined && !listed.has(id))
    .map((exportTaskId) => ({ exportTaskId, action: "left-alone", held: holds.isHeld(exportTaskId) }));
}

function isoOf(epochMs: number | undefined): string | undefined {
  return epochMs === undefined ? undefined : new Date(epochMs).toISOString();
}

function rowsOf({ exportCount }: ExportTask): number | undefined {
  return exportCount !== undefined && Number.isSafeInteger(exportCount) && exportCount >= 0
    ? exportCount
    : undefined;
}

/** The batch task that an export was made of, where its condition names one. */
function batchTaskOf({ resourceCondition }: ExportTask): string | undefined {
  const id: unknown =
    typeof resourceCondition === "object" && resourceCondition !== null
      ? Object.getOwnPropertyDescriptor(resourceCondition, "task_id")?.value
      : undefined;
  return typeof id === "string" && id.length <= MAX_BATCH_TASK_CHARACTERS ? id : undefined;
}

/** Sorting keeps the order of age among those of one time, and among those about which nothing is done. */
function byTime(a: PlanItem, b: PlanItem): number {
  const [aMs, bMs] = [a, b].map(({ at }) => (at === undefined ? Number.MAX_VALUE : Date.parse(at)));
  return (aMs ?? 0) - (bMs ?? 0);
}

function countedBy(items: readonly PlanItem[]): Partial<Record<PlanAction, number>> {
  const counts: Partial<Record<PlanAction, number>> = {};
  for (const { action } of items) {
    counts[action] = (counts[action] ?? 0) + 1;
  }
  return counts;
}

/** When a run would do the last thing that changes something. */
function lastEffectMs(courses: ReadonlyMap<string, Course>, startedAtMs: number): number {
  const moments = [...courses.values()].flatMap(({ action, atMs, deletedAtMs }) =>
    action === "keep" || action === "wait" ? [] : [atMs ?? 0, deletedAtMs ?? 0],
  );
  return Math.max(startedAtMs, ...moments);
}
