import { test } from "vitest";
import { expectKeptAtRandom, RANDOM_LIMIT_MS } from "./random-suite.ts";

test("random stories, share 1 of 2", { timeout: RANDOM_LIMIT_MS }, async () => {
  await expectKeptAtRandom(1);
});
