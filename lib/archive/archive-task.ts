import { settleAbsence } from "./absence.ts";
import type { Copy } from "./copy.ts";
import { type DeleteOutcome, deleteTask } from "./delete-task.ts";
import { fetchCopy } from "./fetch-copy.ts";
import { adoptedCopy, standingCopy } from "./find-copy.ts";
import { recordDeleted } from "./finish.ts";
import { type FinishedTask, look } from "./look.ts";
import { postponedAsUsual, type Visit, type VisitResult } from "./visit.ts";

/**
 * The protocol for one task (design §4), from the look at the platform to the `deleted` record; its message is
 * received in `drain-loop.ts` and acknowledged in `settle.ts`. Whatever is thrown here leaves the task on the platform.
 */
export async function archiveTask(visit: Visit): Promise<VisitResult> {
  const sight = await look(visit);
  switch (sight.kind) {
    case "absent":
      return await settleAbsence(visit, sight);
    case "finished":
      return await archiveFinished(visit, sight);
    default:
      return sight;
  }
}

async function archiveFinished(visit: Visit, sight: FinishedTask): Promise<VisitResult> {
  if (sight.records.expired) {
    // Archived and removed by retention: an archive run never brings an expired copy back.
    return { kind: "done", outcome: "archived-kept", reason: "expired" };
  }
  let copy =
    (await standingCopy(visit, sight)) ??
    (await adoptedCopy(visit, sight)) ??
    (await fetchCopy(visit, sight));
  while (copy.kind === "copy") {
    visit.learned.isArchived = true;
    const ended = await deleteTask(visit, sight, copy);
    if (ended.kind !== "damaged") {
      return await resultOfDelete(visit, sight, copy, ended);
    }
    // The platform still has the file: it is archived again, under a new record.
    copy = await fetchCopy(visit, sight);
  }
  return copy;
}

async function resultOfDelete(
  visit: Visit,
  sight: FinishedTask,
  copy: Copy,
  ended: Exclude<DeleteOutcome, { kind: "damaged" }>,
): Promise<VisitResult> {
  switch (ended.kind) {
    case "gone":
      return await recordDeleted(visit, copy.record, {
        outcome: ended.outcome,
        archivedNow: copy.archivedNow,
      });
    case "keep":
      await visit.run.ports.store.abortUploadsUnder(sight.folder, { signal: visit.limit.signal });
      return { kind: "done", outcome: "archived-kept", reason: ended.reason };
    case "wait":
      return postponedAsUsual(visit, ended.reason);
    case "still-listed":
      return postponedAsUsual(visit, "still-listed");
  }
}
