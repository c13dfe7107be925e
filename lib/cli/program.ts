import { Command, CommanderError, Help, InvalidArgumentError, type Option } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { ConfigurationError } from "../config/errors.ts";
import { knownSecrets } from "../config/names.ts";
import { describeFailure, type Failure } from "../domain/errors.ts";
import { BATCH_TASK_ID } from "../domain/request-layout.ts";
import { RetentionPolicyError } from "../retention/errors.ts";
import { refuseUnknownSubcommands } from "./command-group.ts";
import {
  archiveCommand,
  discoverCommand,
  requestCommand,
  runCommand,
  type SweepCommandOptions,
  sweepCommand,
} from "./commands/archiving.ts";
import {
  type DismissOptions,
  dismissCommand,
  listDeadLettersCommand,
  redriveCommand,
} from "./commands/dead-letters.ts";
import { type InitOptions, initCommand } from "./commands/init.ts";
import { statusCommand } from "./commands/status.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { messageLines } from "./failure-lines.ts";
import { InterruptedByOperator } from "./operator.ts";
import { createOutput, lineWriter, type Output, shownSecrets } from "./output.ts";
import { addRetentionCommands, reasonText } from "./retention-commands.ts";
import type { CommonOptions } from "./session.ts";

// The help wraps it to the terminal's width.
const ABOUT =
  "Archives finished Huawei Cloud IoTDA exports to storage you own, proves each copy, and only then deletes " +
  "the export task. Settings come from the environment, or from a file with --config.";

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed, or stopped by a failure of the system (nothing was given up for it)
  2    wrong usage or configuration; nothing was done
  3    done, but some task was dead-lettered in this run, or verify found damage or nothing to read
  130  interrupted; everything was handed back`;

/** Our own code among commander's: which letters to move back was not said, or said twice. */
const WRONG_IDS = "archiver.ids";

const INTERRUPTED: Failure = {
  code: "interrupted",
  message: "interrupted by the operator",
  hint: "Run the command again: what it had done stands, and the rest was left as it was.",
};

/** Says on stderr what is wrong, line by line. */
type Complain = (lines: readonly string[]) => void;

/**
 * The command line.
 * @param args the words after the program's name.
 * @returns the exit code; nothing is thrown.
 */
export async function run(args: string[]): Promise<ExitCode> {
  // Words of the command line are shown before any settings are read.
  shownSecrets.learn(knownSecrets(process.env));
  let exitCode: ExitCode = EXIT.done;
  const asJson = args.includes("--json");
  const output = await createOutput(process.stdout, asJson);
  const complain = await lineWriter(process.stderr);
  const program = createProgram(output, complain, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    return failed(error, asJson ? output : undefined, complain);
  }
}

function createProgram(output: Output, complain: Complain, end: (code: ExitCode) => void): Command {
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
      .option("--env-file <file>", "the same; after 'node', Node takes this one for itself")
      .option("--json", "print exactly one JSON document on stdout");

  command(program, "init", "make an archive at ARCHIVER_STORE, or show which one is there")
    .option("--adopt", "take this archive in place of the one that the queue remembers")
    .action(async (options: InitOptions) => end(await initCommand(options, output)));
  command(program, "run", "discover, then archive until nothing is queued or due within 15 minutes")
    .option("--max-minutes <n>", "end on its own before so many minutes are over", wholeNumber)
    .action(async (options) => end(await runCommand(options, output)));
  command(program, "discover", "enqueue every finished export that still needs work, oldest first").action(
    async (options: CommonOptions) => end(await discoverCommand(options, output)),
  );
  command(program, "archive", "work on what is queued now")
    .option("--max-minutes <n>", "end on its own before so many minutes are over", wholeNumber)
    .option("--under-pressure", "do nothing unless ARCHIVER_PRESSURE export slots are used")
    .action(async (options) => end(await archiveCommand(options, output)));
  command(program, "request", "ask for an export of a batch task as it is now")
    .argument("<batchTaskId>", "the id of the batch task", batchTaskIdOf)
    .action(async (batchTaskId: string, options: CommonOptions) =>
      end(await requestCommand(batchTaskId, options, output)),
    );
  command(
    program,
    "status",
    "show the export slots used on the platform, the queue, open requests, and the next download slot",
  ).action(async (options: CommonOptions) => end(await statusCommand(options, output)));

  command(program, "sweep", "abort uploads older than a day, and list copies that no record names")
    .option("--remove-orphans", "remove such copies when they are older than a day")
    .action(async (options: SweepCommandOptions) => end(await sweepCommand(options, output)));

  const deadLetters = program
    .command("dead-letters")
    .description("show, move back or dismiss what was given up");
  refuseUnknownSubcommands(deadLetters);
  command(deadLetters, "list", "show the dead letters and their reasons (the default)", true)
    .option("--limit <n>", "show at most so many", wholeNumber, 100)
    .action(async (options) => end(await listDeadLettersCommand(options, output)));
  command(deadLetters, "redrive [ids...]", "move dead letters back into the queue, where they start afresh")
    .option("--all", "move every dead letter back")
    .action(async (ids: string[], options: CommonOptions & { all?: boolean }) => {
      if (ids.length > 0 === (options.all === true)) {
        throw new CommanderError(
          EXIT.misuse,
          WRONG_IDS,
          options.all === true
            ? "error: --all moves every letter back: give it without ids"
            : "error: name the letters to move back, or give --all",
        );
      }
      end(await redriveCommand(options.all === true ? "all" : ids, options, output));
    });
  command(deadLetters, "dismiss <ids...>", "remove dead letters for which nothing has to be done any more")
    .requiredOption("--reason <text>", "why", reasonText)
    .option("--by <name>", "who dismisses; without it, this user", reasonText)
    .action(async (ids: string[], options: DismissOptions) =>
      end(await dismissCommand(ids, options, output)),
    );
  addRetentionCommands(program, command, output, end);
  return program;
}

/** As commander says it, and whether a command cannot do without. */
function describedOption(option: Option): string {
  const description = Help.prototype.optionDescription(option);
  return option.mandatory ? `${description} (required)` : description;
}

function batchTaskIdOf(text: string): string {
  if (!BATCH_TASK_ID.test(text)) {
    throw new InvalidArgumentError("It must have 1 to 36 letters, digits, - and _.");
  }
  return text;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("It must be a whole number of at least 1.");
  }
  return value;
}

function failed(error: unknown, jsonOutput: Output | undefined, complain: Complain): ExitCode {
  if (error instanceof CommanderError) {
    return afterUsage(error, jsonOutput, complain);
  }
  if (error instanceof InterruptedByOperator) {
    // A program that reads stdout is promised a document; a person has been told on stderr.
    jsonOutput?.show({ failure: INTERRUPTED }, []);
    return EXIT.interrupted;
  }
  const failure = describeFailure(error);
  jsonOutput?.show({ failure }, []);
  const isMisuse = error instanceof ConfigurationError || error instanceof RetentionPolicyError;
  const hint = error instanceof ConfigurationError ? [] : [`  ${failure.hint}`];
  complain([...messageLines(failure), ...hint]);
  if (failure.code === "internal-error" && process.env.ARCHIVER_LOG_LEVEL === "DEBUG") {
    complain((error instanceof Error ? (error.stack ?? "") : "").split("\n"));
  }
  return isMisuse ? EXIT.misuse : EXIT.failed;
}

/** The help was shown, or the usage was wrong, which commander has said on stderr already. */
function afterUsage(error: CommanderError, jsonOutput: Output | undefined, complain: Complain): ExitCode {
  if (error.exitCode === 0) {
    return EXIT.done;
  }
  if (error.code === WRONG_IDS) {
    complain([error.message]);
  }
  const message = error.message.replace(/^error: /, "");
  const hint = "iotda-archiver --help shows the commands, and <command> --help the options of one.";
  jsonOutput?.show({ failure: { code: "usage", message, hint } }, []);
  return EXIT.misuse;
}
