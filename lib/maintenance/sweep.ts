import { compact } from "../domain/compact.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { exportsRoot, parseExportObjectKey } from "../domain/key-layout.ts";
import { type LeftAlone, type LeftAloneReport, leftAloneReport } from "../domain/left-alone.ts";
import type { ListedObject, ObjectStore } from "../ports/object-store.ts";
import type { OpenUpload, StoreSweeper } from "../ports/store-sweeper.ts";
import { isOnlyThisTask, type Records } from "../records/records.ts";

/** Younger uploads and objects may belong to a run that is under way, on a machine we do not see. */
const MIN_AGE_MS = 24 * 3_600_000;

/** An object that no record names, of a revision that has a record: the losing copy of a race or a crash. */
export interface Orphan {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAt: string;
  /** No object that a record of its revision names is there: this is all that is left, and is never removed. */
  readonly onlyCopy: boolean;
  readonly removed: boolean;
}

/** What a sweep found and did. */
export interface SweepReport {
  readonly abortedUploads: readonly { readonly key: string; readonly initiatedAt: string }[];
  /** Open uploads that are too young to touch. */
  readonly youngUploads: number;
  readonly orphans: readonly Orphan[];
  readonly checkedObjects: number;
  /** What could not be understood and was left as it is. */
  readonly leftAlone?: LeftAloneReport;
}

export interface SweepOptions {
  readonly signal: AbortSignal;
  /** Without it orphans are only listed. */
  readonly removeOrphans: boolean;
}

/**
 * Cleans up what no message leads to any more: uploads older than a day are aborted, and unrecorded objects
 * of recorded revisions listed, or removed when they are older than a day and a recorded object is there. An object
 * whose revision has no readable record is never touched: an archive run may still adopt it.
 */
export async function sweep(
  store: ObjectStore & StoreSweeper,
  records: Records,
  scope: PlatformScope,
  options: SweepOptions,
): Promise<SweepReport> {
  const { signal } = options;
  const latestMs = (await store.readClockMs({ signal })) - MIN_AGE_MS;
  const uploads = await sweepUploads(store, exportsRoot(scope), latestMs, signal);
  const orphans: Orphan[] = [];
  const odd: LeftAlone[] = [];
  let checkedObjects = 0;
  for (const [exportTaskId, objects] of await objectsByTask(store, scope, odd, signal)) {
    checkedObjects += objects.length;
    const archived = await archivedObjects(records, exportTaskId, odd, signal);
    for (const { revision, object } of objects) {
      const named = archived.get(revision);
      if (named === undefined || named.unreadable || named.keys.has(object.key)) {
        continue;
      }
      const onlyCopy = !objects.some(({ object: { key } }) => named.keys.has(key));
      const removed = options.removeOrphans && !onlyCopy && object.modifiedAtMs <= latestMs;
      if (removed) {
        await store.removeObject(object.key, { signal });
      }
      const { key, sizeBytes, modifiedAtMs } = object;
      const modifiedAt = isoTime(modifiedAtMs);
      orphans.push({ exportTaskId, revision, key, sizeBytes, modifiedAt, onlyCopy, removed });
    }
  }
  const leftAlone = leftAloneReport(odd);
  return { ...uploads, orphans, checkedObjects, ...compact({ leftAlone }) };
}

/** The objects that a task's records name; none of a task whose records cannot be looked through. */
async function archivedObjects(
  records: Records,
  exportTaskId: string,
  odd: LeftAlone[],
  signal: AbortSignal,
): ReturnType<Records["archivedObjects"]> {
  try {
    return await records.archivedObjects(exportTaskId, { signal });
  } catch (error) {
    if (!isOnlyThisTask(error)) {
      throw error;
    }
    const problem = "they cannot be looked through, so none of its objects is called an orphan";
    odd.push({ kind: "record", key: records.folderOf(exportTaskId), problem });
    return new Map();
  }
}

async function sweepUploads(
  store: StoreSweeper,
  prefix: string,
  latestMs: number,
  signal: AbortSignal,
): Promise<Pick<SweepReport, "abortedUploads" | "youngUploads">> {
  const old: OpenUpload[] = [];
  let youngUploads = 0;
  for await (const upload of store.listUploads(prefix, { signal })) {
    if (upload.initiatedAtMs <= latestMs) {
      old.push(upload);
    } else {
      youngUploads += 1;
    }
  }
  const abortedUploads: { key: string; initiatedAt: string }[] = [];
  for (const { key, uploadId, initiatedAtMs } of old) {
    if (await store.abortUpload(key, uploadId, { signal })) {
      abortedUploads.push({ key, initiatedAt: isoTime(initiatedAtMs) });
    }
  }
  return { abortedUploads, youngUploads };
}

interface FoundObject {
  readonly revision: string;
  readonly object: ListedObject;
}

async function objectsByTask(
  store: ObjectStore,
  scope: PlatformScope,
  odd: LeftAlone[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly FoundObject[]>> {
  const byTask = new Map<string, FoundObject[]>();
  for await (const object of store.list(exportsRoot(scope), { signal })) {
    if (object.oddity !== undefined) {
      // A link or a pipe is not a copy, and the archiver did not make it.
      odd.push({ kind: "store-entry", key: object.key, problem: `it ${object.oddity}` });
      continue;
    }
    const parsed = parseExportObjectKey(object.key, scope);
    if (parsed !== undefined) {
      const found = byTask.get(parsed.exportTaskId) ?? [];
      found.push({ revision: parsed.revision, object });
      byTask.set(parsed.exportTaskId, found);
    }
  }
  return byTask;
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
