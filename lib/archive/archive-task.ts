import { type Attempt, type AttemptOutcome, postponed } from "./attempt.ts";
import type { Copy } from "./copy.ts";
import { type DeleteOutcome, deleteTask } from "./delete-task.ts";
import { adoptedCopy, recordedCopy } from "./existing-copy.ts";
import { fetchCopy } from "./fetch-copy.ts";
import { type FinishedTask, inspectTask } from "./inspect-task.ts";
import { resolveMissingTask } from "./missing-task.ts";
import { recordDeleted } from "./record-deleted.ts";

/**
 * The protocol for one task (architecture §4), from the look at the platform to the `deleted` record; its message is
 * received in `drain-loop.ts` and acknowledged in `settle.ts`. Whatever is thrown here leaves the task on the platform.
 */
export async function archiveTask(attempt: Attempt): Promise<AttemptOutcome> {
  const state = await inspectTask(attempt);
  switch (state.kind) {
    case "absent":
      return await resolveMissingTask(attempt, state);
    case "finished":
      return await archiveFinished(attempt, state);
    default:
      return state;
  }
}

async function archiveFinished(attempt: Attempt, state: FinishedTask): Promise<AttemptOutcome> {
  if (state.records.expired) {
    // Archived and removed by retention: an archive run never brings an expired copy back.
    return { kind: "done", outcome: "archived-kept", reason: "expired" };
  }
  let copy =
    (await recordedCopy(attempt, state)) ??
    (await adoptedCopy(attempt, state)) ??
    (await fetchCopy(attempt, state));
  while (copy.kind === "copy") {
    attempt.learned.isArchived = true;
    const ended = await deleteTask(attempt, state, copy);
    if (ended.kind !== "damaged") {
      return await resultOfDelete(attempt, state, copy, ended);
    }
    // The platform still has the file: it is archived again, under a new record.
    copy = await fetchCopy(attempt, state);
  }
  return copy;
}

async function resultOfDelete(
  attempt: Attempt,
  state: FinishedTask,
  copy: Copy,
  ended: Exclude<DeleteOutcome, { kind: "damaged" }>,
): Promise<AttemptOutcome> {
  switch (ended.kind) {
    case "gone":
      return await recordDeleted(attempt, copy.record, {
        outcome: ended.outcome,
        archivedNow: copy.archivedNow,
      });
    case "keep":
      await attempt.run.ports.store.abortUploadsUnder(state.folder, { signal: attempt.limit.signal });
      return { kind: "done", outcome: "archived-kept", reason: ended.reason };
    case "wait":
      return postponed(attempt, ended.reason);
    case "still-listed":
      return postponed(attempt, "still-listed");
  }
}
