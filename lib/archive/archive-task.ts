import { type Attempt, type AttemptOutcome, knowing, postponed, type TaskFacts } from "./attempt.ts";
import { adoptedCopy, type Copy, recordedCopy } from "./copy.ts";
import { taskLimitMs } from "./deadlines.ts";
import { deleteTask } from "./delete-task.ts";
import { type FinishedTask, inspectTask } from "./inspect-task.ts";
import { resolveMissingTask } from "./missing-task.ts";
import { fetchCopy } from "./transfer.ts";
import { recordDeleted } from "./write-records.ts";

/**
 * One attempt at one task: the protocol (architecture §4) from step 2 to step 9. The message is received in
 * `worker-loop.ts` and settled in `message-disposition.ts`. Never throws: whatever goes wrong leaves the task on the
 * platform, and becomes the outcome.
 */
export async function archiveTask(attempt: Attempt): Promise<AttemptOutcome> {
  const { run, exportTaskId } = attempt;
  attempt.limit.arm(taskLimitMs(run, attempt.message));
  try {
    const outcome = await knowing(attempt, {}, () => archiveListed(attempt));
    return outcome.kind === "dead-letter" && run.permission?.allows(exportTaskId, "give-up") === false
      ? { ...postponed(attempt, "not-in-plan"), facts: outcome.facts }
      : outcome;
  } finally {
    attempt.ticket.release();
    attempt.limit.close();
  }
}

/** Step 2: a fresh list and the task's records decide what is to be done. */
async function archiveListed(attempt: Attempt): Promise<AttemptOutcome> {
  const state = await inspectTask(attempt);
  switch (state.kind) {
    case "ended":
      return { ...state.ending, facts: state.facts };
    case "missing":
      return await resolveMissingTask(attempt, state);
    case "finished": {
      const listed = { ...attempt, message: state.message };
      return await knowing(listed, factsOf(state), () => archiveFinished(listed, state));
    }
  }
}

async function archiveFinished(attempt: Attempt, task: FinishedTask): Promise<AttemptOutcome> {
  if (task.records.expired) {
    // Archived and removed by retention: an archive run never brings an expired copy back.
    return { kind: "done", outcome: "archived-kept", reason: "expired", facts: factsOf(task) };
  }
  const standing = (await recordedCopy(attempt, task)) ?? (await adoptedCopy(attempt, task));
  const settled = standing && (await deleteArchived(attempt, task, standing));
  if (settled !== undefined && settled !== "damaged") {
    return settled;
  }
  // No copy, or a damaged one; the platform has the file. Steps 3 to 6 make a copy and its record.
  const fetched = await fetchCopy(attempt, task);
  if (fetched.kind === "ended") {
    return { ...fetched.ending, facts: factsOf(task) };
  }
  const ended = await deleteArchived(attempt, task, fetched.copy);
  return ended === "damaged" ? { ...postponed(attempt, "copy-missing"), facts: factsOf(task) } : ended;
}

/** Steps 7 to 9: the gate, one delete and its confirmation, the `deleted` record. */
async function deleteArchived(
  attempt: Attempt,
  task: FinishedTask,
  copy: Copy,
): Promise<AttemptOutcome | "damaged"> {
  const facts = factsOf(task, copy);
  return await knowing<AttemptOutcome | "damaged">(attempt, facts, async () => {
    const deletion = await deleteTask(attempt, task, copy);
    switch (deletion.kind) {
      case "damaged":
        return "damaged";
      case "wait":
        return { ...postponed(attempt, deletion.reason), facts };
      case "keep":
        await attempt.run.ports.store.abortUploadsUnder(task.folder, { signal: attempt.limit.signal });
        return { kind: "done", outcome: "archived-kept", reason: deletion.reason, facts };
      case "gone": {
        const { archivedNow, record } = copy;
        return {
          ...(await recordDeleted(attempt, record, { outcome: deletion.outcome, archivedNow })),
          facts,
        };
      }
    }
  });
}

/** What is known of a listed task, and of its copy once there is one. */
function factsOf({ revision, folder }: FinishedTask, copy?: Copy): TaskFacts {
  const { record, archivedNow } = copy ?? {};
  return {
    revision,
    folder,
    ...(record === undefined
      ? {}
      : { sizeBytes: record.object.sizeBytes, archived: archivedNow === true ? "now" : "before" }),
  };
}
