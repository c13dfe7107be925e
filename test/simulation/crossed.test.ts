import { expect, test } from "vitest";
import { effortOf } from "./effort.ts";
import {
  baseStory,
  crashesOf,
  faultAt,
  pairRows,
  playCleanRun,
  pointsOf,
  SINGLE_ROWS,
  settingsFor,
} from "./exhaustive.ts";
import { expectKept } from "./expect-kept.ts";

const effort = effortOf(process.env);
const SUITE_LIMIT_MS = 60 * 60_000;
const settings = settingsFor(effort.crossesEverything ? [1, 2] : [1]);

test.each(settings)(
  "every fault with every crash: $runners runner(s), store $store",
  {
    timeout: SUITE_LIMIT_MS,
  },
  async (setting) => {
    const clean = await playCleanRun(setting);
    const rows = effort.crossesEverything ? SINGLE_ROWS : pairRows(false);
    // The first call of each site: the crashes move over every call anyway. Dying after a call is as dying before the next.
    const points = pointsOf(rows, clean).filter(({ occurrence }) => occurrence === 1);
    const crashes = crashesOf(clean).filter((crash) => crash.when === "after");
    const base = baseStory(setting);
    const stories = points.flatMap((point) =>
      crashes.map((crash) => ({ ...base, faults: [faultAt(point), crash] })),
    );
    const name = `singles × crash, ${setting.runners} runner(s), store ${setting.store}`;
    expect(await expectKept(name, stories)).toBeGreaterThan(1_000);
  },
);
