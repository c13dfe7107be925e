import { writeFile } from "node:fs/promises";
import { wirePlan } from "../config/plan-wiring.ts";
import { ArchiverError } from "../domain/errors.ts";
import { mapTexts } from "../domain/json.ts";
import { errnoOf } from "../files/errno.ts";
import { FILE_MODE } from "../files/own-files.ts";
import { makePlan } from "../plan/make-plan.ts";
import type { Plan } from "../plan/plan.ts";
import { loadConfiguration } from "./environment.ts";
import { interruptible } from "./operator.ts";
import { operatorLines, type Result, shownSecrets } from "./output.ts";
import { planLines } from "./plan-lines.ts";
import { EXIT } from "./process.ts";
import type { CommonOptions } from "./session.ts";

export interface PlanOptions extends CommonOptions {
  /** The file that the plan is written to. */
  readonly out?: string;
}

/** `plan`: what a run would do now about each export, why and when. It writes nothing but the file of `--out`. */
export async function planCommand(options: PlanOptions): Promise<Result> {
  const configuration = await loadConfiguration(options, ["platform", "store"]);
  const { ports, settings, look, close } = await wirePlan(configuration, shownSecrets);
  let plan: Plan;
  try {
    plan = await interruptible(await operatorLines(), async (signal) =>
      makePlan(ports, settings, await look({ signal }), signal),
    );
  } finally {
    await close();
  }
  if (options.out !== undefined) {
    await writePlan(options.out, plan);
  }
  return { document: plan, lines: await planLines(plan, options.out), exitCode: EXIT.done };
}

/** @throws ArchiverError `plan-file` when the file is there already or cannot be written. */
async function writePlan(file: string, plan: Plan): Promise<void> {
  const text = `${JSON.stringify(
    mapTexts(plan, (inner) => shownSecrets.result(inner)),
    null,
    2,
  )}\n`;
  try {
    await writeFile(file, text, { flag: "wx", mode: FILE_MODE });
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
