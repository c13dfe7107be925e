import type { Configuration, ConfigurationPart } from "../config/configuration.ts";
import { withEnvFile } from "../config/env-file.ts";
import { readConfiguration } from "../config/environment.ts";

const EVERY_PART: readonly ConfigurationPart[] = ["platform", "store", "queue"];

/**
 * The configuration from the environment and, below it, from an `--env-file`.
 * @throws ConfigurationError listing every problem at once.
 */
export async function loadConfiguration<Part extends ConfigurationPart = ConfigurationPart>(
  envFile: string | undefined,
  need: readonly Part[] = EVERY_PART as readonly Part[],
): Promise<Configuration<Part>> {
  const environment = envFile === undefined ? process.env : await withEnvFile(process.env, envFile);
  handToAwsSdk(environment);
  return readConfiguration(environment, new Set(need));
}

/** The AWS SDK finds its keys, profile and region in the environment of the process, and nowhere else. */
function handToAwsSdk(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith("AWS_") && value !== undefined) {
      process.env[name] ??= value;
    }
  }
}
