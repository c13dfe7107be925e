import { Command, InvalidArgumentError, Option } from "commander";
import * as v from "valibot";
import { endWhenTold, parsePort } from "../own-process.ts";
import { type S3ProfileName, s3Profiles } from "./profiles.ts";
import { type S3SettingsInput, settingsSchema } from "./settings.ts";
import { startS3 } from "./start.ts";

interface Options {
  readonly profile: S3ProfileName;
  readonly settings: S3SettingsInput;
  readonly port: number;
  readonly untilStdinCloses?: true;
}

const program = new Command("s3-stand-in")
  .description(
    "A small, strict stand-in for S3. Prints one line of JSON with its endpoint, bucket and keys when it is ready.",
  )
  .addOption(
    new Option("--profile <name>", "the store to be like").choices(Object.keys(s3Profiles)).default("aws"),
  )
  .option("--settings <json>", "settings on top of it (sandbox/s3/settings.ts lists them)", readSettings, {})
  .option("--port <number>", "loopback port, 0 lets the system choose", parsePort, 0)
  .option("--until-stdin-closes", "end when standard input does, as it does when the parent process dies");

await run(program.parse().opts<Options>());

async function run({ profile, settings, port, untilStdinCloses }: Options): Promise<void> {
  const standIn = await startS3({ profile, settings, port });
  endWhenTold(() => standIn.stop(), untilStdinCloses);
  const { endpoint, bucket, region, account } = standIn;
  process.stdout.write(`${JSON.stringify({ endpoint, bucket, region, account })}\n`);
}

function readSettings(text: string): S3SettingsInput {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), settingsSchema), text);
  if (!parsed.success) {
    throw new InvalidArgumentError(parsed.issues.map(({ message }) => message).join("; "));
  }
  // Only what was given: the profile has the rest.
  return JSON.parse(text) as S3SettingsInput;
}
