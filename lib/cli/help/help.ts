import { type Command, type Help, Option } from "commander";
import { HELP_TEXTS } from "./texts.ts";

/** What the help of a command says beyond its summary and its options. */
export interface HelpText {
  /** Paragraphs below the summary. */
  readonly more?: readonly string[];
  /** A list below the options, such as the states of an export. */
  readonly list?: HelpList;
  /** Only of commands for which the codes mean more than the list of the program's own help says. */
  readonly exitCodes?: HelpRows;
  /** Whole lines for a shell. What an example does follows it as a comment of the shell. */
  readonly examples: readonly string[];
}

/** What is explained, and how. */
export type HelpRows = readonly (readonly [term: string, meaning: string])[];

export interface HelpList {
  readonly heading: string;
  readonly rows: HelpRows;
}

/** As wide as a terminal usually is: where the width is not known, no line is wider. */
const USUAL_COLUMNS = 80;

const SETTINGS_OPTIONS = "Options of every command:";

/** Gives every command its help, and those that do something the options of every command. */
export function addHelp(command: Command, path: readonly string[] = []): void {
  const { more = [], list, exitCodes, examples } = helpTextOf(path);
  const summary = command.description();
  command
    .summary(summary)
    .description([`${summary}.`, ...more].join("\n\n"))
    .helpOption("-h, --help", "Show this help")
    .addHelpText("after", () =>
      [
        list && listOf(command, list),
        exitCodes && listOf(command, { heading: "Exit codes:", rows: exitCodes }),
        ["Examples:", ...examples.map((line) => `  ${line}`)].join("\n"),
      ]
        .filter((part) => part !== undefined)
        .map((part) => `\n${part}`)
        .join("\n"),
    );
  if (command.commands.length === 0) {
    addSettingsOptions(command);
  }
  for (const one of command.commands) {
    addHelp(one, [...path, one.name()]);
  }
}

function helpTextOf(path: readonly string[]): HelpText {
  const text = HELP_TEXTS[path.join(" ")];
  if (text === undefined) {
    throw new Error(`There is no help for the command "${path.join(" ")}".`);
  }
  return text;
}

function addSettingsOptions(command: Command): void {
  const options = [
    new Option("--config <file>", "Read settings from this file; the environment wins over it"),
    new Option("--env-file <file>", "An older spelling of --config, which 'node FILE' takes for Node's own"),
    new Option("--json", "Print exactly one JSON document on stdout"),
  ];
  for (const option of options) {
    command.addOption(option.helpGroup(SETTINGS_OPTIONS));
  }
}

/** As commander lays out its options. */
function listOf(command: Command, { heading, rows }: HelpList): string {
  const helper: Help = command.createHelp();
  helper.helpWidth = command.configureOutput().getOutHelpWidth?.() ?? USUAL_COLUMNS;
  const widest = Math.max(...rows.map(([term]) => term.length));
  return [heading, ...rows.map(([term, meaning]) => helper.formatItem(term, widest, meaning, helper))].join(
    "\n",
  );
}
