import { Command, Help, Option } from "commander";
import manifest from "../../package.json" with { type: "json" };
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
import { addHelp } from "./help/help.ts";
import type { Result } from "./output.ts";
import { EXIT } from "./process.ts";
import type { VerifyCommandOptions } from "./retention.ts";
import type { CommonOptions } from "./session.ts";
import { wrongUsage } from "./usage.ts";

/** The commands, by file. Each file is loaded when one of its commands is called: asking for help needs none of them. */
const LOAD = {
  archiving: () => import("./archiving.ts"),
  deadLetters: () => import("./dead-letters.ts"),
  doctor: () => import("./doctor.ts"),
  init: () => import("./init.ts"),
  inventory: () => import("./inventory.ts"),
  notify: () => import("./notify.ts"),
  plan: () => import("./plan.ts"),
  probe: () => import("./probe.ts"),
  report: () => import("./report.ts"),
  retention: () => import("./retention.ts"),
  status: () => import("./status.ts"),
};

const ABOUT =
  "Archives finished Huawei Cloud IoTDA exports to storage you own, proves each copy, and only then deletes " +
  "the export task";

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
    .configureHelp({ optionDescription: describedOption })
    .helpCommand("help [command]", "Show the help of a command")
    .version(manifest.version, "--version", "Show the version")
    .configureOutput({ writeErr: (text) => complain(text.replace(/\n$/, "").split("\n")) })
    .exitOverride();
  const command = (parent: Command, words: string, description: string, isDefault = false) =>
    parent.command(words, { isDefault }).description(description);
  const group = (name: string, description: string) =>
    refusingUnknownSubcommands(program.command(name).description(description));
  const ends: Ends =
    (load, commandIn) =>
    async (...given) =>
      end(await commandIn(await load())(...given));

  command(program, "init", "Make an archive at ARCHIVER_STORE, or show which one is there")
    .option("--adopt", "Replace the archive that the queue remembers with this one")
    .option("--yes", "Ask nothing, also at a terminal")
    .action(ends(LOAD.init, (its) => its.initCommand));
  command(program, "run", "Discover, then archive until nothing is queued or due within 15 minutes")
    .option("--max-minutes <n>", "Stop after at most <n> minutes", wholeNumber)
    .option("--plan <file>", "Do at most what this plan says, which plan --out wrote within 24 h", fileNameOf)
    .action(ends(LOAD.archiving, (its) => its.runCommand));
  command(program, "plan", "Show what a run would do now about each export, why and when; changes nothing")
    .option("--out <file>", "Write the plan to a new file too, for run --plan", fileNameOf)
    .action(ends(LOAD.plan, (its) => its.planCommand));
  command(program, "discover", "Enqueue every finished export that still needs work, oldest first").action(
    ends(LOAD.archiving, (its) => its.discoverCommand),
  );
  command(program, "archive", "Archive the exports that are queued now")
    .option("--max-minutes <n>", "Stop after at most <n> minutes", wholeNumber)
    .option("--under-pressure", "Archive only when ARCHIVER_PRESSURE or more export slots are used")
    .action(ends(LOAD.archiving, (its) => its.archiveCommand));
  command(program, "request", "Ask for an export of a batch task as it is now")
    .argument("<batchTaskId>", "The id of the batch task", batchTaskIdOf)
    .action(ends(LOAD.archiving, (its) => its.requestCommand));
  command(
    program,
    "status",
    "Show the export slots used on the platform, the queue, open requests, and the next download slot",
  ).action(ends(LOAD.status, (its) => its.statusCommand));
  command(program, "doctor", "Say whether everything is set up right, and what will hurt")
    .option("--only <groups>", "Examine these groups, separated by commas", groupsOf)
    .action(ends(LOAD.doctor, (its) => its.doctorCommand));
  command(program, "probe", "Ask the platform what its documentation leaves open, and print the answers")
    .option("--live", "Ask; without it the command says what it would ask")
    .option("--batch-task <id>", "Make one export of this batch task, to see how that goes", batchTaskIdOf)
    .option("--yes", "Do not ask for confirmation")
    .action(ends(LOAD.probe, (its) => its.probeCommand));
  command(
    program,
    "sweep",
    "Abort uploads older than a day, and list copies older than a day that no record names",
  )
    .option("--remove-orphans", "Remove those copies where the recorded one is there")
    .action(ends(LOAD.archiving, (its) => its.sweepCommand));

  const deadLetters = group(
    "dead-letters",
    "Show dead letters, move them back into the queue, or dismiss them",
  );
  command(deadLetters, "list", "Show the dead letters and their reasons (the default)", true)
    .option("--limit <n>", "Show up to <n> letters", wholeNumber, 100)
    .action(ends(LOAD.deadLetters, (its) => its.listDeadLettersCommand));
  command(deadLetters, "redrive", "Move dead letters back into the queue; their attempts start again at 0")
    .argument("[ids...]", "The ids, as dead-letters list shows them")
    .option("--all", "Move every dead letter back")
    .action(
      ends(
        LOAD.deadLetters,
        (its) => async (ids: string[], options: CommonOptions & { all?: true }) =>
          its.redriveCommand(lettersOf(ids, options), options),
      ),
    );
  command(deadLetters, "dismiss", "Remove dead letters that need no further work")
    .argument("<ids...>", "The ids, as dead-letters list shows them")
    .requiredOption("--reason <text>", "Why", reasonText)
    .option("--by <name>", "Who dismisses them (default: this user)", reasonText)
    .action(ends(LOAD.deadLetters, (its) => its.dismissCommand));

  const retention = group("retention", "Apply the retention policy to archived exports");
  command(
    retention,
    "plan",
    "Show each archived export's rule, its dates, and what the next runs would do (the default)",
    true,
  ).action(ends(LOAD.retention, (its) => its.planCommand));
  command(
    retention,
    "sweep",
    "Lock, tag and record exports that are not as the policy asks, by the catalogue",
  ).action(ends(LOAD.retention, (its) => its.retainSweepCommand));
  command(retention, "expire", "Remove archived exports whose retention time is over").action(
    ends(LOAD.retention, (its) => its.expireCommand),
  );

  const hold = group("hold", "Keep tasks on the platform and their copies in the store");
  command(hold, "list", "Show the current holds (the default)", true).action(
    ends(LOAD.retention, (its) => its.listHoldsCommand),
  );
  command(hold, "add", "Hold an export task id, or a glob such as 'night-*'")
    .argument("<pattern>", "Export task id or glob, quoted for the shell", holdPattern)
    .requiredOption("--reason <text>", "Why", reasonText)
    .option("--by <name>", "Who holds them (default: this user)", reasonText)
    .action(ends(LOAD.retention, (its) => its.addHoldCommand));
  command(hold, "remove", "Remove the hold on exactly this id or glob")
    .argument("<pattern>", "The id or glob, as hold add got it", holdPattern)
    .requiredOption("--reason <text>", "Why", reasonText)
    .option("--by <name>", "Who removes it (default: this user)", reasonText)
    .action(ends(LOAD.retention, (its) => its.removeHoldCommand));

  command(program, "verify", "Read archived copies back and compare them with their records")
    .addOption(
      new Option("--sample <percent>", "Read a random part, such as 10%")
        .argParser(percentage)
        .default(0.05, "5%")
        .conflicts(["all", "due"]),
    )
    .addOption(new Option("--all", "Read every copy").conflicts("due"))
    .option("--due", "Read the copies that are due today, as inventory does")
    .action(
      ends(
        LOAD.retention,
        (its) => async (options: VerifyCommandOptions & { due?: true }) =>
          options.due === true
            ? (await LOAD.inventory()).verifyDueCommand(options)
            : its.verifyCommand(options),
      ),
    );
  command(program, "report", "Write the report of a night as a page, and tell those in ARCHIVER_NOTIFY")
    .option("--night <date>", "The night that ended on this day (default: the last one)", dateOf)
    .option("--out <file>", "Write the page to this file, too", fileNameOf)
    .option("--open", "Open the page in a browser")
    .action(ends(LOAD.report, (its) => its.reportCommand));
  const notify = group("notify", "Try the ways over which the nights are told");
  command(notify, "test", "Send one message to each target of ARCHIVER_NOTIFY, and one heartbeat").action(
    ends(LOAD.notify, (its) => its.notifyTestCommand),
  );
  addFindingCommands(program, command, ends);
  addHelp(program);
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
    throw wrongUsage(
      all
        ? "--all moves every letter back, so it takes no ids"
        : "name the letters to move back, or give --all",
    );
  }
  return all ? "all" : ids;
}
