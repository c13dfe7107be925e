import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The slowest suites of the protocol: played only against what all others let pass. */
const SLOW = /\/(crash-table|failures|system-failures|time|crash-loop|races)\.test\.ts$/;

/** Stryker stops at the first test that fails: those beside the code are the quickest to do so. */
class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      moduleId.includes("/lib/") ? 0 : SLOW.test(moduleId) ? 2 : 1;
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

/**
 * The tests that Stryker plays against each mutant of the policy: those beside it and those of the whole protocol in
 * the simulated world. Left out are what takes seconds and sees nothing that the others do not (the drain bound, the
 * histories of requests), and retention, which is another module.
 *
 * The files of one mutant share a worker: a fresh one for each costs as much again as the tests themselves.
 */
export default defineConfig({
  test: {
    root: `${import.meta.dirname}/..`,
    include: [
      "lib/{run,archive,discovery,pacing,integrity,records}/**/*.test.ts",
      "test/policy/**/*.test.ts",
    ],
    exclude: ["test/policy/{drain-bound,plan.properties,requests.properties,retention-*}.test.ts"],
    isolate: false,
    // Stryker has a limit of its own for each mutant.
    testTimeout: 60_000,
    sequence: { sequencer: QuickestFirst },
  },
});
