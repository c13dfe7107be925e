import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, type TestContext, test } from "vitest";

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
    /^Packaged 8 functions and the template of the stack in \.serverless\/, \d\.\d\d MiB in all:\n {2}archive\.zip +\d+ KiB\n/m,
  );
  expect(files).toEqual(expect.arrayContaining(["dist", ".serverless"]));
});

/** A deployment whose program deploys nothing, and calls functions that answer so. */
async function deploying(answer: string, exitCode = 0) {
  const folder = await mkdtemp(path.join(tmpdir(), "archiver-deploy-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const part of ["deploy", "lib", "package.json"]) {
    await cp(path.join(ROOT, part), path.join(folder, part), { recursive: true });
  }
  await writeFile(path.join(folder, "build.ts"), "");
  const modules = path.join(folder, "node_modules");
  await mkdir(path.join(modules, "serverless/bin"), { recursive: true });
  for (const name of await readdir(path.join(ROOT, "node_modules"))) {
    if (name !== "serverless") {
      await symlink(path.join(ROOT, "node_modules", name), path.join(modules, name));
    }
  }
  const program = `
    const [command, ...words] = process.argv.slice(2);
    if (command === "invoke") {
      process.stderr.write(words.join(" ") + "\\n");
      process.stdout.write(process.env.ANSWER);
      process.exitCode = Number(process.env.ENDS_WITH);
    }`;
  await writeFile(path.join(modules, "serverless/bin/serverless.js"), program);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(folder, "deploy/main.ts"), "deploy", "--stage", "prod", ...FILLED_IN],
    { cwd: folder, env: { ...process.env, ANSWER: answer, ENDS_WITH: String(exitCode) }, encoding: "utf8" },
  );
  return { status, stdout, stderr };
}

const CHECK = { group: "store", id: "store-lifecycle", text: "a rule", documentation: "docs/runbook.md#x" };
const answerOf = (verdict: string, check: object) =>
  JSON.stringify({ verdict, checks: [{ ...CHECK, ...check }], left: [] });

test.each([
  ["what works ends it with 0", "well", { status: "well" }, 0, "All is well. 1 √"],
  ["what will hurt ends it with 0", "hurts", { status: "hurts", remedy: "Do it." }, 0, "→ Do it."],
  ["what is broken ends it with 1", "broken", { status: "broken", remedy: "Mend it." }, 1, "→ Mend it."],
])("a deployment ends with the doctor: %s", async (_what, verdict, check, exitCode, said) => {
  const { status, stdout, stderr } = await deploying(answerOf(verdict, check));
  expect({ status, stderr }).toMatchObject({ status: exitCode });
  expect(stdout).toContain(said);
  expect(stderr).toContain(
    "--function doctor --stage prod --param=iotdaProjectId=0a1b2c3d4e5f60718293a4b5c6d7e8f9",
  );
});

test.each([
  ["it cannot be called", answerOf("well", { status: "well" }), 1],
  ["its answer is not JSON", "Internal error", 0],
  ["its answer is of something else", '{"errorMessage":"Runtime exited"}', 0],
])("where %s, the deployment is done and says that it was not examined", async (_what, answer, exitCode) => {
  const { status, stdout } = await deploying(answer, exitCode);
  expect(status).toBe(1);
  expect(stdout).toContain("The deployment is done. Whether it works is not known yet.");
  expect(stdout).toContain("npx serverless invoke --function doctor --stage prod");
});

test("npm runs it", async () => {
  const { default: manifest } = await import("../../package.json", { with: { type: "json" } });
  expect(manifest.scripts).toMatchObject({
    package: "node deploy/main.ts package",
    deploy: "node deploy/main.ts deploy",
  });
});
