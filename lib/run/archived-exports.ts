import { type ExportTask, revisionOf } from "../domain/export-task.ts";
import { inBatches } from "../domain/promises.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObjectInfo, ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { isOnlyThisTask, type Records } from "../records/records.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { recordsOfRevision } from "../records/task-records.ts";

/** A platform holds 50 exports, and each look costs some calls: one after the other they would outlast a fresh list. */
const LOOKS_AT_ONCE = 8;

/** An object can be removed while a run goes on; to look at 50 of them before each delete would cost more than the deletes. */
const LOOK_MAX_AGE_MS = 600_000;

/** The copy that a record names, and its object as HEAD showed it at most ten minutes ago: there, and of its size. */
export interface SeenCopy {
  readonly record: ArchivedRecord;
  readonly seen: ObjectInfo;
}

/** An `expired` export was archived, and its object was removed when its time was over. */
type Look = SeenCopy | "expired" | "missing";

export interface ArchivedExportsParts {
  readonly store: Pick<ObjectStore, "head">;
  readonly clock: Clock;
  readonly records: Records;
}

/** Tells which listed exports are archived: a record names a copy, and the copy is there. A yes is remembered for ten minutes. */
export class ArchivedExports {
  readonly #parts: ArchivedExportsParts;
  /** By `{exportTaskId}:{revision}`. */
  readonly #found = new Map<string, { readonly look: Look; readonly atMs: number }>();

  constructor(parts: ArchivedExportsParts) {
    this.#parts = parts;
  }

  /** The first of these exports whose listed revision is not archived. Throws what the store throws. */
  async firstMissing(tasks: readonly ExportTask[], options: CallOptions): Promise<ExportTask | undefined> {
    for await (const { task, look } of this.#lookAt(tasks, options)) {
      if (look === "missing") {
        return task;
      }
    }
    return undefined;
  }

  /** The copies of these exports; `undefined` unless each of them is archived. Throws what the store throws. */
  async copiesOf(
    tasks: readonly ExportTask[],
    options: CallOptions,
  ): Promise<readonly SeenCopy[] | undefined> {
    const copies: SeenCopy[] = [];
    for await (const { look } of this.#lookAt(tasks, options)) {
      if (look === "missing") {
        return undefined;
      }
      if (look !== "expired") {
        copies.push(look);
      }
    }
    return copies;
  }

  /** Looks at the exports in their order, some at once; whoever has seen enough leaves the rest out. */
  #lookAt(
    tasks: readonly ExportTask[],
    options: CallOptions,
  ): AsyncGenerator<{ readonly task: ExportTask; readonly look: Look }> {
    return inBatches(tasks, LOOKS_AT_ONCE, async (task) => ({ task, look: await this.#find(task, options) }));
  }

  async #find(task: ExportTask, options: CallOptions): Promise<Look> {
    const { clock } = this.#parts;
    const { exportTaskId } = task;
    const revision = revisionOf(task);
    const name = `${exportTaskId}:${revision}`;
    const before = this.#found.get(name);
    const atMs = clock.monotonicMs();
    if (before !== undefined && atMs - before.atMs <= LOOK_MAX_AGE_MS) {
      return before.look;
    }
    const look = await this.#ask(exportTaskId, revision, options);
    if (look === "missing") {
      this.#found.delete(name);
    } else {
      this.#found.set(name, { look, atMs });
    }
    return look;
  }

  async #ask(exportTaskId: string, revision: string, options: CallOptions): Promise<Look> {
    const { records, store } = this.#parts;
    try {
      const { archived, expired } = recordsOfRevision(await records.ofTask(exportTaskId, options), revision);
      if (archived === undefined) {
        return "missing";
      }
      if (expired) {
        return "expired";
      }
      const seen = await store.head(archived.object.key, options);
      return seen?.sizeBytes === archived.object.sizeBytes ? { record: archived, seen } : "missing";
    } catch (error) {
      if (isOnlyThisTask(error)) {
        return "missing";
      }
      throw error;
    }
  }
}
