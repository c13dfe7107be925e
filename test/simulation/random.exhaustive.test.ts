import { expect, test } from "vitest";
import { effortOf } from "./effort.ts";
import { expectSuiteKept } from "./expect-kept.ts";

/** One million stories on a slow machine. */
const LIMIT_MS = 4 * 3_600_000;

test("random stories keep every promise", { timeout: LIMIT_MS }, async () => {
  const { randomSeeds: seeds } = effortOf(process.env);
  const suite = { kind: "random", firstSeed: 1, seeds, runners: 3 } as const;
  expect(await expectSuiteKept("random stories", suite)).toBe(seeds);
});
