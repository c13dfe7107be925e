import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, type TestContext, test } from "vitest";
import { startArchiver } from "./command-line.ts";
import { failureDocumentSchema } from "./documents.ts";

const COMMANDS = [["run"], ["discover"], ["archive"], ["status"]] as const;
const LETTER_COMMANDS = [
  ["dead-letters"],
  ["dead-letters", "list"],
  ["dead-letters", "redrive", "--all"],
] as const;
const STACK_TRACE = /\n\s+at |Error:|node:internal/;

/** Several settings, each wrong in its own way, as an operator may write them. */
const WRONG = {
  ARCHIVER_IOTDA_ENDPOINT: "http://iotda.cn-north-4.myhuaweicloud.com",
  ARCHIVER_IOTDA_PROJECT_ID: "not a project",
  HUAWEICLOUD_SDK_AK: "AKOFTHEOPERATOR00000",
  // The secret key is missing.
  ARCHIVER_STORE: "folder/without/scheme",
  ARCHIVER_QUEUE: "sqlite://relative.db",
  ARCHIVER_DOWNLOAD_INTERVAL_MS: "soon",
  ARCHIVER_DELETE: "yes",
  ARCHIVER_DELTE: "never",
};

async function envFileOf({ onTestFinished }: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-env-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "archiver.env");
  await writeFile(file, text);
  return file;
}

describe.concurrent("settings that cannot work", () => {
  test.each(COMMANDS)(
    "no settings at all: %s names every one that is missing, in one message",
    async (command) => {
      const { exitCode, stdout, stderr } = await startArchiver([command]).ended;
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).toMatch(/^The configuration has 5 problems:\n/);
      for (const name of [
        "ARCHIVER_IOTDA_ENDPOINT",
        "ARCHIVER_IOTDA_PROJECT_ID",
        "HUAWEICLOUD_SDK_AK",
        "ARCHIVER_STORE",
        "ARCHIVER_QUEUE",
      ]) {
        expect(stderr).toMatch(new RegExp(`^  ${name}\\b.*: .+\\. Set .+`, "m"));
      }
      expect(stderr).toMatch(/\nSet them in the environment, or name a file with --config\.\n$/);
      expect(stderr).not.toMatch(STACK_TRACE);
    },
  );

  test.each(LETTER_COMMANDS.map((command) => [command]))("%j asks for the queue alone", async (command) => {
    const { exitCode, stdout, stderr } = await startArchiver(command).ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^The configuration has 1 problem:\n {2}ARCHIVER_QUEUE: .+\nSet them in .+\n$/);
  });

  test("several wrong ones are all told at once, with what to set, and no secret with them", async () => {
    const { exitCode, stdout, stderr } = await startArchiver(["run"], WRONG).ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    const lines = stderr.trimEnd().split("\n");
    expect(lines[0]).toBe("The configuration has 8 problems:");
    const named = lines.slice(1, -1).map((line) => line.trim().split(/[: ]/)[0]);
    expect(named.toSorted()).toEqual([
      "ARCHIVER_DELETE",
      "ARCHIVER_DELTE",
      "ARCHIVER_DOWNLOAD_INTERVAL_MS",
      "ARCHIVER_IOTDA_ENDPOINT",
      "ARCHIVER_IOTDA_PROJECT_ID",
      "ARCHIVER_QUEUE",
      "ARCHIVER_STORE",
      "HUAWEICLOUD_SDK_SK",
    ]);
    expect(stderr).toMatch(/ARCHIVER_DELTE: .*ARCHIVER_DELETE/);
    expect(stderr).not.toContain(WRONG.HUAWEICLOUD_SDK_AK);
    expect(stderr).not.toMatch(STACK_TRACE);
  });

  test("--json prints them as the one document, and for people too", async () => {
    const { exitCode, stdout, stderr } = await startArchiver(["run", "--json"], WRONG).ended;
    expect(exitCode).toBe(2);
    const { failure } = v.parse(failureDocumentSchema, JSON.parse(stdout));
    expect(failure.code).toBe("configuration");
    expect(failure.message).toBe(stderr.trimEnd());
  });

  test("an env file is read, and the environment wins over it", async (context) => {
    const file = await envFileOf(
      context,
      Object.entries({ ...WRONG, ARCHIVER_STORE: "file:///tmp/archive" })
        .map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    );
    const { stderr } = await startArchiver(["run", "--env-file", file], { ARCHIVER_DELETE: "never" }).ended;
    expect(stderr).toMatch(/^The configuration has 6 problems:\n/);
    expect(stderr, "a file was named").not.toContain("Set them in");
    expect(stderr).not.toMatch(/ARCHIVER_STORE|ARCHIVER_DELETE:/);
  });

  test.each([...COMMANDS, ["dead-letters"], ["hold", "list"], ["retention", "plan"], ["verify"]])(
    "%s does not start where no certificate is checked",
    async (...command) => {
      const { exitCode, stdout, stderr } = await startArchiver(command, { NODE_TLS_REJECT_UNAUTHORIZED: "0" })
        .ended;
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).toMatch(/^ {2}NODE_TLS_REJECT_UNAUTHORIZED: is 0, .+ export NODE_EXTRA_CA_CERTS .+$/m);
    },
  );

  test.for(["missing.env", "."])("an env file that cannot be read (%s) is named", async (name, context) => {
    const file = join(await envFileOf(context, "").then((path) => join(path, "..")), name);
    const { exitCode, stdout, stderr } = await startArchiver(["run", "--env-file", file]).ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(file);
    expect(stderr).toMatch(
      /^The configuration has 1 problem:\n {2}--env-file .+: .+\. Give --env-file .+\n$/,
    );
  });
});

// More of it, in one process: lib/cli/program.test.ts.
describe.concurrent("usage", () => {
  test.each([
    [["ruin"], "unknown command 'ruin'"],
    [["dead-letters", "redirve", "3"], "unknown command 'redirve'\n(Did you mean redrive?)"],
  ])("%j is refused with exit 2 and one line that says why", async (args, reason) => {
    const { exitCode, stdout, stderr } = await startArchiver(args).ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^error: .+\n(\(Did you mean .+\)\n)?$/);
    expect(stderr).toContain(reason);
  });

  test("--json has its one document for wrong usage too", async () => {
    const { exitCode, stdout, stderr } = await startArchiver(["run", "--jsno", "--json"]).ended;
    expect(exitCode).toBe(2);
    const { failure } = v.parse(failureDocumentSchema, JSON.parse(stdout));
    expect(failure).toMatchObject({ code: "usage", message: expect.stringContaining("--jsno") });
    expect(stderr).toContain("--jsno");
  });

  test("no command at all shows the help and is wrong usage", async () => {
    const { exitCode, stdout, stderr } = await startArchiver([]).ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: iotda-archiver /);
  });

  test.each([
    [["--help"], / run [\s\S]* discover [\s\S]* archive [\s\S]* status [\s\S]* dead-letters /],
    [["--version"], /^\d+\.\d+\.\d+\n$/],
  ])("%j is answered on stdout, exit 0", async (args, text) => {
    const { exitCode, stdout, stderr } = await startArchiver(args).ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(text);
  });
});
