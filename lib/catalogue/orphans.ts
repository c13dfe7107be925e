import { exportsRoot, parseExportObjectKey, taskRecordsFolder } from "../domain/key-layout.ts";
import type { LeftAlone } from "../domain/left-alone.ts";
import type { NameSet } from "../domain/name-set.ts";
import type { ListedObject } from "../ports/object-store.ts";
import { isOnlyThisTask } from "../records/records.ts";
import { RetentionRecords, UNREADABLE } from "../records/retention-records.ts";
import type { InventoryRun } from "./ports.ts";

/** An archive with more orphans than this has another problem; the count goes on. */
const MAX_ORPHANS = 1_000;

/** An object that no record names: the losing copy of a race, or of an attempt that died. */
export interface Orphan {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAt: string;
}

/**
 * Finds the objects that no record names, of any revision. Each one that the catalogue does not name is asked about:
 * its record may be newer than the list of records.
 * An object of a task whose records cannot be looked through counts as named.
 * @param objects every listed object as {@link objectName}; those that the catalogue names are marked.
 * @param latestMs by the store's clock; a younger object is not asked about.
 */
export async function findOrphans(
  run: InventoryRun,
  objects: NameSet,
  latestMs: number,
  leaveAlone: (item: LeftAlone) => void,
): Promise<{ readonly count: number; readonly orphans: readonly Orphan[] }> {
  const orphans: Orphan[] = [];
  let count = 0;
  if (objects.unmarked === 0) {
    return { count, orphans };
  }
  const records = new RetentionRecords(run.ports.store, run.scope, run.abilities);
  const isNamed = async (key: string, revision: Parameters<typeof records.readAgain>[0]) => {
    try {
      const archived = (await records.readAgain(revision, { signal: run.signal }))?.archived;
      return archived === UNREADABLE || archived?.some(({ object }) => object.key === key) === true;
    } catch (error) {
      if (!isOnlyThisTask(error)) {
        throw error;
      }
      const problem = "they cannot be looked through, so none of its objects is called an orphan";
      leaveAlone({ kind: "record", key: taskRecordsFolder(run.scope, revision.exportTaskId), problem });
      return true;
    }
  };
  for await (const object of run.ports.store.list(exportsRoot(run.scope), { signal: run.signal })) {
    const named = parseExportObjectKey(object.key, run.scope);
    const isCandidate = named !== undefined && object.oddity === undefined && object.modifiedAtMs <= latestMs;
    if (!isCandidate || objects.isMarked(objectName(object))) {
      continue;
    }
    if (!(await isNamed(object.key, named))) {
      count += 1;
      if (orphans.length < MAX_ORPHANS) {
        const { key, sizeBytes, modifiedAtMs } = object;
        orphans.push({ ...named, key, sizeBytes, modifiedAt: new Date(modifiedAtMs).toISOString() });
      }
    }
  }
  return { count, orphans };
}

/** An object with its size: the name it has in the set of all objects. */
export function objectName({ key, sizeBytes }: Pick<ListedObject, "key" | "sizeBytes">): string {
  return `${key} ${sizeBytes}`;
}
