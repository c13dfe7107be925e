import { expect, test } from "vitest";
import { effortOf } from "./effort.ts";
import { expectSuiteKept } from "./expect-kept.ts";

const SUITE_LIMIT_MS = 60 * 60_000;

test.each(effortOf(process.env).pairSettings)(
  "every pair of faults: $runners runner(s), store $store, queue $queue",
  { timeout: SUITE_LIMIT_MS },
  async (setting) => {
    const name = `pairs, ${setting.runners} runner(s), store ${setting.store}, queue ${setting.queue}`;
    expect(await expectSuiteKept(name, { kind: "pairs", setting })).toBeGreaterThan(40_000);
  },
);
