import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { announce, type CommonOptions, parseOption, standInCommand } from "./kit/main.ts";
import { startPlatform } from "./server.ts";
import { type SettingsPatch, settingsPatchSchema } from "./settings.ts";

interface Options extends CommonOptions {
  readonly state: string;
  readonly config?: SettingsPatch;
}

const { state, config, port, untilStdinCloses } = standInCommand("sandbox")
  .description(
    "A stand-in for the IoTDA export task API. Prints one line of JSON with its endpoint when it is ready.",
  )
  .requiredOption("--state <folder>", "where the state lies; an existing one is gone on with")
  .option("--config <file>", "settings to change, as JSON (sandbox/settings.ts lists them)", readConfig)
  .parse()
  .opts<Options>();

const { endpoint, stop } = await startPlatform(state, config ?? {}, port);
announce({ endpoint }, stop, untilStdinCloses);

function readConfig(path: string): SettingsPatch {
  return parseOption(settingsPatchSchema, readText(path));
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new InvalidArgumentError("the file cannot be read");
  }
}
