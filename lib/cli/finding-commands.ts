import { type Command, Option } from "commander";
import { EXPORT_STATES } from "../catalogue/found-export.ts";
import { systemClock } from "../config/system.ts";
import {
  batchTaskIdOf,
  checked,
  exportTaskIdOf,
  fileNameOf,
  momentOf,
  revisionText,
  wholeNumber,
} from "./arguments.ts";
import type { ListOptions } from "./finding.ts";
import type { Result } from "./output.ts";
import { EXIT } from "./process.ts";
import type { RestoreOptions } from "./restore.ts";

const MAX_TEXT_CHARACTERS = 200;

const LIST_HELP = `
States:
  kept     archived; its task is still on the platform
  deleted  archived; its task is deleted from the platform, and the copy is here
  expired  the retention policy has removed the copy
  damaged  the last inventory found the copy missing or changed

Times are in UTC. A date with --until includes that day.

Examples:
  iotda-archiver list --since 7d
  iotda-archiver list --batch-task 5f2d9c3a1b2c3d4e5f6a7b8c
  iotda-archiver list --since 2026-11-01 --until 2026-11-30 --csv > november.csv
  iotda-archiver list --state damaged --json`;

const FIND_HELP = `
Examples:
  iotda-archiver find 9c3a1b        any part of an id
  iotda-archiver find 2026/11/21    the day of the export, as it stands in the key
  iotda-archiver find line-4        a word of the filter that the export was made with`;

const SHOW_HELP = `
Example:
  iotda-archiver show 5f2d9c3a1b2c3d4e5f6a7b8c`;

const RESTORE_HELP = `
The file appears only when every byte is proved. With --to - the bytes are proved at their end: use them only
when the exit code is 0.

Examples:
  iotda-archiver restore 5f2d9c3a1b2c3d4e5f6a7b8c --to export.zip
  iotda-archiver restore --batch-task 5f2d9c3a1b2c3d4e5f6a7b8c --latest --to .
  iotda-archiver restore 5f2d9c3a1b2c3d4e5f6a7b8c --to - > export.zip`;

type MakeCommand = (parent: Command, words: string, description: string) => Command;
/** Makes an action for commander, which calls it with the arguments, then the options: it loads the command first. */
export type Ends = <Commands, Given extends unknown[]>(
  load: () => Promise<Commands>,
  commandIn: (commands: Commands) => (...given: Given) => Promise<Result>,
) => (...given: Given) => Promise<void>;

const LOAD = {
  finding: () => import("./finding.ts"),
  inventory: () => import("./inventory.ts"),
  restore: () => import("./restore.ts"),
};

/** Adds the commands that keep the catalogue, find exports in it, and give them back. */
export function addFindingCommands(program: Command, command: MakeCommand, ends: Ends): void {
  command(program, "inventory", "bring the catalogue up to date; look for damaged copies and orphans")
    .option(
      "--max-minutes <n>",
      "stop after at most <n> minutes; the next inventory goes on there",
      wholeNumber,
    )
    .action(ends(LOAD.inventory, (its) => its.inventoryCommand));

  const list = command(program, "list", "list archived exports, the one archived last first")
    .option("--since <when>", "archived since then: 7d, 12h, or a date", sinceOf)
    .option("--until <when>", "archived until then", untilOf)
    .option("--batch-task <id>", "exports of this batch task", batchTaskIdOf)
    .option("--app <id>", "exports of this app", textOf)
    .addOption(new Option("--state <state>", "exports in this state").choices(EXPORT_STATES))
    .option("--limit <n>", "list at most <n> (default: 100, or 10000 with --json and --csv)", wholeNumber)
    .addOption(new Option("--csv", "print comma-separated values with a head line").conflicts("json"))
    .addHelpText("after", LIST_HELP);
  list.action(
    ends(LOAD.finding, (its) => async (options: ListOptions) => {
      const { since, until } = options;
      if (since !== undefined && until !== undefined && since >= until) {
        refuse(list, "--since must lie before --until");
      }
      return await its.listCommand(options);
    }),
  );
  command(program, "find", "find archived exports by any part of an id, of their condition or of their key")
    .argument("<text>", "what to look for, whatever its case", textOf)
    .option("--limit <n>", "list at most <n> (default: 100, or 10000 with --json)", wholeNumber)
    .addHelpText("after", FIND_HELP)
    .action(ends(LOAD.finding, (its) => its.findCommand));
  command(program, "show", "show all that is known of an export task, and how to restore it")
    .argument("<id>", "the id of the export task", exportTaskIdOf)
    .addHelpText("after", SHOW_HELP)
    .action(ends(LOAD.finding, (its) => its.showCommand));

  const restore = command(program, "restore", "write an archived export to a file, proved by its record")
    .argument("[id]", "the id of the export task", exportTaskIdOf)
    .requiredOption(
      "--to <file>",
      "the new file, which must not exist yet; a folder, which gets {id}-{revision}.zip; or - for stdout",
      fileNameOf,
    )
    .option("--revision <revision>", "the revision to restore (default: the one archived last)", revisionText)
    .option("--batch-task <id>", "restore the export of this batch task", batchTaskIdOf)
    .option("--latest", "with --batch-task: the latest of its exports")
    .addHelpText("after", RESTORE_HELP);
  restore.action(
    ends(LOAD.restore, (its) => async (id: string | undefined, options: RestoreOptions) => {
      const problem = problemOfRestore(id, options);
      if (problem !== undefined) {
        refuse(restore, problem);
      }
      return await its.restoreCommand(id, options);
    }),
  );
}

function problemOfRestore(
  id: string | undefined,
  { batchTask, latest, revision, to, json }: RestoreOptions,
): string | undefined {
  if ((id === undefined) === (batchTask === undefined)) {
    return "name one export: by the id of its export task, or with --batch-task <id> --latest";
  }
  if (id !== undefined && latest === true) {
    return "--latest chooses among the exports of a batch task: give it with --batch-task <id>";
  }
  if (batchTask !== undefined && revision !== undefined) {
    return "--revision belongs to the id of an export task, not to --batch-task";
  }
  return to === "-" && json === true ? "--to - and --json both need stdout: give one of them" : undefined;
}

function refuse(command: Command, problem: string): never {
  command.error(`error: ${problem}`, { code: "archiver.usage", exitCode: EXIT.misuse });
}

const textOf = checked(
  (text) => text.trim() !== "" && text.length <= MAX_TEXT_CHARACTERS,
  `have 1 to ${MAX_TEXT_CHARACTERS} characters`,
);

function sinceOf(text: string): number {
  return momentOf(text, systemClock.wallMs()).startMs;
}

function untilOf(text: string): number {
  return momentOf(text, systemClock.wallMs()).endMs;
}
