import { wirePlan } from "../config/plan-wiring.ts";
import { makePlan } from "../plan/make-plan.ts";
import type { Plan } from "../plan/plan.ts";
import { loadConfiguration } from "./environment.ts";
import { interruptible } from "./operator.ts";
import { operatorLines, type Result, shownSecrets } from "./output.ts";
import { writePlanFile } from "./plan-file.ts";
import { planLines } from "./plan-lines.ts";
import { EXIT } from "./process.ts";
import type { CommonOptions } from "./session.ts";

export interface PlanOptions extends CommonOptions {
  /** The file that the plan is written to, for `run --plan`. */
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
    await writePlanFile(options.out, plan);
  }
  return { document: plan, lines: await planLines(plan, options.out), exitCode: EXIT.done };
}
