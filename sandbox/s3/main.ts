import { Option } from "commander";
import { announce, type CommonOptions, parseOption, standInCommand } from "../kit/main.ts";
import { type S3ProfileName, s3Profiles } from "./profiles.ts";
import { type S3SettingsPatch, settingsPatchSchema } from "./settings.ts";
import { startS3 } from "./start.ts";

interface Options extends CommonOptions {
  readonly profile: S3ProfileName;
  readonly settings: S3SettingsPatch;
}

const { profile, settings, port, untilStdinCloses } = standInCommand("s3-stand-in")
  .description(
    "A small, strict stand-in for S3. Prints one line of JSON with its endpoint, bucket and keys when it is ready.",
  )
  .addOption(
    new Option("--profile <name>", "the store to be like").choices(Object.keys(s3Profiles)).default("aws"),
  )
  .option(
    "--settings <json>",
    "settings on top of it (sandbox/s3/settings.ts lists them)",
    (text) => parseOption(settingsPatchSchema, text),
    {},
  )
  .parse()
  .opts<Options>();

const { endpoint, bucket, region, account, stop } = await startS3({ profile, settings, port });
announce({ endpoint, bucket, region, account }, stop, untilStdinCloses);
