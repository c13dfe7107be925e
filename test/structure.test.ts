import { glob, readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { problemsOfGlobals } from "./structure/globals.ts";
import {
  importSpecifiers,
  isPolicy,
  problemsOfImports,
  problemsOfLength,
  problemsOfTimeLimits,
  problemsOfWords,
  type SourceFile,
} from "./structure/rules.ts";
import { problemsOfTestPlaces } from "./structure/test-places.ts";

const ROOT = path.join(import.meta.dirname, "..");

async function readSources(pattern: string): Promise<SourceFile[]> {
  const files: string[] = [];
  for await (const file of glob(pattern, { cwd: ROOT })) {
    files.push(file.replaceAll(path.sep, "/"));
  }
  return Promise.all(
    files.sort().map(async (file) => ({ file, text: await readFile(path.join(ROOT, file), "utf8") })),
  );
}

/** Tests, and what only tests import, may reach across layers. */
function isProduct({ file }: SourceFile): boolean {
  return !file.endsWith(".test.ts") && !file.includes("/testing/");
}

describe("the sources", () => {
  let all: SourceFile[];
  let product: SourceFile[];
  let pages: SourceFile[];
  beforeAll(async () => {
    pages = await readSources("{*,{docs,bench,sandbox,examples,deploy}/**/*}.md");
    all = await readSources("{deploy,functions,lib,sandbox,test,bench}/**/*.ts");
    product = (await readSources("{deploy,functions,lib,sandbox}/**/*.ts")).filter(isProduct);
  });

  test("are found", () => {
    expect(product.map(({ file }) => file)).toContain("lib/domain/errors.ts");
    expect(pages.map(({ file }) => file)).toEqual(expect.arrayContaining(["README.md", "docs/runbook.md"]));
    expect(product.filter(({ file }) => isPolicy(file)).length).toBeGreaterThan(5);
  });

  test("import downwards only", () => {
    expect(product.flatMap(problemsOfImports)).toEqual([]);
  });

  test("leave the world to the ports, where they are policy", async () => {
    const policy = product.filter(({ file }) => isPolicy(file));
    expect((await Promise.all(policy.map(problemsOfGlobals))).flat()).toEqual([]);
  });

  test("have no time limit that may be collected before it comes", () => {
    expect(product.flatMap(problemsOfTimeLimits)).toEqual([]);
  });

  test("import from testing/ in tests only", () => {
    const leaks = product.flatMap(({ file, text }) =>
      importSpecifiers(text)
        .filter((specifier) => specifier.includes("testing/"))
        .map((specifier) => `${file}: ${specifier}`),
    );
    expect(leaks).toEqual([]);
  });

  test("read JSON in one place, which bounds its depth", () => {
    const others = product.filter(
      ({ file, text }) =>
        /^(?:lib|functions)\//.test(file) &&
        !file.includes("/testing/") &&
        file !== "lib/domain/json.ts" &&
        /\bJSON\.parse\b|\bv\.parseJson\b/.test(text),
    );
    expect(others.map(({ file }) => file)).toEqual([]);
  });

  test("use words that a reader of English expects", () => {
    // Here the words stand to be refused.
    const allowed = new Set(["test/structure/rules.ts", "test/structure.test.ts"]);
    const judged = [...all, ...pages].filter(({ file }) => !allowed.has(file));
    expect(judged.flatMap(problemsOfWords)).toEqual([]);
  });

  test("have their tests where CONTRIBUTING.md says", () => {
    const files = new Set(all.map(({ file }) => file));
    expect(all.flatMap((source) => problemsOfTestPlaces(source, files))).toEqual([]);
  });

  test("are short", () => {
    expect(all.flatMap(problemsOfLength)).toEqual([]);
  });
});

describe("the import rule", () => {
  const refused: readonly (readonly [string, string, string])[] = [
    [
      "lib/store/file.ts",
      'import {\n  a, // it\'s "odd" (=)\n} from "../observability/log.ts";',
      "observability is passed in",
    ],
    ["lib/archive/gate.ts", 'import { S3Store } from "../store/s3.ts";', "lib/archive is below lib/store"],
    [
      "lib/archive/gate.ts",
      'import type { Options } from "../iotda/options.ts";',
      "lib/archive is below lib/iotda",
    ],
    [
      "lib/pacing/pacer.ts",
      'import { readConfiguration } from "../config/configuration.ts";',
      "is below lib/config",
    ],
    ["lib/records/records.ts", 'export * from "../queue/codec.ts";', "lib/records is below lib/queue"],
    [
      "lib/records/records.ts",
      'const late = await import("../queue/codec.ts");',
      "lib/records is below lib/queue",
    ],
    [
      "lib/records/records.ts",
      'type Late = import("../queue/codec.ts").Codec;',
      "lib/records is below lib/queue",
    ],
    ["lib/store/file.ts", 'import { x } from "../queue/sqlite.ts";', "may not know each other"],
    ["lib/queue/sqs.ts", 'import { x } from "../iotda/signing.ts";', "may not know each other"],
    ["lib/iotda/client.ts", 'import "../config/secret.ts";', "lib/iotda is below lib/config"],
    ["lib/config/wiring.ts", 'import { run } from "../cli/program.ts";', "lib/config is below lib/cli"],
    ["functions/archive.ts", 'import { run } from "../lib/cli/program.ts";', "may not know each other"],
    [
      "lib/cli/program.ts",
      'import { handler } from "../../functions/archive.ts";',
      "may not know each other",
    ],
    ["lib/domain/errors.ts", 'import { Clock } from "../ports/clock.ts";', "lib/domain is below lib/ports"],
    [
      "lib/retention/expire.ts",
      'import { gate } from "../archive/gate.ts";',
      "lib/retention and lib/archive are of one layer and may not know each other",
    ],
    ["lib/run/errors.ts", 'import { x } from "../archive/errors.ts";', "lib/run is below lib/archive"],
    ["lib/integrity/zip.ts", 'import { x } from "../archive/copy.ts";', "lib/integrity is below lib/archive"],
    [
      "lib/archive/run.ts",
      'import type { Log } from "../observability/log.ts";',
      "observability is passed in",
    ],
    [
      "lib/store/file.ts",
      'import {\n  type Log,\n} from "../observability/log.ts";',
      "observability is passed in",
    ],
    [
      "lib/archive/run.ts",
      'import { readFile } from "node:fs/promises";',
      "policy acts through its ports only",
    ],
    [
      "lib/archive/run.ts",
      'import { DatabaseSync } from "node:sqlite";',
      "policy acts through its ports only",
    ],
    ["lib/archive/run.ts", 'import http from "http";', "policy acts through its ports only"],
    ["lib/archive/run.ts", 'import process from "node:process";', "policy acts through its ports only"],
    [
      "lib/pacing/pacer.ts",
      'import { setTimeout } from "node:timers/promises";',
      "policy acts through its ports only",
    ],
    ["lib/archive/run.ts", 'import { request } from "some-package";', "policy uses no package but valibot"],
    ["sandbox/server.ts", 'import { sdkDate } from "../lib/iotda/signing.ts";', "shares no code"],
    ["lib/archive/run.ts", 'import { start } from "../../sandbox/start.ts";', "not part of the product"],
    ["lib/archive/run.ts", 'import { World } from "../../test/world/world.ts";', "not part of the product"],
    ["lib/newcomer/new.ts", 'import { x } from "../domain/errors.ts";', "lib/newcomer has no layer"],
  ];
  test.each(refused)("refuses in %s: %s", (file, text, problem) => {
    expect(problemsOfImports({ file, text })).toEqual([expect.stringContaining(problem)]);
  });

  const allowed: readonly (readonly [string, string])[] = [
    ["functions/archive.ts", 'import { wire } from "../lib/config/wiring.ts";'],
    ["lib/cli/program.ts", 'import type { RunReport } from "../records/schemas.ts";'],
    ["lib/config/wiring.ts", 'import { IotdaClient } from "../iotda/client.ts";'],
    [
      "lib/iotda/client.ts",
      'import { Agent } from "some-package"; import { x } from "../records/schemas.ts";',
    ],
    ["lib/archive/run.ts", 'import { x } from "../records/records.ts"; import { y } from "./gate.ts";'],
    ["lib/archive/run.ts", 'import * as v from "valibot"; import { createHash } from "node:crypto";'],
    [
      "lib/archive/run.ts",
      '// import { x } from "../store/s3.ts";\n/**\n * import { x } from "../store/s3.ts";\n */',
    ],
    ["lib/archive/run.ts", 'export const text = 1;\nconst words = ["from", "../store/s3.ts"];'],
    ["sandbox/server.ts", 'import http from "node:http"; import { x } from "./routes.ts";'],
  ];
  test.each(allowed)("allows in %s: %s", (file, text) => {
    expect(problemsOfImports({ file, text })).toEqual([]);
  });
});

describe("the rule on globals", () => {
  test.each([
    ["const now = Date.now();", "Date.now"],
    ["const now = new Date();", "new Date()"],
    ["const now = performance.now();", "performance"],
    ["const home = process.env.HOME;", "process"],
    ["const { env } = process;", "process"],
    ["setTimeout(() => {}, 1);", "setTimeout"],
    ["const later = setTimeout;", "setTimeout"],
    ["const jitter = Math.random();", "Math.random"],
    ["const nonce = crypto.randomUUID();", "crypto"],
    ["await fetch('https://example.com');", "fetch"],
    ["console.log('x');", "console"],
  ])("refuses %s", async (text, name) => {
    const file = "lib/archive/x.ts";
    expect(await problemsOfGlobals({ file, text })).toEqual([`${file} uses ${name}: policy asks its ports`]);
  });

  test.each([
    "// Date.now() is not called here\nconst clock: { now(): number } = port;",
    'const text = "process.env and Math.random()";',
    "function sleep(setTimeout: (ms: number) => void) { setTimeout(1); }",
    "const day = new Date(epochMs).toISOString(); const parsed = Date.parse(day); const most = Math.max(1, 2);",
    'import { createHash } from "node:crypto"; createHash("sha256");',
  ])("allows %s", async (text) => {
    expect(await problemsOfGlobals({ file: "lib/archive/x.ts", text })).toEqual([]);
  });
});

describe("the rule on the places of tests", () => {
  const files = new Set(["lib/store/file-store.ts", "test/world/world.ts"]);
  const problemsOf = (file: string, text = "") => problemsOfTestPlaces({ file, text }, files);

  test.each([
    [
      "lib/store/odd-entries.test.ts",
      "lib/store/odd-entries.test.ts has no lib/store/odd-entries.ts beside it",
    ],
    ["functions/file-store.test.ts", "functions/file-store.test.ts has no functions/file-store.ts beside it"],
    ["test/world/oracle.test.ts", "test/world/oracle.test.ts has no test/world/oracle.ts beside it"],
    ["test/elsewhere/a.test.ts", "test/elsewhere/a.test.ts is in no suite: CONTRIBUTING.md lists them"],
  ])("refuses %s", (file, problem) => {
    expect(problemsOf(file)).toEqual([problem]);
  });

  test.each([
    "lib/store/file-store.test.ts",
    "lib/store/file-store.odd-entries.test.ts",
    "lib/store/file-store.properties.exhaustive.test.ts",
    "test/policy/gate.test.ts",
    "test/simulation/planted/hunt.exhaustive.test.ts",
    "test/readme.test.ts",
    "test/elsewhere/scene.ts",
  ])("allows %s", (file) => {
    expect(problemsOf(file)).toEqual([]);
  });

  test("refuses the simulated world, and no clock, beside a file", () => {
    const world = 'import { World } from "../../test/world/world.ts";';
    const clock = 'import { VirtualClock } from "../../test/world/virtual-clock.ts";';
    for (const file of ["lib/store/file-store.test.ts", "lib/store/testing/scene.ts"]) {
      expect(problemsOf(file, world)).toEqual([expect.stringContaining("it belongs in test/policy")]);
      expect(problemsOf(file, clock)).toEqual([]);
    }
    expect(problemsOf("test/policy/gate.test.ts", world)).toEqual([]);
  });
});

test("the rule on words names each place", () => {
  const text = "// Nobody waits.\nso many bytes\nthere is no file\nit is no file";
  expect(problemsOfWords({ file: "x.ts", text })).toEqual([
    'x.ts:1 says "Nobody"',
    'x.ts:2 says "so many"',
    'x.ts:4 says "is no"',
  ]);
});

test("the length rule counts lines", () => {
  expect(problemsOfLength({ file: "x.ts", text: "a\n".repeat(350) })).toEqual([]);
  expect(problemsOfLength({ file: "x.ts", text: "a\n".repeat(351) })).toEqual([
    "x.ts has 351 lines, more than 350",
  ]);
});
