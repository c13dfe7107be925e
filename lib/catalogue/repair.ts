import { ArchiverError, describeFailure, type Failure } from "../domain/errors.ts";
import { type ExportTask, type PlatformScope, revisionOf } from "../domain/export-task.ts";
import type { TaskMessage } from "../domain/task-message.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Platform } from "../ports/platform.ts";
import type { TaskQueue } from "../ports/task-queue.ts";
import { isOnlyThisTask, Records } from "../records/records.ts";
import { recordsOfRevision } from "../records/task-records.ts";
import { doubtAbout, type FreshList, freshList, taskIn } from "../run/platform-list.ts";
import type { Damage } from "./damage.ts";
import type { InventoryReport } from "./inventory.ts";

/** Why a damaged copy is not archived again although the platform lists its task. */
export type UnrepairedReason =
  | "list-in-doubt"
  | "revision-changed"
  | "unfinished"
  | "record-unreadable"
  | "recorded-otherwise"
  | "dead-lettered";

/** What came of the damaged copies whose task the platform still lists. */
export interface RepairReport {
  /** The export tasks that the next archive run archives again. */
  readonly enqueued: readonly string[];
  readonly unrepaired: readonly { readonly exportTaskId: string; readonly reason: UnrepairedReason }[];
  readonly failure?: Failure;
}

export interface RepairPorts {
  readonly platform: Platform;
  readonly queue: Pick<TaskQueue, "send">;
  readonly store: ObjectStore;
  readonly clock: Clock;
}

export interface RepairSettings {
  readonly scope: PlatformScope;
  readonly downloadIntervalMs: number;
}

/**
 * Lets the next archive run archive those damaged exports again that the platform still has. It only sends messages: the
 * archive run asks list, records and store again, and its gate decides on any deletion. It reads a copy that the report of
 * the inventory names, whatever the store says of it, so that report has to be written before.
 *
 * @returns `undefined` where nothing is damaged, or the inventory failed. A failure of the world is in the report.
 * @throws the signal's reason, and what is not a failure of the world.
 */
export async function repairDamage(
  ports: RepairPorts,
  settings: RepairSettings,
  { damage }: Pick<InventoryReport, "damage">,
  { signal }: { readonly signal: AbortSignal },
): Promise<RepairReport | undefined> {
  if (damage.length === 0) {
    return undefined;
  }
  const unrepaired: { exportTaskId: string; reason: UnrepairedReason }[] = [];
  const messages = new Map<string, TaskMessage>();
  try {
    await ports.store.preflight({ signal });
    const list = await freshList(ports, settings, signal);
    // It creates no record.
    const records = new Records(ports.store, settings.scope, { createOnce: false });
    for (const one of damage) {
      const { exportTaskId, revision } = one;
      const verdict = await verdictOn(one, { records, list, signal });
      if (verdict === "repair") {
        messages.set(exportTaskId, { exportTaskId, revision });
      } else if (verdict !== "gone") {
        unrepaired.push({ exportTaskId, reason: verdict });
      }
    }
    if (messages.size > 0) {
      await ports.queue.send([...messages.values()], { signal, delayMs: 0 });
    }
    return { enqueued: [...messages.keys()], unrepaired };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ArchiverError)) {
      throw error;
    }
    return { enqueued: [], unrepaired, failure: describeFailure(error) };
  }
}

interface VerdictContext {
  readonly records: Records;
  readonly list: FreshList;
  readonly signal: AbortSignal;
}

async function verdictOn(
  damage: Damage,
  context: VerdictContext,
): Promise<"repair" | "gone" | UnrepairedReason> {
  const { exportTaskId, kind } = damage;
  const { list } = context;
  if (doubtAbout(list, exportTaskId) !== undefined) {
    return "list-in-doubt";
  }
  const task = taskIn(list, exportTaskId);
  if (task === undefined) {
    return "gone";
  }
  if (revisionOf(task) !== damage.revision) {
    return "revision-changed";
  }
  if (task.status !== "Success") {
    return "unfinished";
  }
  if (kind === "unreadable-record") {
    // An archive run would not know what it replaces.
    return "record-unreadable";
  }
  return await verdictOfRecords(damage, task, context);
}

async function verdictOfRecords(
  { key, revision }: Damage,
  { exportTaskId }: Pick<ExportTask, "exportTaskId">,
  { records, signal }: VerdictContext,
): Promise<"repair" | UnrepairedReason> {
  const ofTask = await records.ofTask(exportTaskId, { signal }).catch((error: unknown) => {
    if (isOnlyThisTask(error)) {
      return undefined;
    }
    throw error;
  });
  if (ofTask === undefined) {
    return "record-unreadable";
  }
  const { archived, expired, deadLetter } = recordsOfRevision(ofTask, revision);
  if (expired || archived?.object.key !== key) {
    return "recorded-otherwise";
  }
  const isGivenUp =
    deadLetter !== undefined && Date.parse(deadLetter.deadLetteredAt) > Date.parse(archived.archivedAt);
  // A person decides whether one that was given up is tried again.
  return isGivenUp ? "dead-lettered" : "repair";
}
