import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bareEnvironment, type Ended, ROOT, Running } from "./command-line.ts";

/** A command line as a page has it, and as a shell can try it. */
interface Documented {
  readonly page: string;
  readonly written: string;
  readonly line: string;
  /** In a line of text a command may be named without its arguments. */
  readonly isWhole: boolean;
}

const COMMAND = /(?:^|[\s;&])(?:(?:iotda-)?archiver|node dist\/cli\.mjs) +(?=[a-z])/;
/** The shell function that the runbook's own commands need. */
const SHELL_FUNCTION = /^archiver\(\).*$/m;
const FENCED = /^```.*?\n(.*?)^```/gms;
/** A command as cron and systemd have it. */
const SCHEDULED = /(?: archiver {2}|^ExecStart=\/usr\/local\/bin\/)(iotda-archiver .+)$/gm;
const COMMAND_TABLE = /^\| command \|.*\n\|[-|]+\n((?:\|.*\n)+)/m;
/** What would stand at a placeholder. */
const FILLED: readonly (readonly [RegExp, string])[] = [
  [/<id …>|<(?:export|batch) task id>|\{(?:export|batch) task id\}/g, "bad-01"],
  [/<file>/g, "file.zip"],
  [/<text>/g, "why"],
  [/--reason …/g, "--reason why"],
  [/ …$/, ""],
  [/[[\]]/g, ""],
];

/** Where a page's commands look for programs and files; none of the files of settings is there. */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "archiver-documented-"));
  await Promise.all(["dist", "bin"].map((name) => mkdir(join(folder, name))));
  await symlink(join(ROOT, "dist", "cli.mjs"), join(folder, "dist", "cli.mjs"));
  await symlink(join(ROOT, "dist", "cli.mjs"), join(folder, "bin", "iotda-archiver"));
  // sudo -u USER COMMAND
  await writeFile(join(folder, "bin", "sudo"), '#!/bin/sh\nshift 2\nexec "$@"\n');
  await chmod(join(folder, "bin", "sudo"), 0o755);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function documentedLines(): Promise<Documented[]> {
  const names = (await readdir(join(ROOT, "docs"))).filter((name) => name.endsWith(".md"));
  const pages = ["README.md", ...names.sort().map((name) => join("docs", name))];
  const examples = (await readdir(join(ROOT, "examples"))).sort().map((name) => join("examples", name));
  const lines = await Promise.all([...pages.map(linesOfPage), ...examples.map(linesOfExample)]);
  return lines.flat();
}

async function linesOfExample(page: string): Promise<Documented[]> {
  const text = await readFile(join(ROOT, page), "utf8");
  return [...text.matchAll(SCHEDULED)].map(([, written = ""]) => ({
    page,
    written,
    isWhole: true,
    line: asTried(written.replaceAll("\\%", "%")),
  }));
}

async function linesOfPage(page: string): Promise<Documented[]> {
  const text = await readFile(join(ROOT, page), "utf8");
  const setUp = SHELL_FUNCTION.exec(text)?.[0] ?? "";
  const fenced = [...text.matchAll(FENCED)]
    .flatMap(([, block = ""]) => block.split("\n"))
    .filter((line) => /^(?:sudo|\*|archiver |iotda-archiver |node )/.test(line) && COMMAND.test(line));
  const prose = text.replaceAll(FENCED, "");
  const spans = [...prose.matchAll(/`([^`]+)`/g)]
    .map(([, span = ""]) => span.replaceAll("\n", " "))
    .filter((span) => COMMAND.test(span));
  const [, table = ""] = COMMAND_TABLE.exec(prose) ?? [];
  const rows = [...table.matchAll(/^\| (.*?) \|/gm)];
  const cells = rows.flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`-][^`]*)`/g)]);
  return [
    ...fenced.map((line) => ({ written: line, isWhole: true })),
    ...spans.map((line) => ({ written: line, isWhole: false })),
    ...cells.map(([, words = ""]) => ({ written: `iotda-archiver ${words}`, isWhole: false })),
  ].map((one) => ({ ...one, page, line: `${setUp}\n${asTried(one.written)}` }));
}

/** Without what stands before the command (cron's fields, a check of the disk) and where its output goes. */
function asTried(written: string): string {
  const command = written.replace(/^.*(?:&& |\* +archiver +)(?=iotda-archiver )/, "").replace(/ >>.*$/, "");
  return FILLED.reduce(
    (line, [placeholder, filled]) => line.replaceAll(new RegExp(placeholder, "g"), filled),
    command,
  );
}

function tried({ line }: Documented): Promise<Ended> {
  const environment = bareEnvironment();
  const env = { ...environment, PATH: [join(folder, "bin"), environment.PATH].join(delimiter) };
  return new Running(spawn("sh", ["-c", line], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] }))
    .ended;
}

const DOCUMENTED = await documentedLines();

test("commands are found on the pages", () => {
  expect(DOCUMENTED.filter(({ isWhole }) => isWhole).length).toBeGreaterThanOrEqual(7);
  expect(DOCUMENTED.map(({ page }) => page)).toEqual(
    expect.arrayContaining([
      "README.md",
      "docs/deploy.md",
      "docs/retention.md",
      "docs/runbook.md",
      "examples/iotda-archiver.cron",
      "examples/iotda-archiver.service",
    ]),
  );
});

describe.concurrent("command lines of the documentation reach the program, which then asks for settings", () => {
  test.each(DOCUMENTED)("$page: $written", async (documented) => {
    const { exitCode, stderr } = await tried(documented);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(
        documented.isWhole
          ? /^The configuration has /
          : /^The configuration has |^error: (?:missing required argument|required option|name the letters)/,
      ),
    });
    const file = /--(?:config|env-file)[ =]([\w./-]+)/.exec(documented.line)?.[1];
    if (file !== undefined) {
      // The program itself was given the option, and looked for the file.
      expect(stderr).toContain(`${JSON.stringify(file)}: cannot be read (ENOENT)`);
    }
  });
});
