import { type ExportTask, revisionOf } from "../domain/export-task.ts";
import { inBatches } from "../domain/promises.ts";
import type { CallOptions } from "../ports/platform.ts";
import { isOnlyThisTask, type Records } from "../records/records.ts";
import { recordsOfRevision } from "../records/task-records.ts";

/** A platform holds 50 exports, and each look costs some calls: one after the other they would outlast a fresh list. */
const LOOKS_AT_ONCE = 8;

/** Tells which listed exports are archived. A yes is remembered: no `archived` record is ever taken back. */
export class ArchivedExports {
  readonly #records: Records;
  /** `{exportTaskId}:{revision}` */
  readonly #archived = new Set<string>();

  constructor(records: Records) {
    this.#records = records;
  }

  /** The first of these exports whose listed revision has no readable `archived` record. Throws what the store throws. */
  async firstMissing(tasks: readonly ExportTask[], options: CallOptions): Promise<ExportTask | undefined> {
    for await (const { task, isArchived } of this.#lookAt(tasks, options)) {
      if (!isArchived) {
        return task;
      }
    }
    return undefined;
  }

  /** Looks at the exports in their order, some at once; whoever has seen enough leaves the rest out. */
  #lookAt(
    tasks: readonly ExportTask[],
    options: CallOptions,
  ): AsyncGenerator<{ readonly task: ExportTask; readonly isArchived: boolean }> {
    return inBatches(tasks, LOOKS_AT_ONCE, async (task) => ({
      task,
      isArchived: await this.#has(task, options),
    }));
  }

  async #has(task: ExportTask, options: CallOptions): Promise<boolean> {
    const { exportTaskId } = task;
    const revision = revisionOf(task);
    const name = `${exportTaskId}:${revision}`;
    if (this.#archived.has(name)) {
      return true;
    }
    if (!(await this.#isRecorded(exportTaskId, revision, options))) {
      return false;
    }
    this.#archived.add(name);
    return true;
  }

  async #isRecorded(exportTaskId: string, revision: string, options: CallOptions): Promise<boolean> {
    try {
      const records = await this.#records.ofTask(exportTaskId, options);
      return recordsOfRevision(records, revision).archived !== undefined;
    } catch (error) {
      if (isOnlyThisTask(error)) {
        return false;
      }
      throw error;
    }
  }
}
