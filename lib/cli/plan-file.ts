import { readFile, stat, writeFile } from "node:fs/promises";
import { ConfigurationError } from "../config/errors.ts";
import { ArchiverError } from "../domain/errors.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { mapTexts } from "../domain/json.ts";
import { errnoOf } from "../files/errno.ts";
import { FILE_MODE } from "../files/own-files.ts";
import type { Plan, WorkPlan } from "../plan/plan.ts";
import {
  type PlannedRun,
  type PlanRefusal,
  readPlan,
  refusalByArchive,
  refusalOfPlan,
} from "../plan/read-plan.ts";
import { shownSecrets } from "./output.ts";

/** A plan of a full platform has 25 KB. */
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_PROBLEM_CHARACTERS = 200;

/** Writes a plan to a new file. @throws ArchiverError `plan-file` when it is there already or cannot be written. */
export async function writePlanFile(file: string, plan: Plan): Promise<void> {
  const shown = mapTexts(plan, (text) => shownSecrets.result(text));
  try {
    await writeFile(file, `${JSON.stringify(shown, null, 2)}\n`, { flag: "wx", mode: FILE_MODE });
  } catch (error) {
    const errno = errnoOf(error);
    const [problem, hint] =
      errno === "EEXIST"
        ? [
            "something already exists at the path of --out",
            "Name another file with --out, or move the existing one away.",
          ]
        : [
            `the program cannot write the plan${errno === undefined ? "" : ` (${errno})`}`,
            "Check the folder of --out: it must exist, have free space, and allow you to write.",
          ];
    throw new ArchiverError("plan-file", problem, { scope: "task", retry: "never", hint, cause: error });
  }
}

/**
 * Reads a plan that a run is to follow.
 *
 * @throws ConfigurationError for what is not a plan, is more than 24 h old, or was made for another project or instance.
 */
export async function readPlanFile(file: string, run: PlannedRun): Promise<WorkPlan> {
  const read = readPlan(await textOf(file));
  if (read.kind === "refused") {
    const [problem = "it cannot be read"] = read.problems;
    throw refused(file, {
      problem: `is not a plan: ${problem.slice(0, MAX_PROBLEM_CHARACTERS)}`,
      fix: "Name a file that iotda-archiver plan --out wrote.",
    });
  }
  return throwRefusal(file, read.value, refusalOfPlan(read.value, run));
}

/** @throws ConfigurationError when the plan was made for another archive. */
export function requirePlannedArchive(file: string, plan: WorkPlan, archiveId: string | undefined): void {
  throwRefusal(file, plan, refusalByArchive(plan, archiveId));
}

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= MAX_FILE_BYTES) {
      return await readFile(file, "utf8");
    }
  } catch (error) {
    const problem = `cannot be read (${errnoOf(error) ?? "unknown reason"})`;
    throw refused(file, { problem, fix: "Name a file that iotda-archiver plan --out wrote." }, error);
  }
  throw refused(file, {
    problem: `has more than ${formatBytes(MAX_FILE_BYTES)}`,
    fix: "Name a file that iotda-archiver plan --out wrote.",
  });
}

function throwRefusal(file: string, plan: WorkPlan, refusal: PlanRefusal | undefined): WorkPlan {
  if (refusal !== undefined) {
    throw refused(file, refusal);
  }
  return plan;
}

function refused(file: string, { problem, fix }: PlanRefusal, cause?: unknown): ConfigurationError {
  return new ConfigurationError([{ name: `--plan ${file}`, problem, fix }], cause);
}
