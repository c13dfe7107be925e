import { expect, test } from "vitest";
import { effortOf } from "./effort.ts";
import { expectSuiteKept } from "./expect-kept.ts";

const SUITE_LIMIT_MS = 60 * 60_000;
const { crossedSettings, crossesEveryCall: atEveryCall } = effortOf(process.env);

test.each(crossedSettings)(
  "every fault with every crash: $runners runner(s), store $store",
  { timeout: SUITE_LIMIT_MS },
  async (setting) => {
    const name = `singles × crash, ${setting.runners} runner(s), store ${setting.store}`;
    expect(await expectSuiteKept(name, { kind: "crossed", setting, atEveryCall })).toBeGreaterThan(5_000);
  },
);
