import { type ExportTask, revisionOf } from "../domain/export-task.ts";
import { exportFolder } from "../domain/key-layout.ts";
import { type RevisionRecords, recordsOfRevision, type TaskRecords } from "../records/task-records.ts";
import { type FreshList, listedAs, taskIn } from "../run/platform-list.ts";
import { type Attempt, type AttemptOutcome, postponed } from "./attempt.ts";
import { listForRun } from "./run.ts";
import { TASK_PATIENCE_MS } from "./settings.ts";

/** A finished export and what is recorded of the revision that the list shows. */
export interface FinishedTask {
  readonly kind: "finished";
  readonly task: ExportTask;
  readonly revision: string;
  /** Where its objects lie. */
  readonly folder: string;
  readonly records: RevisionRecords;
}

/** No list shows the task. */
export interface MissingTask {
  readonly kind: "absent";
  readonly list: FreshList;
  readonly records: TaskRecords;
}

/** Step 2 of the protocol: a fresh list and the records of this id decide what kind of attempt this is. */
export async function inspectTask(attempt: Attempt): Promise<FinishedTask | MissingTask | AttemptOutcome> {
  const { run, exportTaskId, message } = attempt;
  const { signal } = attempt.limit;
  const list = await listForRun(run, signal);
  const records = await run.records.ofTask(exportTaskId, { signal });
  run.leftAlone.note(records.leftAlone);
  const task = taskIn(list, exportTaskId);
  const revision = task && revisionOf(task);
  if (revision !== undefined) {
    attempt.learned.revision = revision;
  }
  if (wasGivenUpSince(records, revision, message.requestedAtMs)) {
    return { kind: "done", outcome: "already-done", reason: "dead-lettered" };
  }
  if (task === undefined || revision === undefined) {
    if (listedAs(list, exportTaskId) === "odd") {
      // It is on the platform; more than that nobody can tell, so nothing is done about it.
      attempt.message = seenAgain(message);
      return postponed(attempt, "left-alone");
    }
    return { kind: "absent", list, records };
  }
  attempt.message = seenAgain(message);
  const folder = exportFolder(run.settings.scope, task);
  attempt.learned.folder = folder;
  switch (task.status) {
    case "Success":
      return { kind: "finished", task, revision, folder, records: recordsOfRevision(records, revision) };
    case "Failed":
      return {
        kind: "dead-letter",
        reason: "export-failed",
        detail: "The platform could not make this export; ask for it again.",
      };
    default:
      // Processing, or a status newer than this program: never acted on, never deleted.
      return unfinished(attempt, task.status);
  }
}

function seenAgain({ absentSinceMs: _absent, ...present }: Attempt["message"]): Attempt["message"] {
  return present;
}

/**
 * Whether the task was dead-lettered after this request was made. A letter about another revision than the
 * listed one says nothing about the listed one.
 */
function wasGivenUpSince(records: TaskRecords, listed: string | undefined, requestedAtMs: number): boolean {
  for (const { revision, deadLetter } of records.revisions.values()) {
    const concerns = listed === undefined || revision === listed;
    if (concerns && deadLetter !== undefined && Date.parse(deadLetter.deadLetteredAt) > requestedAtMs) {
      return true;
    }
  }
  return false;
}

function unfinished(attempt: Attempt, status: string): AttemptOutcome {
  const { run, message } = attempt;
  const waitedMs = run.ports.clock.wallMs() - message.requestedAtMs;
  if (waitedMs > TASK_PATIENCE_MS) {
    return {
      kind: "dead-letter",
      reason: "never-finished",
      detail: `The export is still ${JSON.stringify(status)} 48 h after it was asked for.`,
    };
  }
  return postponed(attempt, "unfinished");
}
