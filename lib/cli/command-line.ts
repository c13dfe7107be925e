import { Command, CommanderError, Help, InvalidArgumentError, Option } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { isExportTaskId } from "../domain/export-task.ts";
import { nearestName } from "../domain/nearest-name.ts";
import { BATCH_TASK_ID } from "../domain/request-layout.ts";
import { isHoldPattern } from "../records/holds.ts";
import { archiveCommand, discoverCommand, requestCommand, runCommand, sweepCommand } from "./archiving.ts";
import { dismissCommand, listDeadLettersCommand, redriveCommand } from "./dead-letters.ts";
import { initCommand } from "./init.ts";
import type { Result } from "./output.ts";
import { EXIT } from "./process.ts";
import { restoreCommand } from "./restore.ts";
import {
  addHoldCommand,
  expireCommand,
  listHoldsCommand,
  planCommand,
  removeHoldCommand,
  retainSweepCommand,
  verifyCommand,
} from "./retention.ts";
import type { CommonOptions } from "./session.ts";
import { statusCommand } from "./status.ts";

// The help wraps it to the terminal's width.
const ABOUT =
  "Archives finished Huawei Cloud IoTDA exports to storage you own, proves each copy, and only then deletes " +
  "the export task. Settings come from the environment, or from a file with --config.";

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed, or a system failure stopped the run (it counts against no task)
  2    wrong usage or configuration; nothing was done
  3    done, but this run dead-lettered a task, or verify found damage or nothing to read
  130  interrupted; unfinished tasks went back to the queue`;

/** Our own code among commander's: which letters to move back was not said, or said twice. */
export const WRONG_IDS = "archiver.ids";

/**
 * The commands with their options and help.
 * @param complain writes on stderr what is wrong with the usage.
 * @param end takes what a command says at its end.
 */
export function createCommandLine(
  complain: (lines: readonly string[]) => void,
  end: (result: Result) => void,
): Command {
  const program = new Command("iotda-archiver");
  program
    .description(ABOUT)
    .addHelpText("after", EXIT_CODES)
    .configureHelp({ showGlobalOptions: true, optionDescription: describedOption })
    .helpCommand("help [command]", "show the help of a command")
    .version(manifest.version, "--version", "show the version")
    .configureOutput({ writeErr: (text) => complain(text.replace(/\n$/, "").split("\n")) })
    .exitOverride();
  const command = (parent: Command, words: string, description: string, isDefault = false) =>
    parent
      .command(words, { isDefault })
      .description(description)
      .option("--config <file>", "read settings from this file; the environment wins over it")
      .option(
        "--env-file <file>",
        "the same as --config; a program started with 'node' never sees it, because Node takes it",
      )
      .option("--json", "print exactly one JSON document on stdout");
  const group = (name: string, description: string) =>
    refusingUnknownSubcommands(program.command(name).description(description));
  /** An action for commander, which calls it with the arguments, then the options. */
  const ends =
    <Given extends unknown[]>(work: (...given: Given) => Promise<Result>) =>
    async (...given: Given) =>
      end(await work(...given));

  command(program, "init", "make an archive at ARCHIVER_STORE, or show which one is there")
    .option("--adopt", "replace the archive that the queue remembers with this one")
    .action(ends(initCommand));
  command(program, "run", "discover, then archive until nothing is queued or due within 15 minutes")
    .option("--max-minutes <n>", "stop after at most <n> minutes", wholeNumber)
    .action(ends(runCommand));
  command(program, "discover", "enqueue every finished export that still needs work, oldest first").action(
    ends(discoverCommand),
  );
  command(program, "archive", "archive the exports that are queued now")
    .option("--max-minutes <n>", "stop after at most <n> minutes", wholeNumber)
    .option("--under-pressure", "archive only when ARCHIVER_PRESSURE or more export slots are used")
    .action(ends(archiveCommand));
  command(program, "request", "ask for an export of a batch task as it is now")
    .argument("<batchTaskId>", "the id of the batch task", batchTaskIdOf)
    .action(ends(requestCommand));
  command(
    program,
    "status",
    "show the export slots used on the platform, the queue, open requests, and the next download slot",
  ).action(ends(statusCommand));
  command(program, "sweep", "abort uploads older than a day, and list copies that no record names")
    .option("--remove-orphans", "remove those copies once they are older than a day")
    .action(ends(sweepCommand));

  const deadLetters = group(
    "dead-letters",
    "show dead letters, move them back into the queue, or dismiss them",
  );
  command(deadLetters, "list", "show the dead letters and their reasons (the default)", true)
    .option("--limit <n>", "show up to <n> letters", wholeNumber, 100)
    .action(ends(listDeadLettersCommand));
  command(
    deadLetters,
    "redrive [ids...]",
    "move dead letters back into the queue; their attempts start again at 0",
  )
    .option("--all", "move every dead letter back")
    .action(
      ends(async (ids: string[], options: CommonOptions & { all?: true }) =>
        redriveCommand(lettersOf(ids, options), options),
      ),
    );
  command(deadLetters, "dismiss <ids...>", "remove dead letters that need no further work")
    .requiredOption("--reason <text>", "why", reasonText)
    .option("--by <name>", "who dismisses them (default: this user)", reasonText)
    .action(ends(dismissCommand));

  const retention = group("retention", "apply the retention policy to archived exports");
  command(
    retention,
    "plan",
    "show each archived export's rule, its dates, and what the next runs would do (the default)",
    true,
  ).action(ends(planCommand));
  command(retention, "sweep", "lock, tag and record what the policy asks for").action(
    ends(retainSweepCommand),
  );
  command(retention, "expire", "remove archived exports whose retention time is over").action(
    ends(expireCommand),
  );

  const hold = group("hold", "keep tasks on the platform and their copies in the store");
  command(hold, "list", "show the current holds (the default)", true).action(ends(listHoldsCommand));
  command(hold, "add", "hold an export task id, or a glob such as 'night-*'")
    .argument("<pattern>", "export task id or glob, quoted for the shell", holdPattern)
    .requiredOption("--reason <text>", "why", reasonText)
    .option("--by <name>", "who holds them (default: this user)", reasonText)
    .action(ends(addHoldCommand));
  command(hold, "remove", "lift the hold on exactly this id or glob")
    .argument("<pattern>", "the id or glob, as hold add got it", holdPattern)
    .requiredOption("--reason <text>", "why", reasonText)
    .option("--by <name>", "who lifts it (default: this user)", reasonText)
    .action(ends(removeHoldCommand));

  command(program, "verify", "read archived copies back and compare them with their records")
    .addOption(
      new Option("--sample <percent>", "read a random part, such as 10%")
        .argParser(percentage)
        .default(0.05, "5%")
        .conflicts("all"),
    )
    .option("--all", "read every copy")
    .action(ends(verifyCommand));
  command(program, "restore", "write an archived export to a file, proved by its record")
    .argument("<id>", "the id of the export task", exportTaskIdOf)
    .requiredOption("--to <file>", "the new file, which must not exist yet", fileNameOf)
    .option("--revision <revision>", "the revision to restore (default: the one archived last)", revisionText)
    .action(ends(restoreCommand));
  return program;
}

/** As commander says it, and whether a command cannot do without. */
function describedOption(option: Option): string {
  const description = Help.prototype.optionDescription(option);
  return option.mandatory ? `${description} (required)` : description;
}

/**
 * Lets a command that has a default subcommand refuse a word that is not a subcommand. Otherwise commander takes the
 * word for an argument of the default one, and its message does not name the mistake.
 */
function refusingUnknownSubcommands(group: Command): Command {
  return group.hook("preSubcommand", () => {
    const [word] = group.args;
    const names = group.commands.map((command) => command.name());
    if (word === undefined || word.startsWith("-") || names.includes(word)) {
      return;
    }
    const meant = nearestName(word, names);
    const suggestion = meant === undefined ? "" : `\n(Did you mean ${meant}?)`;
    group.error(`error: unknown command '${word}'${suggestion}`, {
      code: "commander.unknownCommand",
      exitCode: EXIT.misuse,
    });
  });
}

function lettersOf(ids: readonly string[], { all = false }: { readonly all?: boolean }) {
  if (ids.length > 0 === all) {
    throw new CommanderError(
      EXIT.misuse,
      WRONG_IDS,
      all
        ? "error: --all moves every letter back, so it takes no ids"
        : "error: name the letters to move back, or give --all",
    );
  }
  return all ? "all" : ids;
}

/** A parser of an argument that takes only what the check allows. @param rule completes "It must …". */
function checked(isAllowed: (text: string) => boolean, rule: string): (text: string) => string {
  return (text) => {
    if (!isAllowed(text)) {
      throw new InvalidArgumentError(`It must ${rule}.`);
    }
    return text;
  };
}

const ID_RULE = "consist of 1 to 36 letters, digits, hyphens and underscores";
const MAX_REASON_CHARACTERS = 1_000;

const batchTaskIdOf = checked((text) => BATCH_TASK_ID.test(text), ID_RULE);
const exportTaskIdOf = checked(isExportTaskId, ID_RULE);
const fileNameOf = checked((text) => text !== "", "name a file");
/** As records and object names have it. */
const revisionText = checked(
  (text) => /^[0-9a-f]{8}$/.test(text),
  "consist of 8 hex digits (0 to 9, a to f)",
);
const holdPattern = checked(
  isHoldPattern,
  "consist of letters, digits, hyphens and underscores, with * for any characters and ? for one",
);
/** A reason or a name, as a note keeps it. */
const reasonText = checked(
  (text) => text.trim() !== "" && text.length <= MAX_REASON_CHARACTERS,
  `have 1 to ${MAX_REASON_CHARACTERS} characters`,
);

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("It must be a whole number of at least 1.");
  }
  return value;
}

/** `5%` or `5`, as a part of 1. */
function percentage(text: string): number {
  const percent = /^\d{1,3}(?:\.\d{1,6})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(percent > 0 && percent <= 100)) {
    throw new InvalidArgumentError("It must be more than 0% and at most 100%.");
  }
  return percent / 100;
}
