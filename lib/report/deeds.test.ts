import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { describe, expect, test } from "vitest";
import { createCommandLine } from "../cli/command-line.ts";
import { type Deed, deedOf, NO_RUN_DEED, RUNBOOK_SECTIONS, shellWord } from "./deeds.ts";
import type { Finding } from "./night.ts";
import { EVERY_FINDING } from "./testing/every-finding.ts";

const ID = "5f2d9c3a1b2c3d4e5f6a7b8c";
const givenUp = (reason: string, exportTaskId = ID): Finding => ({
  kind: "given-up",
  reason,
  exportTaskId,
  atMs: 0,
  batchTaskId: "fleet-1",
});

test("each section is a heading of the runbook", async () => {
  const runbook = await readFile(new URL("../../docs/runbook.md", import.meta.url), "utf8");
  const anchors = [...runbook.matchAll(/^#{2,4} (.+)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(" ", "-"),
  );
  expect(RUNBOOK_SECTIONS.filter((section) => !anchors.includes(section))).toEqual([]);
});

/** The words of a command line as a shell would give them to the program; our own quoting is all that it has. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'[^']*'|[^\s']+/g)].map(([word]) => word.replaceAll("'", ""));
}

/** Whether the program has such a command with such options. */
function isCommand(line: string): boolean {
  const [program, ...words] = wordsOf(line);
  let command = createCommandLine(
    () => undefined,
    () => undefined,
  );
  while (command.commands.some((one) => one.name() === words[0])) {
    const name = words.shift();
    command = command.commands.find((one) => one.name() === name) ?? command;
  }
  const options = command.options.map(({ long, required }) => [
    (long ?? "").slice(2),
    { type: required ? "string" : "boolean" } as const,
  ]);
  const { positionals } = parseArgs({
    args: words,
    options: Object.fromEntries(options),
    allowPositionals: true,
    strict: true,
  });
  const { length } = command.registeredArguments;
  return program === "iotda-archiver" && command.commands.length === 0 && positionals.length <= length;
}

test.each(EVERY_FINDING.map((finding) => [finding.kind, finding] as const))(
  "what is to be typed about %s is a command of the program",
  (_kind, finding) => {
    const { commands } = deedOf(finding, { exports: [] });
    expect(commands.filter((command) => !isCommand(command))).toEqual([]);
  },
);

test("where it is not known which export is missing, those that were made are listed", () => {
  const missing: Finding = { kind: "expected-missing", rule: "nightly", expected: 4, found: 1, byMs: 0 };
  expect(deedOf(missing, { exports: [] }).commands).toEqual(["iotda-archiver list --since 2d"]);
});

test("what is to be typed after a night without a run is a command of the program", () => {
  expect(NO_RUN_DEED.commands.map(isCommand)).toEqual([true]);
});

describe("what to do about", () => {
  const again = `iotda-archiver dead-letters redrive ${ID}`;
  const list = "iotda-archiver dead-letters list";
  const dismiss = `iotda-archiver dead-letters dismiss --reason 'asked for again' ${ID}`;

  test.each<[string, Finding, Deed]>([
    [
      "an export that the platform could not make",
      givenUp("export-failed"),
      { section: "export-failed", commands: [dismiss, "iotda-archiver request fleet-1"] },
    ],
    [
      "an export that failed too often",
      givenUp("max-attempts"),
      { section: "max-attempts", commands: [again] },
    ],
    [
      "an export that takes longer than a run",
      givenUp("too-large-for-run"),
      { section: "too-large-for-run", commands: [again, "iotda-archiver run"] },
    ],
    ["a file that is not an export", givenUp("not-accepted"), { section: "not-accepted", commands: [list] }],
    ["a reason of a later version", givenUp("eaten"), { section: "dead-letter-reasons", commands: [list] }],
    ["a reason from a prototype", givenUp("toString"), { section: "dead-letter-reasons", commands: [list] }],
    [
      "a letter about something that is not an id",
      givenUp("max-attempts", "$(reboot)"),
      { section: "max-attempts", commands: [list] },
    ],
    [
      "a failure with a section of its own",
      {
        kind: "system-failing",
        runs: 2,
        sinceMs: 0,
        failure: { code: "no-archive", message: "", hint: "" },
      },
      { section: "no-archive", commands: ["iotda-archiver status"] },
    ],
  ])("%s", (_name, finding, deed) => {
    expect(deedOf(finding, { exports: [] })).toEqual(deed);
  });

  const near: Finding = { kind: "loss-near", exportTaskId: ID, lossFromMs: 0, held: 47, limit: 50 };
  test.each([
    ["waiting", ["iotda-archiver run"]],
    ["given-up", [again, "iotda-archiver run"]],
  ] as const)("a loss that is near, of an export that is %s", (standing, commands) => {
    const exports = [{ exportTaskId: ID, standing, attempts: 1 }];
    expect(deedOf(near, { exports }).commands).toEqual(commands);
  });

  test("a lost export: its batch task is asked for another one, where it is known", () => {
    const lost: Finding = { kind: "lost", exportTaskId: ID, atMs: 0 };
    const exports = [
      { exportTaskId: ID, standing: "given-up", attempts: 1, batchTaskId: "fleet-1" },
    ] as const;
    expect(deedOf(lost, { exports }).commands).toEqual(["iotda-archiver request fleet-1", dismiss]);
    const [one] = exports;
    expect(deedOf(lost, { exports: [{ ...one, batchTaskId: "no id" }] }).commands).toEqual([dismiss]);
  });
});

test.each([
  ["5f2d-a_B", "5f2d-a_B"],
  ["", "''"],
  ["a b", "'a b'"],
  ["$(reboot)", "'$(reboot)'"],
  ["it's", "'it'\\''s'"],
  ["-rf", "'-rf'"],
  ["~root", "'~root'"],
  ["a\\u0007", "'a\\u0007'"],
])("%j is the shell word %s", (text, word) => {
  expect(shellWord(text)).toBe(word);
});
