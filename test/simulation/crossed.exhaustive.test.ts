import { expect, test } from "vitest";
import { effortOf } from "./effort.ts";
import { settingsFor } from "./exhaustive.ts";
import { expectSuiteKept } from "./expect-kept.ts";

const SUITE_LIMIT_MS = 60 * 60_000;

test.runIf(effortOf(process.env).crosses).each(settingsFor([1, 2]))(
  "every fault with every crash: $runners runner(s), store $store, queue $queue",
  { timeout: SUITE_LIMIT_MS },
  async (setting) => {
    const name = `singles × crash, ${setting.runners} runner(s), store ${setting.store}, queue ${setting.queue}`;
    expect(await expectSuiteKept(name, { kind: "crossed", setting })).toBeGreaterThan(10_000);
  },
);
