import { expect, test } from "vitest";
import { expectSuiteKept } from "./expect-kept.ts";

/** Enough to see a mistake of every day; `npm run test:exhaustive` plays a hundred times as many. */
const SEEDS = 2_000;

test("random stories keep every promise", { timeout: 600_000 }, async () => {
  const suite = { kind: "random", firstSeed: 1, seeds: SEEDS, runners: 3 } as const;
  expect(await expectSuiteKept("random stories", suite)).toBe(SEEDS);
});
