import type { Effect, FoundExport, Permission } from "../archive/permission.ts";
import type { RunReport } from "../records/run-report.ts";
import { recordsOfRevision } from "../records/task-records.ts";
import { knownRecordsOf } from "./known-records.ts";
import { doesArchive, doesDelete, type KnownRecords, type PlanItem, type WorkPlan } from "./plan.ts";

/** Lets a run do at most what a plan says, and nothing about an export that has changed since. */
export class PlannedWork implements Permission {
  readonly #items: ReadonlyMap<string, PlanItem>;

  constructor({ items }: Pick<WorkPlan, "items">) {
    this.#items = new Map(items.map((item) => [item.exportTaskId, item]));
  }

  refusal(found: FoundExport): ReturnType<Permission["refusal"]> {
    const item = this.#items.get(found.exportTaskId);
    if (item === undefined) {
      return "not-in-plan";
    }
    return isAsPlanned(item, found) ? undefined : "changed-since-plan";
  }

  allows(exportTaskId: string, effect: Effect): boolean {
    const action = this.#items.get(exportTaskId)?.action;
    if (action === undefined) {
      return false;
    }
    switch (effect) {
      case "archive":
        return doesArchive(action);
      case "delete":
        return doesDelete(action);
      case "give-up":
        return action === "give-up";
    }
  }
}

function isAsPlanned({ revision, held, records: known }: PlanItem, found: FoundExport): boolean {
  if (revision === undefined) {
    return found.revision === undefined;
  }
  if (found.revision === undefined) {
    // This run, or another one, has deleted it as planned: a second message has nothing left to do.
    return recordsOfRevision(found.records, revision).deleted;
  }
  return (
    found.revision === revision &&
    found.isHeld === held &&
    known !== undefined &&
    isRecordedAsPlanned(known, found, revision)
  );
}

function isRecordedAsPlanned(
  known: KnownRecords,
  { records, runId }: FoundExport,
  revision: string,
): boolean {
  const now = knownRecordsOf(records, revision);
  const { archived, deadLetter } = recordsOfRevision(records, revision);
  const isCopyKnown =
    archived?.runId === runId || (now.archived === known.archived && now.copy === known.copy);
  const isLetterKnown = deadLetter?.runId === runId || now.deadLetters === known.deadLetters;
  return isCopyKnown && isLetterKnown && now.expired === known.expired;
}

/** The exports about which a plan says that something is done, and which the run did not even attempt. */
export function notAttempted(
  { items }: Pick<WorkPlan, "items">,
  { tasks }: Pick<RunReport, "tasks">,
): readonly string[] {
  const attempted = new Set(tasks.map(({ exportTaskId }) => exportTaskId));
  return items
    .filter(({ action, exportTaskId }) => isWork(action) && !attempted.has(exportTaskId))
    .map(({ exportTaskId }) => exportTaskId);
}

function isWork(action: PlanItem["action"]): boolean {
  return doesArchive(action) || doesDelete(action) || action === "give-up";
}
