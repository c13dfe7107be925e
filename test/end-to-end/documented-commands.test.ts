import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createCommandLine } from "../../lib/cli/command-line.ts";
import { HELP_TEXTS } from "../../lib/cli/help/texts.ts";
import { bareEnvironment, type Ended, ROOT, Running } from "./command-line.ts";

/** A command line as a page has it, and as a shell can try it. */
interface Documented {
  readonly page: string;
  readonly written: string;
  readonly line: string;
  /** In a line of text a command may be named without its arguments. */
  readonly isWhole: boolean;
}

const COMMAND = /(?:^|[\s;&])(?:iotda-archiver|node dist\/cli\.mjs) +(?=[a-z])/;
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

/** Stands where a program would be: it tells its words, a line each. */
const TELLS_WORDS = `#!/bin/sh\nprintf '%s\\n' "$@"\n`;
/** Node tells the words of the script it is given. */
const TELLS_WORDS_OF_SCRIPT = '#!/bin/sh\nexec "$@"\n';
/** sudo -u USER COMMAND */
const SUDO = '#!/bin/sh\nshift 2\nexec "$@"\n';

/** Two folders in which a page's commands find programs: the real ones, and those that tell their words. */
let real: string;
let telling: string;

beforeAll(async () => {
  real = await mkdtemp(join(tmpdir(), "archiver-documented-"));
  telling = await mkdtemp(join(tmpdir(), "archiver-documented-"));
  for (const folder of [real, telling]) {
    await Promise.all(["dist", "bin"].map((name) => mkdir(join(folder, name))));
    await writeFile(join(folder, "bin", "sudo"), SUDO, { mode: 0o755 });
  }
  for (const name of ["dist/cli.mjs", "bin/iotda-archiver"]) {
    await symlink(join(ROOT, "dist", "cli.mjs"), join(real, name));
    await writeFile(join(telling, name), TELLS_WORDS, { mode: 0o755 });
  }
  await writeFile(join(telling, "bin", "node"), TELLS_WORDS_OF_SCRIPT, { mode: 0o755 });
  // Whoever runs the tests may have set some.
  for (const name of Object.keys(process.env).filter((one) => /^(?:ARCHIVER|HUAWEICLOUD)_/.test(one))) {
    vi.stubEnv(name, undefined);
  }
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([real, telling].map((folder) => rm(folder, { recursive: true, force: true })));
});

async function documentedLines(): Promise<Documented[]> {
  const names = (await readdir(join(ROOT, "docs"))).filter((name) => name.endsWith(".md"));
  const pages = ["README.md", ...names.sort().map((name) => join("docs", name))];
  const examples = (await readdir(join(ROOT, "examples"))).sort().map((name) => join("examples", name));
  const lines = await Promise.all([...pages.map(linesOfPage), ...examples.map(linesOfExample)]);
  return [...lines.flat(), ...linesOfHelp()];
}

function linesOfHelp(): Documented[] {
  return Object.entries(HELP_TEXTS).flatMap(([words, { examples }]) =>
    examples.map((written) => ({
      page: words === "" ? "--help" : `${words} --help`,
      written,
      isWhole: true,
      line: asTried(written),
    })),
  );
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
  const fenced = [...text.matchAll(FENCED)]
    .flatMap(([, block = ""]) => block.split("\n"))
    .filter((line) => /^(?:sudo|\*|iotda-archiver |node )/.test(line) && COMMAND.test(line));
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
  ].map((one) => ({ ...one, page, line: asTried(one.written) }));
}

/** Without what stands before the command (cron's fields, a check of the disk) and where its output goes. */
function asTried(written: string): string {
  const command = written.replace(/^.*(?:&& |\* +archiver +)(?=iotda-archiver )/, "").replace(/ >.*$/, "");
  return FILLED.reduce(
    (line, [placeholder, filled]) => line.replaceAll(new RegExp(placeholder, "g"), filled),
    command,
  );
}

/** Has a shell run the line with the programs of this folder; none of the files of settings is there. */
function inShell({ line }: Documented, folder: string): Promise<Ended> {
  const environment = bareEnvironment();
  const env = { ...environment, PATH: [join(folder, "bin"), environment.PATH].join(delimiter) };
  return new Running(spawn("sh", ["-c", line], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] }))
    .ended;
}

/** Gives the words of the line to the program's own commands, in this process: what they refuse, and say before. */
async function refusalOf(documented: Documented): Promise<string> {
  const { exitCode, stdout, stderr } = await inShell(documented, telling);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const said: string[] = [];
  const commandLine = createCommandLine(
    (lines) => said.push(...lines),
    (result) => expect.unreachable(`it did something: ${JSON.stringify(result)}`),
  );
  const ended = commandLine.parseAsync(stdout.trimEnd().split("\n"), { from: "user" });
  const refused = await ended.then(() => expect.unreachable("it was not refused"), String);
  return [...said, refused.replace(/^\w+: /, "")].join("\n");
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

/** What is said of a command that is whole, or of one that is named without its arguments. */
function asksForSettings({ isWhole }: Documented): RegExp {
  return isWhole
    ? /^The configuration has /
    : /^The configuration has |^error: (?:missing required argument|required option|name the letters)/;
}

function expectFileLookedFor({ line }: Documented, said: string): void {
  const file = /--(?:config|env-file)[ =]([\w./-]+)/.exec(line)?.[1];
  if (file !== undefined) {
    // The program itself was given the option, and looked for the file.
    expect(said).toContain(`${JSON.stringify(file)}: cannot be read (ENOENT)`);
  }
}

describe("command lines of the documentation are understood, and then lack settings only", () => {
  test.each(DOCUMENTED)("$page: $written", async (documented) => {
    const said = await refusalOf(documented);
    expect(said).toMatch(asksForSettings(documented));
    expectFileLookedFor(documented, said);
  });
});

/** One line for each way in which the pages start the program: Node, for one, takes options of ours for its own. */
const WAYS = new Map(
  DOCUMENTED.map((one) => [one.line.replaceAll(/(?<=iotda-archiver|cli\.mjs) .*/gm, ""), one]),
);

describe.concurrent("each way of starting it reaches the built program", () => {
  test.each([...WAYS])("%s", async (_way, documented) => {
    const { exitCode, stderr } = await inShell(documented, real);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(asksForSettings(documented)),
    });
    expectFileLookedFor(documented, stderr);
  });
});
