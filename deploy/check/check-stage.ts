import * as v from "valibot";
import { cronValues } from "./cron.ts";
import { quoted, type StageProblem } from "./problem.ts";
import { problemsOfSettings } from "./program-settings.ts";
import { findStage } from "./stage-file.ts";
import { type Stage, stageSchema } from "./stage-schema.ts";

/** A stage that may be packaged, or everything that is wrong with it. */
export type CheckedStage =
  | { readonly kind: "stage"; readonly stage: Stage; readonly unchecked: readonly string[] }
  | { readonly kind: "refused"; readonly problems: readonly StageProblem[] };

/**
 * Checks a stage of deploy/stages.yml before anything is packaged: the names in the file, each value, what the
 * functions would say of their settings, and what the parameters are together.
 *
 * @param text the file's text.
 * @param given parameters of the command line, as text.
 */
export function checkStage(text: string, name: string, given?: ReadonlyMap<string, string>): CheckedStage {
  const { parameters, problems: ofNames } = findStage(text, name, given);
  if (parameters === undefined) {
    return { kind: "refused", problems: ofNames };
  }
  // `${env:…}` and the like are known to the deployment program only.
  const unchecked = Object.keys(parameters).filter((key) => String(parameters[key]).includes("${"));
  const parsed = v.safeParse(stageSchema, parameters, { abortPipeEarly: true });
  const ofValues = (parsed.issues ?? []).map((issue) => problemOf(issue, parameters));
  const refused = new Set(ofValues.map(({ name: parameter }) => parameter));
  const later = [...problemsTogether(parameters), ...problemsOfSettings(parameters)].filter(
    ({ name: parameter }) => !refused.has(parameter),
  );
  const problems = [
    ...ofNames,
    ...[...ofValues, ...later].filter(({ name: parameter }) => !unchecked.includes(parameter)),
  ];
  if (problems.length > 0) {
    return { kind: "refused", problems };
  }
  // What is not checked is shown as it is written.
  return { kind: "stage", stage: (parsed.success ? parsed.output : parameters) as Stage, unchecked };
}

function problemOf(issue: v.BaseIssue<unknown>, parameters: Readonly<Record<string, unknown>>): StageProblem {
  const name = String(issue.path?.[0]?.key);
  const [problem = "", fix = ""] = issue.message.split("|");
  return Object.hasOwn(parameters, name)
    ? { name, problem: `${quoted(parameters[name])} ${problem}`, fix }
    : { name, problem: "is missing", fix: "Add it to deploy/stages.yml, under default." };
}

/** What no parameter shows on its own. */
function problemsTogether(parameters: Readonly<Record<string, unknown>>): readonly StageProblem[] {
  const { store, awsRegion, kmsKeyArn, credentialsKeyArn, archiveConcurrency, obsEndpoint, obsBucket } =
    parameters;
  const missing = (name: string, value: unknown) =>
    value === undefined || value === null || value === ""
      ? [{ name, problem: `is missing, and store is ${store}`, fix: "Set it under the stage." }]
      : [];
  const elsewhere = Object.entries({ kmsKeyArn, credentialsKeyArn }).flatMap(([name, arn]) => {
    const region = /^arn:[^:]+:kms:([^:]+):/.exec(String(arn))?.[1];
    return region === undefined || region === awsRegion
      ? []
      : [
          {
            name,
            problem: `names a key in ${region}, and awsRegion is ${awsRegion}`,
            fix: "Name a key of that region.",
          },
        ];
  });
  return [
    ...(store === "s3-kms" ? missing("kmsKeyArn", kmsKeyArn) : []),
    ...(store === "obs" ? [...missing("obsEndpoint", obsEndpoint), ...missing("obsBucket", obsBucket)] : []),
    ...(store === "obs" && Number(archiveConcurrency) > 1
      ? [
          {
            name: "archiveConcurrency",
            problem: `is ${archiveConcurrency}, and OBS has no conditional writes`,
            fix: "Set it to 1: with OBS one run works at a time.",
          },
        ]
      : []),
    ...elsewhere,
    ...problemsOfHours(parameters),
  ];
}

function problemsOfHours({
  nightHours,
  dayHours,
}: Readonly<Record<string, unknown>>): readonly StageProblem[] {
  const night = cronValues(String(nightHours), 23);
  const day = cronValues(String(dayHours), 23);
  if (night === undefined || day === undefined) {
    return [];
  }
  const both = night.filter((hour) => day.includes(hour));
  const neither = Array.from({ length: 24 }, (_, hour) => hour).filter(
    (hour) => !night.includes(hour) && !day.includes(hour),
  );
  const fix = "Together with nightHours it is the whole day, each hour once.";
  return [
    ...(both.length === 0
      ? []
      : [{ name: "dayHours", problem: `has ${both.join(", ")}, as nightHours has`, fix }]),
    ...(neither.length === 0
      ? []
      : [{ name: "dayHours", problem: `leaves out ${neither.join(", ")}, as nightHours does`, fix }]),
  ];
}

/** One message for all problems. */
export function refusalLines(name: string, problems: readonly StageProblem[]): readonly string[] {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [
    `The stage ${quoted(name)} has ${count}; nothing was packaged:`,
    ...problems.map(({ name: parameter, problem, fix }) => `  ${parameter}: ${problem}. ${fix}`),
    "The parameters are in deploy/stages.yml; docs/deploy.md explains them.",
  ];
}
