import type { Configuration, ConfigurationPart } from "../config/configuration.ts";
import { withEnvFile } from "../config/env-file.ts";
import { readConfiguration } from "../config/environment.ts";
import { ConfigurationError } from "../config/errors.ts";

/** For the first call ever: nothing else in the message says that a file can hold the settings. */
const WHERE_TO_SET = "Set them in the environment, or name a file with --env-file.";

/**
 * The configuration from the environment and, below it, from an `--env-file`: the parts that are needed.
 * @throws ConfigurationError listing every problem at once.
 */
export async function loadConfiguration<Part extends ConfigurationPart>(
  envFile: string | undefined,
  need: readonly Part[],
): Promise<Configuration<Part>> {
  const environment = envFile === undefined ? process.env : await withEnvFile(process.env, envFile);
  handToAwsSdk(environment);
  try {
    return readConfiguration(environment, new Set(need));
  } catch (error) {
    throw error instanceof ConfigurationError && envFile === undefined
      ? new ConfigurationError(error.problems, error.cause, WHERE_TO_SET)
      : error;
  }
}

/** The AWS SDK finds its keys, profile and region in the environment of the process, and nowhere else. */
function handToAwsSdk(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith("AWS_") && value !== undefined) {
      process.env[name] ??= value;
    }
  }
}
