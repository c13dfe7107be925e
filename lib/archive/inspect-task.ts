import { type ExportTask, revisionOf } from "../domain/export-task.ts";
import { exportFolder } from "../domain/key-layout.ts";
import { type RevisionRecords, recordsOfRevision, type TaskRecords } from "../records/task-records.ts";
import { type FreshList, listedAs, taskIn } from "../run/platform-list.ts";
import { type Attempt, type Ending, postponed, type TaskFacts } from "./attempt.ts";
import { refusalOf } from "./permission.ts";
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
  /** The message of a task that is listed: what it said of an absence is over. */
  readonly message: Attempt["message"];
}

/** No list shows the task. */
export interface MissingTask {
  readonly kind: "missing";
  readonly list: FreshList;
  readonly records: TaskRecords;
}

/** What the task is like ends the attempt. */
interface EndedTask {
  readonly kind: "ended";
  readonly ending: Ending;
  readonly facts: TaskFacts;
}

/** Step 2 of the protocol: a fresh list and the records of this id decide what kind of attempt this is. */
export async function inspectTask(attempt: Attempt): Promise<FinishedTask | MissingTask | EndedTask> {
  const { run, exportTaskId, message } = attempt;
  const { signal } = attempt.limit;
  const list = await listForRun(run, signal);
  const records = await run.records.ofTask(exportTaskId, { signal });
  run.leftAlone.note(records.leftAlone);
  const task = taskIn(list, exportTaskId);
  const revision = task && revisionOf(task);
  const refused = await refusalOf(attempt, { revision, records }, { signal });
  if (refused !== undefined) {
    return ended(postponed(attempt, refused), revision === undefined ? {} : { revision });
  }
  if (wasGivenUpSince(records, revision, message.requestedAtMs)) {
    const facts = revision === undefined ? {} : { revision };
    return ended({ kind: "done", outcome: "already-done", reason: "dead-lettered" }, facts);
  }
  const { absentSinceMs: _over, ...listedMessage } = message;
  const listed = { ...attempt, message: listedMessage };
  if (task === undefined || revision === undefined) {
    return listedAs(list, exportTaskId) === "odd"
      ? // It is on the platform, and its item cannot be understood: nothing is done about it.
        ended(postponed(listed, "left-alone"), {})
      : { kind: "missing", list, records };
  }
  const folder = exportFolder(run.settings.scope, task);
  const facts = { revision, folder };
  switch (task.status) {
    case "Success": {
      const known = recordsOfRevision(records, revision);
      return { kind: "finished", task, revision, folder, records: known, message: listedMessage };
    }
    case "Failed": {
      const detail = "The platform could not make this export. Ask for it again.";
      return ended({ kind: "dead-letter", reason: "export-failed", detail }, facts);
    }
    default:
      // Processing, or a status newer than this program: never acted on, never deleted.
      return ended(unfinished(listed, task.status), facts);
  }
}

function ended(ending: Ending, facts: TaskFacts): EndedTask {
  return { kind: "ended", ending, facts };
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

function unfinished(attempt: Attempt, status: string): Ending {
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
