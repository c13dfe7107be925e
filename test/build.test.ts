import { execFile } from "node:child_process";
import {
  access,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildAll, buildCommandLine } from "../build.ts";
import { markFolder } from "./end-to-end/archive-marker.ts";

const ROOT = path.join(import.meta.dirname, "..");

const mapSchema = v.looseObject({ sources: v.array(v.string()) });

let folder: string;
let commandLine: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "archiver-build-"));
  // What `npm run build` made, where nothing of the project is near.
  await cp(path.join(ROOT, "dist"), path.join(folder, "dist"), { recursive: true });
  commandLine = path.join(folder, "dist", "cli.mjs");
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { timeout: 240_000, env: { ...process.env, ...env } };
    const child = execFile(program, args, options, (_error, stdout, stderr) => {
      resolve({ exitCode: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

/** A Node on the PATH that is older than this program takes. */
async function findOldNode(): Promise<string | undefined> {
  for (const place of new Set((process.env.PATH ?? "").split(path.delimiter))) {
    const candidate = path.join(place, "node");
    const there = await access(candidate).then(
      () => true,
      () => false,
    );
    if (there && Number(/^v(\d+)/.exec((await start(candidate, ["--version"])).stdout)?.[1] ?? 99) < 24) {
      return candidate;
    }
  }
  return undefined;
}

/** Tells on stderr, when the process ends, which of Node's own modules it loaded. */
const TELL_BUILT_INS =
  "data:text/javascript,process.on('exit', () => console.error(process.moduleLoadList.join('%5Cn')))";

test("no program loads undici when it starts: nothing here uses it", async () => {
  const functions = await readdir(path.join(folder, "dist", "functions"));
  const programs = functions.filter((name) => name.endsWith(".mjs")).map((name) => `functions/${name}`);
  expect(programs.length).toBeGreaterThan(3);
  for (const program of ["cli.mjs", ...programs]) {
    const args = ["--import", TELL_BUILT_INS, path.join(folder, "dist", program), "--help"];
    const { exitCode, stderr } = await start(process.execPath, args);
    expect({ program, exitCode }).toEqual({ program, exitCode: 0 });
    // What `retain` needs of the network it loads at its first call.
    expect(stderr).toContain("NativeModule path\n");
    expect(stderr).not.toContain("undici");
    if (program === "cli.mjs") {
      expect(stderr, "loaded when it is first used").not.toMatch(
        /NativeModule (?:https|tls|child_process)\n/,
      );
    }
  }
});

describe("the command line", () => {
  test("is one executable file with its source map beside it", async () => {
    expect((await stat(commandLine)).mode & 0o111).toBe(0o111);
    const text = await readFile(commandLine, "utf8");
    expect(text.startsWith("#!/usr/bin/env -S node --max-semi-space-size=1 --\n")).toBe(true);
    expect(text.trimEnd().endsWith("sourceMappingURL=cli.mjs.map")).toBe(true);
  });

  test("starts on this Node, away from the project", async () => {
    const ended = await start(process.execPath, [commandLine, "--help"]);
    expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("tells an old Node's user what to install, without a stack trace", async ({ skip }) => {
    const oldNode = await findOldNode();
    if (oldNode === undefined) {
      skip("no Node older than 24 on the PATH to try it with");
      return;
    }
    const { exitCode, stdout, stderr } = await start(oldNode, [commandLine, "--help"]);
    expect(stderr).toMatch(
      /^iotda-archiver needs Node 24\.17 or newer, but this is Node \d+\.\d+\.\d+\. .*\n$/,
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });
});

describe("the command line with a folder and a queue file, and no terminal", () => {
  let named: string;
  beforeAll(async () => {
    named = path.join(folder, "named.mjs");
    await buildCommandLine(ROOT, named, false);
  });

  // Calls of esbuild's wrappers, which are named after the modules they run; Node counts them.
  const coverageSchema = v.object({
    result: v.array(
      v.object({
        functions: v.array(
          v.object({ functionName: v.string(), ranges: v.array(v.object({ count: v.number() })) }),
        ),
      }),
    ),
  });

  /** The modules that were run, from our own sources and from packages. */
  async function modulesRun(...args: string[]): Promise<readonly string[]> {
    const place = await mkdtemp(path.join(folder, "run-"));
    const coverage = path.join(place, "coverage");
    await markFolder(path.join(place, "store"));
    const { exitCode, stderr } = await start(process.execPath, [named, ...args], {
      NODE_V8_COVERAGE: coverage,
      ARCHIVER_IOTDA_ENDPOINT: "http://127.0.0.1:9",
      ARCHIVER_IOTDA_PROJECT_ID: "0123456789abcdef0123456789abcdef",
      HUAWEICLOUD_SDK_AK: "BUILDAK0000000000000",
      HUAWEICLOUD_SDK_SK: "buildSecretKey0123456789abcdefghijklmnopq",
      ARCHIVER_STORE: pathToFileURL(path.join(place, "store")).href,
      ARCHIVER_QUEUE: `sqlite://${path.join(place, "queue.db")}`,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const reports = await Promise.all(
      (await readdir(coverage)).map((file) => readFile(path.join(coverage, file), "utf8")),
    );
    return reports
      .flatMap((report) => v.parse(coverageSchema, JSON.parse(report)).result)
      .flatMap(({ functions }) => functions)
      .filter(({ functionName, ranges }) => /\.[jt]s$/.test(functionName) && ranges[0]?.count !== 0)
      .map(({ functionName }) => functionName);
  }

  const NEEDLESS = /@aws-sdk|@smithy|powertools|wrap-ansi|log-update/;

  test.each([
    [["--version"], "lib/cli/program.ts"],
    [["hold", "add", "night-*", "--reason", "audit"], "lib/store/file-store.ts"],
    [["dead-letters", "list"], "lib/queue/sqlite-queue.ts"],
  ])("%j runs nothing of the AWS SDK, and nothing that draws on a terminal", async (args, needed) => {
    const run = await modulesRun(...args);
    expect(run).toContain(needed);
    expect(run.filter((name) => NEEDLESS.test(name))).toEqual([]);
  });
});

describe("the functions", () => {
  // The report has all texts of its page in two languages, and starts once a day: no export waits for it.
  const MOST_BYTES = new Map([["report.mjs", 850_000]]);

  test("are at most 800,000 bytes each, with their source maps beside them", async () => {
    const built = path.join(folder, "dist", "functions");
    const files = await readdir(built);
    for (const file of files.filter((name) => name.endsWith(".mjs"))) {
      const { size } = await stat(path.join(built, file));
      expect(size, file).toBeLessThanOrEqual(MOST_BYTES.get(file) ?? 800_000);
      expect((await readFile(path.join(built, file), "utf8")).trimEnd()).toMatch(
        new RegExp(`//# sourceMappingURL=${file}\\.map$`),
      );
    }
    expect(files).toEqual(expect.arrayContaining(["archive.mjs", "archive.mjs.map", "discover.mjs"]));
  });

  test("hold neither the mail by SMTP nor the sign-ins of the SDK, and say so where one is asked for", async () => {
    const built = path.join(folder, "dist", "functions");
    for (const file of (await readdir(built)).filter((name) => name.endsWith(".map"))) {
      const { sources } = v.parse(mapSchema, JSON.parse(await readFile(path.join(built, file), "utf8")));
      expect(sources.filter((name) => /nodemailer|\/(?:sso|sso-oidc|signin)\//.test(name))).toEqual([]);
    }
    const config = path.join(folder, "aws-config");
    await writeFile(config, "[profile person]\nlogin_session = arn:aws:iam::123456789012:user/person\n");
    const program = `import { handler } from ${JSON.stringify(pathToFileURL(path.join(built, "discover.mjs")).href)};
      const { failure } = await handler({}, { getRemainingTimeInMillis: () => 60_000 });
      process.stderr.write(JSON.stringify(failure));`;
    const { stderr } = await start(process.execPath, ["--input-type=module", "-e", program], {
      AWS_PROFILE: "person",
      AWS_CONFIG_FILE: config,
      AWS_REGION: "eu-central-1",
      ARCHIVER_IOTDA_ENDPOINT: "https://iotda.cn-north-4.myhuaweicloud.com",
      ARCHIVER_IOTDA_PROJECT_ID: "0123456789abcdef0123456789abcdef",
      HUAWEICLOUD_SDK_AK: "AKAKAKAKAKAK",
      HUAWEICLOUD_SDK_SK: "SKSKSKSKSKSK",
      ARCHIVER_STORE: "s3://bucket",
      ARCHIVER_QUEUE: "https://sqs.eu-central-1.amazonaws.com/123456789012/tasks",
      ARCHIVER_DEAD_LETTER_QUEUE: "https://sqs.eu-central-1.amazonaws.com/123456789012/letters",
    });
    expect(stderr).toContain("the archiver found no credentials for the store");
  });
});

describe("a project made for the test", () => {
  async function makeProject(name: string, files: Record<string, string>): Promise<string> {
    const root = path.join(folder, name);
    await mkdir(path.join(root, "lib"), { recursive: true });
    await cp(path.join(ROOT, "lib/cli"), path.join(root, "lib/cli"), { recursive: true });
    await symlink(path.join(ROOT, "node_modules"), path.join(root, "node_modules"));
    for (const [file, text] of Object.entries({
      "lib/cli/program.ts": "export const run = async () => 0;",
      ...files,
    })) {
      await mkdir(path.dirname(path.join(root, file)), { recursive: true });
      await writeFile(path.join(root, file), text);
    }
    return root;
  }

  test("has one bundle for each function and none for tests; equal sources give equal bytes", async () => {
    const root = await makeProject("functions-project", {
      "functions/hello.ts":
        'import { Command } from "commander"; export const handler = () => [new Command("it").name(), typeof Command];',
      "functions/hello.test.ts": "throw new Error('a test was built');",
    });
    const out = path.join(folder, "functions-out");
    expect(await buildAll(root, out)).toEqual(["functions/hello.mjs", "cli.mjs"]);
    const files = (await readdir(out, { recursive: true })).sort();
    expect(files).toEqual([
      "cli.mjs",
      "cli.mjs.map",
      "functions",
      "functions/hello.mjs",
      "functions/hello.mjs.map",
    ]);

    const bundle = path.join(out, "functions", "hello.mjs");
    // A file and not --eval: that defines a global `require`, which would hide that the bundle lacks one.
    const caller = path.join(folder, "caller.mjs");
    await writeFile(
      caller,
      `process.stdout.write((await import(${JSON.stringify(bundle)})).handler().join());`,
    );
    const ended = await start(process.execPath, [caller]);
    expect(ended).toEqual({ exitCode: 0, stdout: "it,function", stderr: "" });

    const before = await readFile(bundle);
    await buildAll(root, out);
    expect(await readFile(bundle)).toEqual(before);
  });

  test("does not build when the command line imports node:sqlite statically", async () => {
    const root = await makeProject("static-sqlite", {
      "lib/cli/program.ts":
        'import { DatabaseSync } from "node:sqlite"; export const run = async () => DatabaseSync.length;',
    });
    await expect(buildAll(root, path.join(folder, "static-out"))).rejects.toThrow(/node:sqlite statically/);
  });
});
