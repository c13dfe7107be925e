import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By far the longest: begun last, each would keep one core busy for minutes while the others have nothing to do. */
const FIRST = ["test/simulation/pairs.test.ts", "test/simulation/random.test.ts"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isFirst = ({ moduleId }: TestSpecification) => FIRST.some((name) => moduleId.endsWith(name));
    return (await super.sort(files)).toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  }
}

/** Tests that leave the process as they found it, so that many files can share one. */
const TOGETHER = ["{lib,functions,sandbox}/**/*.test.ts", "test/{policy,world}/**/*.test.ts"];

export default defineConfig({
  test: {
    // One worker per core: the default leaves one idle, half of a machine with two.
    maxWorkers: "100%",
    // Hundreds of short processes are started: each is to be compiled once, not every time.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules", ".cache", "node-compile") },
    sequence: { sequencer: LongestFirst },
    // The limit catches what hangs; how long a test takes says more about the machine than about the program.
    testTimeout: 60_000,
    projects: [
      // A fresh process for each would cost half as much again as the tests.
      { extends: true, test: { name: "together", include: TOGETHER, isolate: false } },
      { extends: true, test: { name: "apart", include: ["test/**/*.test.ts"], exclude: TOGETHER } },
    ],
    coverage: {
      provider: "v8",
      include: ["lib/**/*.ts"],
      exclude: ["**/*.test.ts"],
    },
  },
});
