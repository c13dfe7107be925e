import * as v from "valibot";
import { doctorLines } from "../lib/cli/doctor-lines.ts";
import { type Line, lines } from "../lib/cli/output.ts";
import { GROUPS } from "../lib/doctor/check.ts";
import { compact } from "../lib/domain/compact.ts";
import { parseDocumentJson } from "../lib/domain/json.ts";

const text = v.pipe(v.string(), v.maxLength(4_096));
const about = { group: v.picklist(GROUPS), id: text, documentation: text, text };
const checkSchema = v.variant("status", [
  v.object({ ...about, status: v.picklist(["well", "unknown"]) }),
  v.object({ ...about, status: v.picklist(["hurts", "broken"]), cause: v.optional(text), remedy: text }),
]);

/** What the deployed function `doctor` answers (lib/functions/doctor.ts). */
const answerSchema = v.object({
  verdict: v.picklist(["well", "hurts", "broken"]),
  checks: v.pipe(v.array(checkSchema), v.maxLength(200)),
  left: v.pipe(v.array(v.picklist(GROUPS)), v.maxLength(GROUPS.length)),
  failure: v.optional(v.object({ message: text, hint: text })),
});

/** What the end of a deployment says of what was deployed. */
export interface DoctorsWord {
  readonly lines: readonly Line[];
  /** Whether something that was deployed does not work. What will hurt is shown, and fails no deployment. */
  readonly isBroken: boolean;
}

/**
 * Reads what the deployed doctor answered.
 *
 * @param stdout what the program that called it wrote; `undefined` when that program failed.
 */
export function readDoctorsAnswer(stdout: string | undefined, stage: string): DoctorsWord {
  const parsed = v.safeParse(answerSchema, stdout === undefined ? undefined : parseDocumentJson(stdout));
  if (!parsed.success) {
    const again = `npx serverless invoke --function doctor --stage ${stage}`;
    return {
      lines: lines(
        { text: "The deployment is done. Whether it works is not known yet.", colour: "red" },
        "  The function doctor could not be called, or answered what cannot be understood.",
        `  → Call it: ${again}. Its log is in CloudWatch.`,
      ),
      isBroken: true,
    };
  }
  const { verdict, checks, left, failure } = parsed.output;
  const failed = failure && [`The examination failed: ${failure.message}`, `  → ${failure.hint}`];
  return {
    lines: lines(
      ...(failed ?? []),
      ...doctorLines({ verdict, checks: checks.map((check) => compact(check)), left }),
    ),
    isBroken: verdict === "broken",
  };
}
