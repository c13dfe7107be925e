import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { createCommandLine } from "../command-line.ts";
import { HELP_TEXTS } from "./texts.ts";

const PROGRAM = createCommandLine(
  () => undefined,
  () => undefined,
);
const COMMANDS = withPaths(PROGRAM);

function withPaths(command: Command, path: readonly string[] = []): { path: string; command: Command }[] {
  const below = command.commands.flatMap((one) => withPaths(one, [...path, one.name()]));
  return [{ path: path.join(" "), command }, ...below];
}

function helpOf(command: Command): string {
  let said = "";
  command.configureOutput({
    getOutHelpWidth: () => 80,
    writeOut: (text) => {
      said += text;
    },
  });
  command.outputHelp();
  return said;
}

test("every help belongs to a command", () => {
  expect(Object.keys(HELP_TEXTS).sort()).toEqual(COMMANDS.map(({ path }) => path).sort());
});

describe.each(COMMANDS)("the help of '$path'", ({ path, command }) => {
  const help = helpOf(command);

  test("fits a terminal of 80 columns", () => {
    expect(help.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("says what the command does, and ends with examples of it", () => {
    const [usage, description] = help.split("\n\n");
    expect(usage).toMatch(/^Usage: iotda-archiver/);
    expect(description).toMatch(/^[A-Z](?:.|\n)*\.$/);
    const [, examples = ""] = /\n\nExamples:\n((?: {2}iotda-archiver .+\n)+)$/.exec(help) ?? [];
    expect(examples).toContain(`iotda-archiver ${path}`);
  });

  test("describes every argument and option in sentences, with what is required", () => {
    const { options, registeredArguments } = command;
    for (const { description } of [...options, ...registeredArguments, ...command.commands.map(summaryOf)]) {
      expect(description).toMatch(/^[A-Z].*[^.]$/);
    }
    expect(help.match(/\(required\)/g) ?? []).toHaveLength(options.filter((one) => one.mandatory).length);
  });
});

function summaryOf(command: Command): { readonly description: string } {
  return { description: command.summary() };
}

test("exit codes, states and marks are laid out as options are", () => {
  expect(HELP_TEXTS.doctor?.exitCodes).toBeDefined();
  const doctor = COMMANDS.find(({ path }) => path === "doctor");
  expect(doctor && helpOf(doctor.command)).toContain(`Marks:
  √  It is well
  –  It could not be asked, or proves nothing
  ‼  It works, but something will hurt
  ×  It is broken

Exit codes:
  0  All is well
  1  Something is broken
  3  It works, but something will hurt

Examples:
  iotda-archiver doctor --config archiver.env
`);
});
