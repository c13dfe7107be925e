import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, type TestContext, test } from "vitest";

const ROOT = path.join(import.meta.dirname, "../..");
const FILLED_IN = [
  "--param=iotdaProjectId=0a1b2c3d4e5f60718293a4b5c6d7e8f9",
  "--param=alarmEmail=night.shift@factory.de",
];

/** What `npm run package` runs, in a copy of the project: it writes dist/ and .serverless/. */
async function packaging(context: TestContext, ...args: readonly string[]) {
  return await packagingWith(context, {}, ...args);
}

async function packagingWith(
  { onTestFinished }: TestContext,
  variables: Readonly<Record<string, string>>,
  ...args: readonly string[]
) {
  const folder = await mkdtemp(path.join(tmpdir(), "archiver-deploy-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const part of ["deploy", "functions", "lib", "build.ts", "package.json", "serverless.yml"]) {
    await cp(path.join(ROOT, part), path.join(folder, part), { recursive: true });
  }
  await symlink(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  const closed = "http://127.0.0.1:9";
  const env = {
    PATH: process.env.PATH,
    HOME: path.join(folder, "empty-home"),
    HTTPS_PROXY: closed,
    HTTP_PROXY: closed,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    SLS_SCHEMA_CACHE_BASE_DIR: process.env.SLS_SCHEMA_CACHE_BASE_DIR,
    ...variables,
  };
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(folder, "deploy/main.ts"), "package", ...args],
    { cwd: folder, env, encoding: "utf8" },
  );
  return { status, stdout, stderr, files: await readdir(folder) };
}

test("a stage with problems is refused before anything is built, in one message", async (context) => {
  const wrong = ["deletion=Never", "nightHours=22-4", "expireAt=99 2"].map((param) => `--param=${param}`);
  const { status, stdout, stderr, files } = await packaging(context, "--stage", "tset", ...wrong);
  expect(status).toBe(2);
  expect(stdout).toBe("");
  for (const said of [
    "6 problems",
    '"tset"',
    "deletion",
    "nightHours",
    "expireAt",
    "iotdaProjectId",
    "alarmEmail",
  ]) {
    expect(stderr).toContain(said);
  }
  expect(files).not.toContain("dist");
  expect(files).not.toContain(".serverless");
});

test("nothing is deployed where no certificate is checked", async (context) => {
  const unchecked = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
  const args = ["--stage", "prod", ...FILLED_IN];
  const { status, stdout, stderr, files } = await packagingWith(context, unchecked, ...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/^ {2}NODE_TLS_REJECT_UNAUTHORIZED: is 0, .+ Remove it\. .+ NODE_EXTRA_CA_CERTS/m);
  expect(files).not.toContain("dist");
});

test("a stage that is right is told in words, built and packaged", async (context) => {
  const { status, stdout, stderr, files } = await packaging(context, "--stage", "prod", ...FILLED_IN);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^Stage prod:\n {2}stack +iotda-archiver-prod in eu-central-1\n/);
  expect(stderr).toContain("Service packaged");
  expect(stdout).toMatch(
    /^Packaged 7 functions and the template of the stack in \.serverless\/, \d\.\d\d MiB in all:\n {2}archive\.zip +\d+ KiB\n/m,
  );
  expect(files).toEqual(expect.arrayContaining(["dist", ".serverless"]));
});

test("npm runs it", async () => {
  const { default: manifest } = await import("../../package.json", { with: { type: "json" } });
  expect(manifest.scripts).toMatchObject({
    package: "node deploy/main.ts package",
    deploy: "node deploy/main.ts deploy",
  });
});
