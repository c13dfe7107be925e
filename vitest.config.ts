import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Where a test goes:
 *
 * - `npm run test:quick`: units beside their files, and policy on the simulated world but for the longest. The inner loop.
 * - `npm test`: those, contract suites, templates, and programs end to end. It judges no elapsed real time: time is
 *   injected, events are awaited, and limits only catch what hangs. So its verdict does not depend on the machine.
 * - `npm run test:exhaustive`: files named `*.exhaustive.test.ts`. They see real time (the pace of real processes, kills
 *   at random moments), or play a simulation to its end. Also the files that play more with `SIMULATION=ci`, and the
 *   store's suites where `S3_ENDPOINT` names a real server.
 */
const EXHAUSTIVE = ["{lib,functions,sandbox,test}/**/*.exhaustive.test.ts"];
const PLAYED_IN_FULL = ["test/policy/{plan.properties,requests.properties,retention-crashes}.test.ts"];
const ON_A_REAL_SERVER = ["test/contract/{s3-*,store-queue}.test.ts"];
/** Too long for the inner loop. The last plays other files of tests again: in a process that has loaded these, it would have none. */
const LONG_POLICY = [
  "test/policy/{drain-bound,plan.properties,retention-crashes,retention-planted,verification}.test.ts",
  "test/policy/retention-without-catalogue.test.ts",
];
const UNITS_AND_POLICY = ["{lib,test/policy,test/world}/**/*.test.ts"];

/** The longest of each group: begun last, one would keep a core busy while the others have nothing to do. */
const FIRST = [
  "test/simulation/pairs.exhaustive.test.ts",
  "test/simulation/random.exhaustive.test.ts",
  "test/simulation/random.test.ts",
  "test/contract/s3-store.test.ts",
  "test/end-to-end/cloud-kills.exhaustive.test.ts",
  "test/end-to-end/cloud-night.exhaustive.test.ts",
  "test/end-to-end/cloud-runners.exhaustive.test.ts",
  "test/end-to-end/functiongraph-night.exhaustive.test.ts",
  "test/end-to-end/functions-night.exhaustive.test.ts",
  "test/end-to-end/retention.exhaustive.test.ts",
  "test/template/permissions.exhaustive.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isFirst = ({ moduleId }: TestSpecification) => FIRST.some((name) => moduleId.endsWith(name));
    return (await super.sort(files)).toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  }
}

const CACHE = join(import.meta.dirname, "node_modules", ".cache");
const cores = availableParallelism();
/** Much of these tests waits for other processes. */
const WITH_OTHER_PROCESSES = { maxWorkers: Math.ceil(1.5 * cores) };
/** They leave the process as they found it; a fresh one for each would cost half as much again as the tests. */
const TOGETHER = { isolate: false };

export default defineConfig({
  test: {
    // Hundreds of short processes are started: each is to be compiled once, not every time. So is the check that
    // serverless makes of its own schema, which it would otherwise keep in the home folder.
    env: {
      NODE_COMPILE_CACHE: join(CACHE, "node-compile"),
      SLS_SCHEMA_CACHE_BASE_DIR: join(CACHE, "serverless"),
    },
    sequence: { sequencer: LongestFirst },
    // The limit catches what hangs; how long a test takes says more about the machine than about the program.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 240_000,
    expect: { poll: { timeout: 240_000, interval: 10 } },
    projects: [
      {
        extends: true,
        test: {
          name: "quick",
          include: UNITS_AND_POLICY,
          exclude: [...EXHAUSTIVE, ...LONG_POLICY],
          ...TOGETHER,
          maxWorkers: cores,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "simulation",
          include: ["test/simulation/**/*.test.ts", ...LONG_POLICY],
          exclude: EXHAUSTIVE,
          // One worker per core: the default leaves one idle, half of a machine with two.
          maxWorkers: cores,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["{functions,sandbox,test}/**/*.test.ts"],
          exclude: [...EXHAUSTIVE, ...UNITS_AND_POLICY, "test/simulation/**"],
          ...TOGETHER,
          ...WITH_OTHER_PROCESSES,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "exhaustive",
          include: [
            ...EXHAUSTIVE,
            ...PLAYED_IN_FULL,
            ...(process.env.S3_ENDPOINT === undefined ? [] : ON_A_REAL_SERVER),
          ],
          maxWorkers: cores,
          sequence: { groupOrder: 3 },
        },
      },
    ],
    coverage: {
      provider: "v8",
      include: ["lib/**/*.ts"],
      exclude: ["**/*.test.ts"],
    },
  },
});
