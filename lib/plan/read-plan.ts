import { isSameScope, type PlatformScope } from "../domain/export-task.ts";
import { readStrictJson, type StrictRead } from "../domain/strict-schema.ts";
import { MAX_CLOCK_SKEW_MS } from "../run/platform-list.ts";
import { planSchema, type WorkPlan } from "./plan.ts";

/** An older plan says too little about the platform as it is now. */
export const PLAN_MAX_AGE_MS = 24 * 3_600_000;

/** Reads the text of a plan. Whoever calls bounds its length. */
export function readPlan(text: string): StrictRead<WorkPlan> {
  return readStrictJson(planSchema, text, "the file");
}

/** Why a plan is not for this run, and what to do; `undefined` where it is. */
export interface PlanRefusal {
  /** Completes "the file …". */
  readonly problem: string;
  readonly fix: string;
}

/** What a run is that is to follow a plan. */
export interface PlannedRun {
  readonly scope: PlatformScope;
  readonly nowMs: number;
}

const MAKE_A_NEW_ONE = "Make a new plan with iotda-archiver plan --out, and read it.";

/** Judges a plan by its age and by what it was made for. */
export function refusalOfPlan(plan: WorkPlan, { scope, nowMs }: PlannedRun): PlanRefusal | undefined {
  const ageMs = nowMs - Date.parse(plan.madeAt);
  if (ageMs > PLAN_MAX_AGE_MS) {
    return { problem: `was made at ${plan.madeAt}, more than 24 h ago`, fix: MAKE_A_NEW_ONE };
  }
  if (ageMs < -MAX_CLOCK_SKEW_MS) {
    return {
      problem: `was made at ${plan.madeAt}, which lies in the future`,
      fix: `Check the clock of this machine. ${MAKE_A_NEW_ONE}`,
    };
  }
  return isSameScope(plan, scope)
    ? undefined
    : { problem: "was made for another project or instance", fix: `Check the settings. ${MAKE_A_NEW_ONE}` };
}

/** The same for the archive that the run has opened. @param archiveId missing for one from before markers. */
export function refusalByArchive(plan: WorkPlan, archiveId: string | undefined): PlanRefusal | undefined {
  return plan.archiveId === undefined || plan.archiveId === archiveId
    ? undefined
    : {
        problem: `was made for the archive ${plan.archiveId}, and ${archiveId ?? "one without archive.json"} is here`,
        fix: `Check ARCHIVER_STORE. ${MAKE_A_NEW_ONE}`,
      };
}
