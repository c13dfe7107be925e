import { Command, CommanderError, Help, Option } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { GROUPS } from "../doctor/check.ts";
import { nearestName } from "../domain/nearest-name.ts";
import {
  batchTaskIdOf,
  dateOf,
  fileNameOf,
  groupsOf,
  holdPattern,
  percentage,
  reasonText,
  wholeNumber,
} from "./arguments.ts";
import { addFindingCommands, type Ends } from "./finding-commands.ts";
import type { Result } from "./output.ts";
import { EXIT } from "./process.ts";
import type { VerifyCommandOptions } from "./retention.ts";
import type { CommonOptions } from "./session.ts";

/** The commands, by file. Each file is loaded when one of its commands is called: asking for help needs none of them. */
const LOAD = {
  archiving: () => import("./archiving.ts"),
  deadLetters: () => import("./dead-letters.ts"),
  doctor: () => import("./doctor.ts"),
  init: () => import("./init.ts"),
  inventory: () => import("./inventory.ts"),
  notify: () => import("./notify.ts"),
  plan: () => import("./plan.ts"),
  report: () => import("./report.ts"),
  retention: () => import("./retention.ts"),
  status: () => import("./status.ts"),
};

// The help wraps it to the terminal's width.
const ABOUT =
  "Archives finished Huawei Cloud IoTDA exports to storage you own, proves each copy, and only then deletes " +
  "the export task. Settings come from the environment, or from a file with --config.";

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed, or a system failure stopped the run (it counts against no task),
       or doctor found what is broken
  2    wrong usage or configuration; nothing was done
  3    done, but this run dead-lettered a task, or verify, inventory, report or
       doctor found something to look at
  130  interrupted; unfinished tasks went back to the queue`;

const DOCTOR_HELP = `
It changes nothing, takes no download slot, and ends within five seconds. Under what fails stand the cause, one
remedy, and the page that says more.

  √  well      –  could not be asked, or proves nothing
  ‼  it works, but something will hurt (exit code 3)
  ×  it is broken (exit code 1)

Groups: ${GROUPS.join(", ")}

Examples:
  iotda-archiver doctor --config archiver.env
  iotda-archiver doctor --only platform,store --config archiver.env
  iotda-archiver doctor --json --config archiver.env`;

const RUN_HELP = `
With --plan, an export that is not in the plan is skipped and named. So is one
whose revision, holds or records have changed since. No export is made for a
request.

Examples:
  iotda-archiver run --config archiver.env
  iotda-archiver run --max-minutes 14
  iotda-archiver run --plan plan.json`;

const PLAN_HELP = `
A plan is a rehearsal of run: it lists and reads, and takes no download slot.
Each export is shown with what a run would do if nothing else changed.

Examples:
  iotda-archiver plan
  iotda-archiver plan --out plan.json    then: iotda-archiver run --plan plan.json
  iotda-archiver plan --json`;

const NOTIFY_HELP = `
The ping counts as one of a good run. What a receiver answers is not shown; its code is.

Example:
  iotda-archiver notify test --config archiver.env`;

const REPORT_HELP = `
The page lies in the store: reports/latest.html, and reports/<year>/<month>/<day>.html for each night. A night is told once,
however often its report is made, and once more when its verdict got worse. Exit code 3 means that somebody has to look.

Examples:
  iotda-archiver report
  iotda-archiver report --open
  iotda-archiver report --night 2026-11-27 --out night.html`;

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
  const ends: Ends =
    (load, commandIn) =>
    async (...given) =>
      end(await commandIn(await load())(...given));

  command(program, "init", "make an archive at ARCHIVER_STORE, or show which one is there")
    .option("--adopt", "replace the archive that the queue remembers with this one")
    .action(ends(LOAD.init, (its) => its.initCommand));
  command(program, "run", "discover, then archive until nothing is queued or due within 15 minutes")
    .option("--max-minutes <n>", "stop after at most <n> minutes", wholeNumber)
    .option("--plan <file>", "do at most what this plan says, which plan --out wrote within 24 h", fileNameOf)
    .addHelpText("after", RUN_HELP)
    .action(ends(LOAD.archiving, (its) => its.runCommand));
  command(program, "plan", "show what a run would do now about each export, why and when; changes nothing")
    .option("--out <file>", "write the plan to a new file too, for run --plan", fileNameOf)
    .addHelpText("after", PLAN_HELP)
    .action(ends(LOAD.plan, (its) => its.planCommand));
  command(program, "discover", "enqueue every finished export that still needs work, oldest first").action(
    ends(LOAD.archiving, (its) => its.discoverCommand),
  );
  command(program, "archive", "archive the exports that are queued now")
    .option("--max-minutes <n>", "stop after at most <n> minutes", wholeNumber)
    .option("--under-pressure", "archive only when ARCHIVER_PRESSURE or more export slots are used")
    .action(ends(LOAD.archiving, (its) => its.archiveCommand));
  command(program, "request", "ask for an export of a batch task as it is now")
    .argument("<batchTaskId>", "the id of the batch task", batchTaskIdOf)
    .action(ends(LOAD.archiving, (its) => its.requestCommand));
  command(
    program,
    "status",
    "show the export slots used on the platform, the queue, open requests, and the next download slot",
  ).action(ends(LOAD.status, (its) => its.statusCommand));
  command(program, "doctor", "say whether everything is set up right, and what will hurt")
    .option("--only <groups>", "examine these groups, separated by commas", groupsOf)
    .addHelpText("after", DOCTOR_HELP)
    .action(ends(LOAD.doctor, (its) => its.doctorCommand));
  command(
    program,
    "sweep",
    "abort uploads older than a day, and list copies older than a day that no record names",
  )
    .option("--remove-orphans", "remove those copies where the recorded one is there")
    .action(ends(LOAD.archiving, (its) => its.sweepCommand));

  const deadLetters = group(
    "dead-letters",
    "show dead letters, move them back into the queue, or dismiss them",
  );
  command(deadLetters, "list", "show the dead letters and their reasons (the default)", true)
    .option("--limit <n>", "show up to <n> letters", wholeNumber, 100)
    .action(ends(LOAD.deadLetters, (its) => its.listDeadLettersCommand));
  command(
    deadLetters,
    "redrive [ids...]",
    "move dead letters back into the queue; their attempts start again at 0",
  )
    .option("--all", "move every dead letter back")
    .action(
      ends(
        LOAD.deadLetters,
        (its) => async (ids: string[], options: CommonOptions & { all?: true }) =>
          its.redriveCommand(lettersOf(ids, options), options),
      ),
    );
  command(deadLetters, "dismiss <ids...>", "remove dead letters that need no further work")
    .requiredOption("--reason <text>", "why", reasonText)
    .option("--by <name>", "who dismisses them (default: this user)", reasonText)
    .action(ends(LOAD.deadLetters, (its) => its.dismissCommand));

  const retention = group("retention", "apply the retention policy to archived exports");
  command(
    retention,
    "plan",
    "show each archived export's rule, its dates, and what the next runs would do (the default)",
    true,
  ).action(ends(LOAD.retention, (its) => its.planCommand));
  command(
    retention,
    "sweep",
    "lock, tag and record exports that are not as the policy asks, by the catalogue",
  ).action(ends(LOAD.retention, (its) => its.retainSweepCommand));
  command(retention, "expire", "remove archived exports whose retention time is over").action(
    ends(LOAD.retention, (its) => its.expireCommand),
  );

  const hold = group("hold", "keep tasks on the platform and their copies in the store");
  command(hold, "list", "show the current holds (the default)", true).action(
    ends(LOAD.retention, (its) => its.listHoldsCommand),
  );
  command(hold, "add", "hold an export task id, or a glob such as 'night-*'")
    .argument("<pattern>", "export task id or glob, quoted for the shell", holdPattern)
    .requiredOption("--reason <text>", "why", reasonText)
    .option("--by <name>", "who holds them (default: this user)", reasonText)
    .action(ends(LOAD.retention, (its) => its.addHoldCommand));
  command(hold, "remove", "lift the hold on exactly this id or glob")
    .argument("<pattern>", "the id or glob, as hold add got it", holdPattern)
    .requiredOption("--reason <text>", "why", reasonText)
    .option("--by <name>", "who lifts it (default: this user)", reasonText)
    .action(ends(LOAD.retention, (its) => its.removeHoldCommand));

  command(program, "verify", "read archived copies back and compare them with their records")
    .addOption(
      new Option("--sample <percent>", "read a random part, such as 10%")
        .argParser(percentage)
        .default(0.05, "5%")
        .conflicts(["all", "due"]),
    )
    .addOption(new Option("--all", "read every copy").conflicts("due"))
    .option("--due", "read the copies that are due today, as inventory does")
    .action(
      ends(
        LOAD.retention,
        (its) => async (options: VerifyCommandOptions & { due?: true }) =>
          options.due === true
            ? (await LOAD.inventory()).verifyDueCommand(options)
            : its.verifyCommand(options),
      ),
    );
  command(program, "report", "write the report of a night as a page, and tell those in ARCHIVER_NOTIFY")
    .option("--night <date>", "the night that ended on this day (default: the last one)", dateOf)
    .option("--out <file>", "write the page to this file, too", fileNameOf)
    .option("--open", "open the page in a browser")
    .addHelpText("after", REPORT_HELP)
    .action(ends(LOAD.report, (its) => its.reportCommand));
  const notify = group("notify", "try the ways over which the nights are told");
  command(notify, "test", "send one message to each target of ARCHIVER_NOTIFY, and one heartbeat")
    .addHelpText("after", NOTIFY_HELP)
    .action(ends(LOAD.notify, (its) => its.notifyTestCommand));
  addFindingCommands(program, command, ends);
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
