import { expect, test } from "vitest";
import { effortOf } from "./effort.ts";
import { baseStory, pairRows, pairsOf, playCleanRun, pointsOf, settingsFor } from "./exhaustive.ts";
import { expectKept } from "./expect-kept.ts";

const effort = effortOf(process.env);
const SUITE_LIMIT_MS = 60 * 60_000;
const settings = settingsFor(effort.pairRunners).filter(({ runners, store }) =>
  effort.crossesEverything
    ? runners < 3 || store === "with conditional writes"
    : store === "with conditional writes",
);

test.each(settings)(
  "every pair of faults: $runners runner(s), store $store",
  { timeout: SUITE_LIMIT_MS },
  async (setting) => {
    // More runners make the same calls again: the points are those of one runner's run.
    const points = pointsOf(
      pairRows(effort.crossesEverything),
      await playCleanRun({ ...setting, runners: 1 }),
    );
    const base = baseStory(setting);
    const stories = Array.from(pairsOf(points), (faults) => ({ ...base, faults }));
    const name = `pairs, ${setting.runners} runner(s), store ${setting.store}`;
    expect(await expectKept(name, stories)).toBeGreaterThan(4_000);
  },
);
