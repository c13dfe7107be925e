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
  command(program, "inventory", "Bring the catalogue up to date; look for damaged copies and orphans")
    .option(
      "--max-minutes <n>",
      "Stop after at most <n> minutes; the next inventory goes on there",
      wholeNumber,
    )
    .action(ends(LOAD.inventory, (its) => its.inventoryCommand));

  const list = command(program, "list", "List archived exports, the one archived last first")
    .option("--since <when>", "Archived since then: 7d, 12h, or a date", sinceOf)
    .option("--until <when>", "Archived until then", untilOf)
    .option("--batch-task <id>", "Exports of this batch task", batchTaskIdOf)
    .option("--app <id>", "Exports of this app", textOf)
    .addOption(new Option("--state <state>", "Exports in this state").choices(EXPORT_STATES))
    .option("--limit <n>", "List at most <n> (default: 100, or 10000 with --json and --csv)", wholeNumber)
    .addOption(new Option("--csv", "Print comma-separated values with a head line").conflicts("json"));
  list.action(
    ends(LOAD.finding, (its) => async (options: ListOptions) => {
      const { since, until } = options;
      if (since !== undefined && until !== undefined && since >= until) {
        refuse(list, "--since must lie before --until");
      }
      return await its.listCommand(options);
    }),
  );
  command(program, "find", "Find archived exports by any part of an id, of their condition or of their key")
    .argument("<text>", "What to look for, whatever its case", textOf)
    .option("--limit <n>", "List at most <n> (default: 100, or 10000 with --json)", wholeNumber)
    .action(ends(LOAD.finding, (its) => its.findCommand));
  command(program, "show", "Show all that is known of an export task, and how to restore it")
    .argument("<id>", "The id of the export task", exportTaskIdOf)
    .action(ends(LOAD.finding, (its) => its.showCommand));

  const restore = command(program, "restore", "Write an archived export to a file, proved by its record")
    .argument("[id]", "The id of the export task", exportTaskIdOf)
    .requiredOption(
      "--to <file>",
      "The new file, which must not exist yet; a folder, which gets {id}-{revision}.zip; or - for stdout",
      fileNameOf,
    )
    .option("--revision <revision>", "The revision to restore (default: the one archived last)", revisionText)
    .option("--batch-task <id>", "Restore the export of this batch task", batchTaskIdOf)
    .option("--latest", "With --batch-task: the latest of its exports");
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
