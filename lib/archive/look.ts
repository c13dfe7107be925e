import { type ExportTask, revisionOf } from "../domain/export-task.ts";
import { exportFolder } from "../domain/key-layout.ts";
import { type RevisionRecords, recordsOfRevision, type TaskRecords } from "../records/task-records.ts";
import { type FreshList, listForRun, sightIn, taskIn } from "./run.ts";
import { TASK_PATIENCE_MS } from "./settings.ts";
import { postponedAsUsual, type Visit, type VisitResult } from "./visit.ts";

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
export interface AbsentTask {
  readonly kind: "absent";
  readonly list: FreshList;
  readonly records: TaskRecords;
}

/** Step 2 of the protocol: a fresh list and the records of this id decide what kind of visit this is. */
export async function look(visit: Visit): Promise<FinishedTask | AbsentTask | VisitResult> {
  const { run, exportTaskId, message } = visit;
  const { signal } = visit.limit;
  const list = await listForRun(run, signal);
  const records = await run.records.ofTask(exportTaskId, { signal });
  run.leftAlone.note(records.leftAlone);
  const task = taskIn(list, exportTaskId);
  const revision = task && revisionOf(task);
  if (revision !== undefined) {
    visit.learned.revision = revision;
  }
  if (wasGivenUpSince(records, revision, message.requestedAtMs)) {
    return { kind: "done", outcome: "already-done", reason: "dead-lettered" };
  }
  if (task === undefined || revision === undefined) {
    if (sightIn(list, exportTaskId) === "odd") {
      // It is on the platform; more than that nobody can tell, so nothing is done about it.
      visit.message = seenAgain(message);
      return postponedAsUsual(visit, "left-alone");
    }
    return { kind: "absent", list, records };
  }
  visit.message = seenAgain(message);
  const folder = exportFolder(run.settings.scope, task);
  visit.learned.folder = folder;
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
      return unfinished(visit, task.status);
  }
}

function seenAgain({ absentSinceMs: _absent, ...present }: Visit["message"]): Visit["message"] {
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

function unfinished(visit: Visit, status: string): VisitResult {
  const { run, message } = visit;
  const waitedMs = run.ports.clock.wallMs() - message.requestedAtMs;
  if (waitedMs > TASK_PATIENCE_MS) {
    return {
      kind: "dead-letter",
      reason: "never-finished",
      detail: `The export is still ${JSON.stringify(status)} 48 h after it was asked for.`,
    };
  }
  return postponedAsUsual(visit, "unfinished");
}
