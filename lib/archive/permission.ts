import { ArchiverError } from "../domain/errors.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { PostponeReason } from "../records/run-report.ts";
import type { TaskRecords } from "../records/task-records.ts";
import type { Attempt } from "./attempt.ts";

/** What a run does to an export that somebody may want to allow first. */
export type Effect = "archive" | "delete" | "give-up";

/** What an attempt finds before it does anything. */
export interface FoundExport {
  readonly exportTaskId: string;
  /** `undefined` where the list shows no task with this id. */
  readonly revision: string | undefined;
  readonly records: TaskRecords;
  readonly isHeld: boolean;
  /** Of the run that asks: others did not make what it recorded itself. */
  readonly runId: string;
}

/** What somebody allowed a run beforehand. It narrows what the run's own rules allow, and never widens it. */
export interface Permission {
  /** Why nothing may be done about this export; `undefined` where the attempt may go on. */
  refusal(found: FoundExport): Extract<PostponeReason, "not-in-plan" | "changed-since-plan"> | undefined;
  allows(exportTaskId: string, effect: Effect): boolean;
}

/** The run was not allowed to do this: the export is left for another run. */
export class NotAllowed extends ArchiverError {
  declare readonly code: "not-in-plan";

  constructor(effect: Effect) {
    super("not-in-plan", `the plan does not allow this run to ${effect.replace("-", " ")} the export`, {
      scope: "task",
      retry: "later",
      hint: "Make a new plan, or run without one.",
    });
  }
}

/** Why this run may do nothing about an export. Throws what the store throws. */
export async function refusalOf(
  { run, exportTaskId }: Attempt,
  found: Pick<FoundExport, "revision" | "records">,
  options: CallOptions,
): Promise<ReturnType<Permission["refusal"]>> {
  const { permission, runId } = run;
  if (permission === undefined) {
    return undefined;
  }
  const holds = await run.records.holds(options);
  return permission.refusal({ ...found, exportTaskId, isHeld: holds.isHeld(exportTaskId), runId });
}

/** @throws NotAllowed unless this run may do this to the attempt's export. */
export function requireAllowed({ run, exportTaskId }: Attempt, effect: Effect): void {
  if (run.permission?.allows(exportTaskId, effect) === false) {
    throw new NotAllowed(effect);
  }
}
