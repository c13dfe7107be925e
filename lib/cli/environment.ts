import path from "node:path";
import type { Configuration, ConfigurationPart } from "../config/configuration.ts";
import { readConfiguration } from "../config/configuration.ts";
import { type SettingsFile, type SettingsOfFile, withSettingsFile } from "../config/env-file.ts";
import { ConfigurationError } from "../config/errors.ts";
import { knownSecrets } from "../config/names.ts";
import { isNodeName } from "../config/node-names.ts";
import { operatorLines, shownSecrets } from "./output.ts";

/** For the first call ever: nothing else in the message says that a file can hold the settings. */
const WHERE_TO_SET = "Set them in the environment, or name a file with --config.";

/** The two spellings of one option. `node dist/cli.mjs` takes `--env-file` for itself, wherever it stands. */
export interface SettingsFileOptions {
  readonly config?: string;
  readonly envFile?: string;
}

/** What the environment and, below it, the file of settings say; read once. */
interface LoadedSettings {
  readonly environment: SettingsOfFile["environment"];
  /** What is wrong with the file. */
  readonly problems: SettingsOfFile["problems"];
  readonly file: SettingsFile | undefined;
  /**
   * The parts of the configuration that are needed.
   * @throws ConfigurationError listing every problem at once.
   */
  configuration<Part extends ConfigurationPart>(need: readonly Part[]): Promise<Configuration<Part>>;
}

/** Reads the settings. @throws ConfigurationError for a file that cannot be read. */
export async function loadSettings(options: SettingsFileOptions): Promise<LoadedSettings> {
  const file = settingsFileOf(options);
  const { environment, problems, warning }: SettingsOfFile =
    file === undefined
      ? { environment: process.env, problems: [] }
      : await withSettingsFile(process.env, file);
  shownSecrets.learn(knownSecrets(environment));
  handToAwsSdk(environment);
  let toSay = warning;
  return {
    environment,
    problems,
    file,
    async configuration(need) {
      try {
        const configuration = readConfiguration(environment, new Set(need), { found: problems });
        if (toSay !== undefined) {
          (await operatorLines())(toSay);
          toSay = undefined;
        }
        return configuration;
      } catch (error) {
        throw error instanceof ConfigurationError && file === undefined && !isAllOfNode(error)
          ? new ConfigurationError(error.problems, error.cause, WHERE_TO_SET)
          : error;
      }
    },
  };
}

/**
 * The parts of the configuration that a command needs.
 * @throws ConfigurationError listing every problem at once.
 */
export async function loadConfiguration<Part extends ConfigurationPart>(
  options: SettingsFileOptions,
  need: readonly Part[],
): Promise<Configuration<Part>> {
  return await (await loadSettings(options)).configuration(need);
}

/** Of what only Node's own environment can carry, no file of settings can be recommended. */
function isAllOfNode({ problems }: ConfigurationError): boolean {
  return problems.every(({ name }) => isNodeName(name));
}

/** The file that the options name. @throws ConfigurationError where they name two. */
export function settingsFileOf({ config, envFile }: SettingsFileOptions): SettingsFile | undefined {
  if (config !== undefined && envFile !== undefined && path.resolve(config) !== path.resolve(envFile)) {
    const problem = `name different files, ${JSON.stringify(config)} and ${JSON.stringify(envFile)}`;
    throw new ConfigurationError([{ name: "--config and --env-file", problem, fix: "Give one of them." }]);
  }
  if (config !== undefined) {
    return { option: "--config", path: config };
  }
  return envFile === undefined ? undefined : { option: "--env-file", path: envFile };
}

/** The AWS SDK finds its keys, profile and region in the environment of the process, and nowhere else. */
function handToAwsSdk(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith("AWS_") && value !== undefined) {
      process.env[name] ??= value;
    }
  }
}
