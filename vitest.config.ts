import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest of each group: begun last, one would keep a core busy while the others have nothing to do. */
const FIRST = [
  "test/simulation/pairs.test.ts",
  "test/simulation/random.test.ts",
  "test/contract/s3-store.test.ts",
  "test/end-to-end/cloud-kills.test.ts",
  "test/end-to-end/cloud-night.test.ts",
  "test/end-to-end/cloud-runners.test.ts",
  "test/end-to-end/functions-night.test.ts",
  "test/end-to-end/functions-retention-failures.test.ts",
  "test/end-to-end/retention.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isFirst = ({ moduleId }: TestSpecification) => FIRST.some((name) => moduleId.endsWith(name));
    return (await super.sort(files)).toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  }
}

/** Stories: nothing but processor time, two threads each, and beside them the rest would be late for its slots. */
const SIMULATIONS = ["test/simulation/**/*.test.ts"];
/** Its runners are in the test's own process, whose collector must not pause for what other files left. */
const APART = ["test/end-to-end/cloud-runners.test.ts"];
const cores = availableParallelism();
/** Much of these tests waits for other processes and for slots. */
const WITH_OTHER_PROCESSES = { maxWorkers: Math.ceil(1.5 * cores), sequence: { groupOrder: 2 } };

export default defineConfig({
  test: {
    // Hundreds of short processes are started: each is to be compiled once, not every time.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules", ".cache", "node-compile") },
    sequence: { sequencer: LongestFirst },
    // The limit catches what hangs; how long a test takes says more about the machine than about the program.
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "simulation",
          include: SIMULATIONS,
          // One worker per core: the default leaves one idle, half of a machine with two.
          maxWorkers: cores,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "together",
          include: ["{lib,functions,sandbox,test}/**/*.test.ts"],
          exclude: [...SIMULATIONS, ...APART],
          // They leave the process as they found it; a fresh one for each would cost half as much again as the tests.
          isolate: false,
          ...WITH_OTHER_PROCESSES,
        },
      },
      { extends: true, test: { name: "apart", include: APART, ...WITH_OTHER_PROCESSES } },
    ],
    coverage: {
      provider: "v8",
      include: ["lib/**/*.ts"],
      exclude: ["**/*.test.ts"],
    },
  },
});
