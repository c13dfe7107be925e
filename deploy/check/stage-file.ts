import { createRequire } from "node:module";
import * as v from "valibot";
import { nearestName } from "../../lib/domain/nearest-name.ts";
import { quoted, type StageProblem } from "./problem.ts";
import { PARAMETER_NAMES } from "./stage-schema.ts";

// The parser of the deployment program itself, so that both read the same; it has no types of its own.
const yaml = createRequire(import.meta.url)("js-yaml") as { load(text: string): unknown };

/** The name of what holds for every stage. */
const DEFAULT = "default";

const mappingSchema = v.record(v.string(), v.unknown());
const fileSchema = v.record(v.string(), v.nullable(mappingSchema));

export interface FoundStage {
  /** The stage's parameters over those of every stage, the given ones over both; `undefined` for a file that is none. */
  readonly parameters: Readonly<Record<string, unknown>> | undefined;
  readonly problems: readonly StageProblem[];
}

/**
 * Finds a stage in the text of deploy/stages.yml. The problems are those of names: of the stage, and of every
 * parameter in the file.
 *
 * @param given parameters of the command line, as text.
 */
export function findStage(
  text: string,
  stage: string,
  given: ReadonlyMap<string, string> = new Map(),
): FoundStage {
  const file = v.safeParse(fileSchema, parsedYaml(text));
  if (!file.success) {
    const problem = "is not YAML of stages, each with its parameters below it";
    return {
      parameters: undefined,
      problems: [{ name: "deploy/stages.yml", problem, fix: "Look at its indentation and colons." }],
    };
  }
  const stages = Object.keys(file.output).filter((name) => name !== DEFAULT);
  const ofFile = Object.entries(file.output).flatMap(([name, parameters]) =>
    problemsOfNames(Object.keys(parameters ?? {}), name),
  );
  const parameters = {
    ...file.output[DEFAULT],
    ...(Object.hasOwn(file.output, stage) ? file.output[stage] : {}),
    ...Object.fromEntries([...given].map(([name, value]) => [name, parsedYaml(value)])),
  };
  return {
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, resolved(value, stage)]),
    ),
    problems: [
      ...(stages.includes(stage) ? problemsOfStageName(stage) : [unknownStage(stage, stages)]),
      ...ofFile,
      ...problemsOfNames([...given.keys()], "--param"),
    ],
  };
}

/** `undefined` for what is not YAML, which is not a mapping either. */
function parsedYaml(text: string): unknown {
  try {
    return yaml.load(text);
  } catch (error) {
    if (error instanceof Error && error.name === "YAMLException") {
      return undefined;
    }
    throw error;
  }
}

/** What the deployment program puts in; other references stay as they are. */
function resolved(value: unknown, stage: string): unknown {
  return typeof value === "string"
    ? value.replaceAll(/\$\{(?:sls|opt):stage\}/g, stage).replaceAll(`\${self:service}`, "iotda-archiver")
    : value;
}

function problemsOfNames(names: readonly string[], where: string): readonly StageProblem[] {
  return names
    .filter((name) => !PARAMETER_NAMES.includes(name))
    .map((name) => {
      const meant = nearestName(name, PARAMETER_NAMES);
      return {
        name: `${where}, ${quoted(name)}`,
        problem: "is not a parameter of a stage",
        fix: meant === undefined ? "Remove it." : `Did you mean ${meant}?`,
      };
    });
}

/** It is part of the functions' names, which take 64 characters. */
function problemsOfStageName(stage: string): readonly StageProblem[] {
  return /^[a-z][a-z0-9-]{0,29}$/.test(stage)
    ? []
    : [
        {
          name: `--stage ${quoted(stage)}`,
          problem: "is not a name for a stack and its functions",
          fix: "Name the stage with 1 to 30 small letters, digits and dashes, a letter first.",
        },
      ];
}

function unknownStage(stage: string, stages: readonly string[]): StageProblem {
  const meant = nearestName(stage, stages);
  return {
    name: `--stage ${quoted(stage)}`,
    problem: `is not a stage of deploy/stages.yml (there: ${stages.join(", ")})`,
    fix: meant === undefined ? "Name one of them, or add yours to the file." : `Did you mean ${meant}?`,
  };
}
