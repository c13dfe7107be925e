import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { effortOf } from "./effort.ts";
import { describeSuite } from "./suite.ts";
import { playSeeds } from "./worker-pool.ts";

/** One million stories on a slow machine. */
const LIMIT_MS = 4 * 3_600_000;

test("random stories keep every promise", { timeout: LIMIT_MS }, async () => {
  const { randomSeeds } = effortOf(process.env);
  const range = { firstSeed: 1, seeds: randomSeeds, runners: 3, jobs: availableParallelism() };
  const startedMs = performance.now();
  const result = await playSeeds(range, new AbortController().signal, () => undefined);
  process.stdout.write(`${describeSuite("random stories", result, performance.now() - startedMs)}\n`);
  expect(result.reproductions.join("\n")).toBe("");
  expect(result).toMatchObject({ stories: randomSeeds, broken: 0 });
});
