import { revisionOf } from "../domain/export-task.ts";
import { inBatches } from "../domain/promises.ts";
import type { CallOptions } from "../ports/platform.ts";
import { isOnlyThisTask, type Records } from "../records/records.ts";
import { type RevisionRecords, recordsOfRevision } from "../records/task-records.ts";
import type { FreshList } from "../run/platform-list.ts";
import { nameOf } from "./night-exports.ts";
import type { GivenUp, PlatformSeen } from "./night-facts.ts";

const LOOKS_AT_ONCE = 8;
/** Reasons of this program are words. A longer one, from somebody else, would make the stored night unreadable. */
const MAX_REASON = 256;

/**
 * What the records say of the exports that a list shows as finished. One whose records cannot be read counts as not
 * archived.
 *
 * @throws what the store throws.
 */
export async function seenOnPlatform(
  list: Pick<FreshList, "tasks" | "oddItems">,
  records: Pick<Records, "ofTask">,
  options: CallOptions,
): Promise<PlatformSeen> {
  const archived = new Set<string>();
  const givenUp = new Map<string, GivenUp>();
  const finished = list.tasks.filter(({ status }) => status === "Success");
  const look = async (task: (typeof finished)[number]) => {
    const revision = revisionOf(task);
    const { exportTaskId } = task;
    return { name: nameOf({ exportTaskId, revision }), known: await recordsOf(exportTaskId, revision) };
  };
  async function recordsOf(exportTaskId: string, revision: string): Promise<RevisionRecords | undefined> {
    try {
      return recordsOfRevision(await records.ofTask(exportTaskId, options), revision);
    } catch (error) {
      if (isOnlyThisTask(error)) {
        return undefined;
      }
      throw error;
    }
  }
  for await (const { name, known } of inBatches(finished, LOOKS_AT_ONCE, look)) {
    if (known?.archived !== undefined) {
      archived.add(name);
    } else if (known?.deadLetter !== undefined) {
      const { reason, deadLetteredAt } = known.deadLetter;
      givenUp.set(name, { reason: reason.slice(0, MAX_REASON), atMs: Date.parse(deadLetteredAt) });
    }
  }
  return { tasks: list.tasks, oddItems: list.oddItems.length, archived, givenUp };
}
