import { expect, test } from "vitest";
import { effortOf } from "./effort.ts";
import {
  baseStory,
  crashesOf,
  faultAt,
  freezesOf,
  playCleanRun,
  pointsOf,
  type Setting,
  SINGLE_ROWS,
  settingsFor,
} from "./exhaustive.ts";
import { expectKept } from "./expect-kept.ts";
import type { Story, StoryFault } from "./story.ts";

const effort = effortOf(process.env);
const SUITE_LIMIT_MS = 30 * 60_000;
const settings = settingsFor([1, 2]);

const nameOf = ({ runners, store }: Setting) => `${runners} runner(s), store ${store}`;
const storiesOf = (setting: Setting, faults: readonly (readonly StoryFault[])[]): readonly Story[] =>
  faults.map((planned) => ({ ...baseStory(setting), faults: planned }));

test.each(settings)(
  "every fault at every call: $runners runner(s), store $store",
  { timeout: SUITE_LIMIT_MS },
  async (setting) => {
    const points = pointsOf(SINGLE_ROWS, await playCleanRun(setting));
    const stories = storiesOf(
      setting,
      points.map((point) => [faultAt(point)]),
    );
    expect(await expectKept(`singles, ${nameOf(setting)}`, stories)).toBeGreaterThan(400);
  },
);

test.each(settings)(
  "a crash before and after every call: $runners runner(s), store $store",
  { timeout: SUITE_LIMIT_MS },
  async (setting) => {
    const crashes = crashesOf(await playCleanRun(setting));
    expect(
      await expectKept(
        `crashes, ${nameOf(setting)}`,
        storiesOf(
          setting,
          crashes.map((crash) => [crash]),
        ),
      ),
    ).toBeGreaterThan(80);
  },
);

test.each(settings)(
  "a standstill at every await: $runners runner(s), store $store",
  { timeout: SUITE_LIMIT_MS },
  async (setting) => {
    const freezes = freezesOf(await playCleanRun(setting));
    expect(
      await expectKept(
        `freezes, ${nameOf(setting)}`,
        storiesOf(
          setting,
          freezes.map((freeze) => [freeze]),
        ),
      ),
    ).toBeGreaterThan(200);
  },
);

const crossed = effort.crossesEverything ? settings : [];

test.each(crossed)(
  "every fault with every crash: $runners runner(s), store $store",
  { timeout: SUITE_LIMIT_MS },
  async (setting) => {
    const clean = await playCleanRun(setting);
    // Where a fault of the first occurrence stands in for those after it: crashes cover every call anyway.
    const firsts = pointsOf(SINGLE_ROWS, clean).filter(({ occurrence }) => occurrence === 1);
    const both = firsts.flatMap((point) => crashesOf(clean).map((crash) => [faultAt(point), crash]));
    await expectKept(`singles × crash, ${nameOf(setting)}`, storiesOf(setting, both));
  },
);
