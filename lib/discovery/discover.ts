import { compact } from "../domain/compact.ts";
import { type ExportTask, oldestFirst, type PlatformScope, revisionOf } from "../domain/export-task.ts";
import { DISCOVERED_STATE_KEY } from "../domain/key-layout.ts";
import { type LeftAloneReport, LeftAloneTally } from "../domain/left-alone.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Holds } from "../records/holds.ts";
import { isOnlyThisTask, Records } from "../records/records.ts";
import type { KeepReason, NextToGo } from "../records/run-report.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { type RevisionRecords, recordsOfRevision } from "../records/task-records.ts";
import { ArchivedExports } from "../run/archived-exports.ts";
import { nextToGo } from "../run/next-to-go.ts";
import { type FreshList, freshList, oddItemsOf, PLACES_LIMIT, placesHeld } from "../run/platform-list.ts";
import type { RunPorts } from "../run/ports.ts";
import { startRun } from "../run/run-frame.ts";
import { isSiblingPatienceOver, siblingCopies } from "../run/siblings.ts";
import {
  type Enqueued,
  type EnqueuedBefore,
  readEnqueued,
  wasEnqueuedRecently,
  writeEnqueued,
} from "./discovered-state.ts";

/** Why a finished task was not enqueued. */
export type SkipReason = "dead-lettered" | "enqueued-recently" | "unknown-status" | `kept:${KeepReason}`;

/** What the policy is told; defaults and names are in architecture §6.1. */
export interface DiscoverSettings {
  readonly scope: PlatformScope;
  /** Of archive runs: what they would keep is not enqueued. */
  readonly deletion: "after-verify" | "never";
  readonly downloadIntervalMs: number;
}

/** What a discover run returns (architecture §6.4). */
export interface DiscoverReport {
  readonly runId: string;
  readonly held: number;
  readonly limit: number;
  /** Only while few export slots are free. */
  readonly nextToGo?: NextToGo;
  readonly unfinished: number;
  /** Export task ids, in the order they were enqueued: oldest first. */
  readonly enqueued: readonly string[];
  readonly skipped: readonly { readonly exportTaskId: string; readonly reason: SkipReason }[];
  /** What could not be understood and was left as it is. */
  readonly leftAlone?: LeftAloneReport;
}

/**
 * Enqueues every finished export that still needs work, oldest first, since the platform evicts the oldest.
 * Enqueuing too much is harmless; leaving one out is not, so only what is certainly settled is skipped.
 * @throws what list, store and queue throw; nothing is enqueued on half a list.
 */
export async function discover(
  ports: RunPorts,
  settings: DiscoverSettings,
  signal: AbortSignal,
): Promise<DiscoverReport> {
  const { store, queue, clock } = ports;
  const { runId, startedAtMs } = startRun(ports);
  const list = await freshList(ports, settings, signal);
  const enqueuedBefore = await readEnqueued(store, { signal });
  // Discover creates no record, so it need not know whether the store can do so once.
  const records = new Records(store, settings.scope, { createOnce: false });
  const archivedExports = new ArchivedExports({ store, clock, records });
  const tally = new LeftAloneTally(() => undefined);
  tally.note(oddItemsOf(list));
  const holds = await records.holds({ signal });
  tally.note(holds.leftAlone);
  const found: ExportTask[] = [];
  const skipped: { exportTaskId: string; reason: SkipReason }[] = [];
  let unfinished = 0;
  for (const task of oldestFirst(list.tasks)) {
    if (task.status === "Processing") {
      unfinished += 1;
      continue;
    }
    const reason = await reasonToSkip(task, {
      settings,
      records,
      archivedExports,
      holds,
      leftAlone: tally,
      store,
      list,
      enqueuedBefore,
      nowMs: startedAtMs,
      signal,
    });
    if (reason === undefined) {
      found.push(task);
    } else {
      skipped.push({ exportTaskId: task.exportTaskId, reason });
    }
  }
  if (found.length > 0) {
    const messages = found.map((task) => ({
      exportTaskId: task.exportTaskId,
      revision: revisionOf(task),
      source: "discover" as const,
    }));
    await queue.send(messages, { signal, delayMs: 0 });
    const nowMs = clock.wallMs();
    const now: Enqueued = { atMs: nowMs, whileKeeping: settings.deletion === "never" };
    const added = found.map((task): [string, Enqueued] => [hintKey(task), now]);
    await rememberEnqueued(store, new Map([...enqueuedBefore, ...added]), nowMs, tally, signal);
  }
  const enqueued = found.map((task) => task.exportTaskId);
  const leftAlone = tally.report();
  const next = await nextToGo(list, archivedExports, { signal });
  return compact({
    runId,
    held: placesHeld(list),
    limit: PLACES_LIMIT,
    nextToGo: next,
    unfinished,
    enqueued,
    skipped,
    leftAlone,
  });
}

/** Without the hint the same tasks are enqueued again, which is harmless: what stands in its place stops no run. */
async function rememberEnqueued(
  store: ObjectStore,
  enqueued: EnqueuedBefore,
  nowMs: number,
  leftAlone: LeftAloneTally,
  signal: AbortSignal,
): Promise<void> {
  try {
    await writeEnqueued(store, enqueued, nowMs, { signal });
  } catch (error) {
    if (!isOnlyThisTask(error)) {
      throw error;
    }
    const problem = "it is not a file that can be written";
    leftAlone.note([{ kind: "store-entry", key: DISCOVERED_STATE_KEY, problem }]);
  }
}

function hintKey(task: ExportTask): string {
  return `${task.exportTaskId}:${revisionOf(task)}`;
}

interface SkipContext {
  readonly settings: DiscoverSettings;
  readonly records: Records;
  readonly archivedExports: ArchivedExports;
  readonly holds: Holds;
  readonly leftAlone: LeftAloneTally;
  readonly store: ObjectStore;
  readonly list: FreshList;
  readonly enqueuedBefore: EnqueuedBefore;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

async function reasonToSkip(task: ExportTask, context: SkipContext): Promise<SkipReason | undefined> {
  if (task.status !== "Success" && task.status !== "Failed") {
    return "unknown-status";
  }
  const before = context.enqueuedBefore.get(hintKey(task));
  const otherwise = wasEnqueuedRecently(before?.atMs, context.nowMs) ? "enqueued-recently" : undefined;
  const mayHaveBeenKept = before?.whileKeeping === true && context.settings.deletion !== "never";
  const { records, leftAlone, signal } = context;
  try {
    const ofTask = await records.ofTask(task.exportTaskId, { signal });
    leftAlone.note(ofTask.leftAlone);
    const known = recordsOfRevision(ofTask, revisionOf(task));
    if (known.deadLetterNumber > 0 && !wasArchivedAfterLetter(known)) {
      return "dead-lettered";
    }
    // What was enqueued a moment ago is being worked on, unless it has been given up since.
    return otherwise !== undefined && !mayHaveBeenKept
      ? otherwise
      : await reasonInRecords(task, known, otherwise, context);
  } catch (error) {
    if (isOnlyThisTask(error)) {
      return otherwise;
    }
    throw error;
  }
}

/** What its records say that settles this revision; `otherwise` while it is not archived. */
async function reasonInRecords(
  task: ExportTask,
  known: RevisionRecords,
  otherwise: SkipReason | undefined,
  context: SkipContext,
): Promise<SkipReason | undefined> {
  const { signal } = context;
  if (known.expired) {
    return "kept:expired";
  }
  if (known.archived === undefined) {
    return otherwise;
  }
  const object = await context.store.head(known.archived.object.key, { signal });
  if (object === undefined) {
    return undefined;
  }
  const reason = await reasonToKeep(task, known.archived, context);
  return reason && `kept:${reason}`;
}

/** A letter that was redriven and archived then is settled: what keeps the task now may end. */
function wasArchivedAfterLetter({ archived, deadLetter }: RevisionRecords): boolean {
  return (
    archived !== undefined &&
    deadLetter !== undefined &&
    Date.parse(archived.archivedAt) > Date.parse(deadLetter.deadLetteredAt)
  );
}

/** Why an archived task with its object present still stays on the platform, if that reason still stands. */
async function reasonToKeep(
  task: ExportTask,
  archived: ArchivedRecord,
  { settings, holds, archivedExports, list, nowMs, signal }: SkipContext,
): Promise<KeepReason | undefined> {
  if (settings.deletion === "never") {
    return "delete-disabled";
  }
  if (holds.isHeld(task.exportTaskId)) {
    return "hold";
  }
  const isKeptForSibling =
    isSiblingPatienceOver(archived, nowMs) &&
    (await siblingCopies(archivedExports, task, list, { signal })) === undefined;
  return isKeptForSibling ? "sibling" : undefined;
}
