import { type Command, InvalidArgumentError, Option } from "commander";
import { isExportTaskId } from "../domain/export-task.ts";
import { isHoldPattern } from "../records/holds.ts";
import { refuseUnknownSubcommands } from "./command-group.ts";
import { type RestoreOptions, restoreCommand } from "./commands/restore.ts";
import {
  addHoldCommand,
  expireCommand,
  type HoldOptions,
  listHoldsCommand,
  planCommand,
  removeHoldCommand,
  retainSweepCommand,
  type VerifyCommandOptions,
  verifyCommand,
} from "./commands/retention.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Output } from "./output.ts";
import type { CommonOptions } from "./session.ts";

/** Adds a command with the options that all have. */
type AddCommand = (parent: Command, words: string, description: string, isDefault?: boolean) => Command;

/** The commands about what is archived already. */
export function addRetentionCommands(
  program: Command,
  command: AddCommand,
  output: Output,
  end: (code: ExitCode) => void,
): void {
  const retention = program.command("retention").description("how long archived exports are kept");
  refuseUnknownSubcommands(retention);
  command(
    retention,
    "plan",
    "for every archived export: rule, dates, and what the next runs would do (the default)",
    true,
  ).action(async (options: CommonOptions) => end(await planCommand(options, output)));
  command(retention, "sweep", "lock, tag and record what the policy asks for").action(
    async (options: CommonOptions) => end(await retainSweepCommand(options, output)),
  );
  command(retention, "expire", "remove archived exports whose time is over").action(
    async (options: CommonOptions) => end(await expireCommand(options, output)),
  );

  const hold = program
    .command("hold")
    .description("keep tasks on the platform and their copies in the store");
  refuseUnknownSubcommands(hold);
  command(hold, "list", "show the holds that stand (the default)", true).action(
    async (options: CommonOptions) => end(await listHoldsCommand(options, output)),
  );
  command(hold, "add", "hold an export task id, or a glob such as 'night-*'")
    .argument("<pattern>", "export task id or glob, quoted for the shell", holdPattern)
    .requiredOption("--reason <text>", "why", reasonText)
    .option("--by <name>", "who holds; without it, this user", reasonText)
    .action(async (pattern: string, options: HoldOptions) =>
      end(await addHoldCommand(pattern, options, output)),
    );
  command(hold, "remove", "lift the hold on exactly this id or glob")
    .argument("<pattern>", "as it was held", holdPattern)
    .requiredOption("--reason <text>", "why", reasonText)
    .option("--by <name>", "who lifts; without it, this user", reasonText)
    .action(async (pattern: string, options: HoldOptions) =>
      end(await removeHoldCommand(pattern, options, output)),
    );

  command(program, "verify", "read archived copies back and compare them with their records")
    .addOption(
      new Option("--sample <percent>", "read a random part, such as 10%")
        .argParser(percentage)
        .default(0.05, "5%")
        .conflicts("all"),
    )
    .option("--all", "read every copy")
    .action(async (options: VerifyCommandOptions) => end(await verifyCommand(options, output)));
  command(program, "restore", "give an archived export back as a file, proved by its record")
    .argument("<id>", "the id of the export task", exportTaskIdOf)
    .requiredOption("--to <file>", "where; nothing is written over", fileNameOf)
    .option("--revision <revision>", "another revision than the one archived last", revisionText)
    .action(async (id: string, options: RestoreOptions) => end(await restoreCommand(id, options, output)));
}

/** As records and object names have it. */
const REVISION = /^[0-9a-f]{8}$/;
const MAX_REASON_CHARACTERS = 1_000;

/** A reason or a name, as a note keeps it. */
export function reasonText(text: string): string {
  if (text.trim() === "" || text.length > MAX_REASON_CHARACTERS) {
    throw new InvalidArgumentError(`It must have 1 to ${MAX_REASON_CHARACTERS} characters.`);
  }
  return text;
}

function exportTaskIdOf(text: string): string {
  if (!isExportTaskId(text)) {
    throw new InvalidArgumentError("It must have 1 to 36 letters, digits, - and _.");
  }
  return text;
}

function fileNameOf(text: string): string {
  if (text === "") {
    throw new InvalidArgumentError("It must name a file.");
  }
  return text;
}

function revisionText(text: string): string {
  if (!REVISION.test(text)) {
    throw new InvalidArgumentError("It must have 8 hex digits (0 to 9, a to f).");
  }
  return text;
}

function holdPattern(text: string): string {
  if (!isHoldPattern(text)) {
    throw new InvalidArgumentError(
      "It must have letters, digits, _ and -, with * for any characters and ? for one.",
    );
  }
  return text;
}

/** `5%` or `5`, as a part of 1. */
function percentage(text: string): number {
  const percent = /^\d{1,3}(?:\.\d{1,6})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(percent > 0 && percent <= 100)) {
    throw new InvalidArgumentError("It must be more than 0% and at most 100%.");
  }
  return percent / 100;
}
