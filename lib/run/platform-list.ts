import { compact } from "../domain/compact.ts";
import { ArchiverError } from "../domain/errors.ts";
import { type ExportTask, isExportTaskId, oldestFirst } from "../domain/export-task.ts";
import type { LeftAlone } from "../domain/left-alone.ts";
import type { Clock } from "../ports/clock.ts";
import type { OddItem, Platform } from "../ports/platform.ts";
import type { PostponeReason } from "../records/run-report.ts";
import { SystemFailure } from "./errors.ts";

/** The platform's own limit on export tasks (iotda-api §1.6). */
export const PLACES_LIMIT = 50;
/** A delete, a removal and a create rely on a list that began at most this long before (promise I1). */
export const LIST_MAX_AGE_MS = 5_000;
/** Clocks further apart than this are wrong: the run stops, or the earliest counts. */
export const MAX_CLOCK_SKEW_MS = 5 * 60_000;

/** A complete list and when it was begun, on the monotonic clock. */
export interface FreshList {
  readonly tasks: readonly ExportTask[];
  /** What else it shows; each holds a place. */
  readonly oddItems: readonly OddItem[];
  readonly startedAtMs: number;
  /** The platform's clock when it answered, where it says. */
  readonly platformDateMs: number | undefined;
  /** The same, or a moment that is certainly not later: what happens from now on is after this. */
  readonly platformMs: number;
}

const LIST_TRIES = 3;
const LIST_BACKOFF_MS = 1_000;
const MAX_LIST_WAIT_MS = 60_000;

/**
 * Lists all export tasks again. Asking again is harmless, so a failure that may pass is tried again, at most
 * three times in all.
 * @throws SystemFailure when the list keeps failing: without it nothing can be decided about any task.
 */
export async function freshList(
  ports: { readonly platform: Pick<Platform, "listExportTasks">; readonly clock: Clock },
  settings: { readonly downloadIntervalMs: number },
  signal: AbortSignal,
): Promise<FreshList> {
  for (let attempt = 1; ; attempt += 1) {
    const startedAtMs = ports.clock.monotonicMs();
    try {
      const listing = await ports.platform.listExportTasks({ signal });
      const platformMs = listing.platformDateMs ?? ports.clock.wallMs() - MAX_CLOCK_SKEW_MS;
      return { ...listing, startedAtMs, platformMs };
    } catch (error) {
      signal.throwIfAborted();
      const waitMs = listRetryWaitMs(error, attempt, settings.downloadIntervalMs);
      if (waitMs === "give-up") {
        throw new SystemFailure(error);
      }
      await ports.clock.sleep(waitMs, signal);
    }
  }
}

function listRetryWaitMs(error: unknown, attempt: number, intervalMs: number): number | "give-up" {
  if (!(error instanceof ArchiverError) || attempt >= LIST_TRIES) {
    return "give-up";
  }
  if (error.retry === "never") {
    return "give-up";
  }
  return error.code === "platform-throttled"
    ? Math.min(MAX_LIST_WAIT_MS, intervalMs)
    : LIST_BACKOFF_MS * 2 ** (attempt - 1);
}

/** Whether a list is young enough to act on (promise I1). */
export function isFresh({ startedAtMs }: Pick<FreshList, "startedAtMs">, clock: Clock): boolean {
  return clock.monotonicMs() - startedAtMs <= LIST_MAX_AGE_MS;
}

/** How many export slots are used, and the export that the platform destroys first when all are. */
export function slotsIn(list: Pick<FreshList, "tasks" | "oddItems">): { held: number; oldest?: string } {
  return compact({ held: placesHeld(list), oldest: oldestFirst(list.tasks)[0]?.exportTaskId });
}

/** The listed task with exactly this id. */
export function taskIn(list: Pick<FreshList, "tasks">, exportTaskId: string): ExportTask | undefined {
  return list.tasks.find((task) => task.exportTaskId === exportTaskId);
}

/** What a complete list proves about one task. */
export type ListedAs =
  /** It is there: as a task, as an item that cannot be understood, or as both. */
  | "listed"
  | "odd"
  | "absent"
  /** Nothing: an item that cannot be understood may be this task. */
  | "unproved";

/** Looks for a task among all that a list shows. A task whose item also stands there as an odd one is odd. */
export function listedAs(list: Pick<FreshList, "tasks" | "oddItems">, exportTaskId: string): ListedAs {
  if (list.oddItems.some(({ id }) => id === exportTaskId)) {
    return "odd";
  }
  if (taskIn(list, exportTaskId) !== undefined) {
    return "listed";
  }
  return list.oddItems.every(({ id }) => isAnother(id, exportTaskId)) ? "absent" : "unproved";
}

/** Whether an odd item's id is certainly another one: an id with something around it may still mean this task. */
function isAnother(id: string | undefined, exportTaskId: string): boolean {
  return id !== undefined && (isExportTaskId(id) ? id !== exportTaskId : !id.includes(exportTaskId));
}

/** Why a list says neither that a task is there nor that it is gone; `undefined` where it does say. */
export function doubtAbout(
  list: Pick<FreshList, "tasks" | "oddItems">,
  exportTaskId: string,
): Extract<PostponeReason, "left-alone" | "odd-list"> | undefined {
  const state = listedAs(list, exportTaskId);
  switch (state) {
    case "odd":
      return "left-alone";
    case "unproved":
      return "odd-list";
    case "listed":
    case "absent":
      return undefined;
  }
}

/** How many places of the platform are taken. An item that cannot be understood takes one, too. */
export function placesHeld({ tasks, oddItems }: Pick<FreshList, "tasks" | "oddItems">): number {
  return tasks.length + oddItems.length;
}

/** The items of a list that cannot be understood, as reports name them. */
export function oddItemsOf({ oddItems }: Pick<FreshList, "oddItems">): readonly LeftAlone[] {
  return oddItems.map(({ index, field, problem, id }) => {
    const exportTaskId = id !== undefined && isExportTaskId(id) ? id : undefined;
    return compact({ kind: "list-item" as const, index, field, problem, exportTaskId });
  });
}
