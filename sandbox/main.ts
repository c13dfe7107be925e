import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import * as v from "valibot";
import { describeIssues } from "./control.ts";
import { endWhenTold, parsePort } from "./own-process.ts";
import { startServer } from "./server.ts";
import { type SettingsPatch, settingsPatchSchema } from "./settings.ts";

interface Options {
  readonly state: string;
  readonly port: number;
  readonly config?: SettingsPatch;
  readonly untilStdinCloses?: true;
}

const program = new Command("sandbox")
  .description(
    "A stand-in for the IoTDA export task API. Prints one line of JSON with its endpoint when it is ready.",
  )
  .requiredOption("--state <folder>", "where the state lies; an existing one is gone on with")
  .option("--port <number>", "loopback port, 0 lets the system choose", parsePort, 0)
  .option("--config <file>", "settings to change, as JSON (sandbox/settings.ts lists them)", readConfig)
  .option("--until-stdin-closes", "end when standard input does, as it does when the parent process dies");

await run(program.parse().opts<Options>());

async function run(options: Options): Promise<void> {
  const server = await startServer(options.state, options.config ?? {}, options.port);
  endWhenTold(() => server.stop(), options.untilStdinCloses);
  process.stdout.write(`${JSON.stringify({ endpoint: server.endpoint })}\n`);
}

function readConfig(path: string): SettingsPatch {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), settingsPatchSchema), readText(path));
  if (!parsed.success) {
    throw new InvalidArgumentError(describeIssues(parsed.issues));
  }
  return parsed.output;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new InvalidArgumentError("the file cannot be read");
  }
}
