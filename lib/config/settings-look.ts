import { stat } from "node:fs/promises";
import type { SettingsRead } from "../doctor/ports.ts";
import { type Configuration, type ConfigurationSources, readConfiguration } from "./configuration.ts";
import type { SettingsFile } from "./env-file.ts";
import { ConfigurationError, type ConfigurationProblem } from "./errors.ts";
import { problemsOfNearNames, problemsOfUnknownNames } from "./names.ts";
import type { Environment } from "./section.ts";
import { SECTIONS } from "./settings.ts";

/** All that a deployment is examined with; the retention policy where one is set. */
export type ExaminedConfiguration = Configuration<"platform" | "store" | "queue"> &
  Partial<Configuration<"retention">>;

/** What the settings say, and what is wrong with them. */
export interface SettingsLook {
  readonly read: SettingsRead;
  /** Missing while anything is wrong. */
  readonly configuration?: ExaminedConfiguration;
}

interface SettingsGiven {
  readonly environment: Environment;
  /** What is wrong with the file of settings. */
  readonly problems: readonly ConfigurationProblem[];
  readonly file?: SettingsFile | undefined;
  readonly agencyKeys?: ConfigurationSources["agencyKeys"];
}

/** Reads all settings. Unlike a command it does not refuse those that it cannot use: it says what is wrong. */
export async function lookAtSettings({
  environment,
  problems,
  file,
  agencyKeys,
}: SettingsGiven): Promise<SettingsLook> {
  const about = file && { file: { path: file.path, mode: await modeOf(file.path) } };
  const hasPolicy = (environment[SECTIONS.retention.entries.policy.about.name] ?? "") !== "";
  const parts = ["platform", "store", "queue", ...(hasPolicy ? (["retention"] as const) : [])] as const;
  try {
    const configuration = readConfiguration(environment, new Set(parts), { found: problems, agencyKeys });
    const none = { unknownNames: [], withoutHeartbeat: [], others: [] };
    return { read: { ...about, ...none }, configuration };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) {
      throw error;
    }
    return { read: { ...about, ...sorted(error.problems, environment) } };
  }
}

function sorted(
  problems: readonly ConfigurationProblem[],
  environment: Environment,
): Omit<SettingsRead, "file"> {
  const unknown = new Set(
    [...problemsOfUnknownNames(environment), ...problemsOfNearNames(environment)].map(({ name }) => name),
  );
  const isUnknown = ({ name }: ConfigurationProblem) => unknown.has(name);
  const { name: notifyOn } = SECTIONS.notification.entries.notifyOn.about;
  const isQuiet = ({ name }: ConfigurationProblem) => name === notifyOn && environment[name] === "problems";
  return {
    unknownNames: problems.filter(isUnknown),
    withoutHeartbeat: problems.filter(isQuiet),
    others: problems.filter((problem) => !isUnknown(problem) && !isQuiet(problem)),
  };
}

/** Windows has no such modes: what Node shows there says nothing. */
async function modeOf(path: string): Promise<number | undefined> {
  return process.platform === "win32" ? undefined : (await stat(path)).mode;
}
