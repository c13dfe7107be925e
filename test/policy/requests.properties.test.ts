import { describe, expect, test } from "vitest";
import { effortOf } from "../simulation/effort.ts";
import { RequestHistory } from "./request-histories.ts";

const { requestHistories } = effortOf(process.env);
const PER_TEST = 250;
const FIRST_SEEDS = Array.from({ length: requestHistories / PER_TEST }, (_, index) => 1 + index * PER_TEST);

/** What a history broke; none of it may ever be. */
async function problemsOf(seed: number): Promise<readonly string[]> {
  const history = new RequestHistory(seed);
  await history.play();
  const { scene, thrown } = history;
  return [
    ...scene.watch.violations,
    ...thrown.map((error) => `a run threw ${String(error)}`),
    ...scene.openRequests().map((key) => `${key} came to no end`),
    ...scene.world.findViolations(),
  ].map((problem) => `seed ${seed}: ${problem}`);
}

describe(`${requestHistories} histories of events, people, faults, deaths and two runners`, () => {
  test.each(FIRST_SEEDS)(
    "evict and overwrite nothing, throw nothing, and every request ends (from seed %d)",
    { timeout: 600_000 },
    async (first) => {
      const problems: string[] = [];
      for (let seed = first; seed < first + PER_TEST; seed += 1) {
        problems.push(...(await problemsOf(seed)));
      }
      expect(problems).toEqual([]);
    },
  );
});
