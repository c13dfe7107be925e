import { expect, test } from "vitest";
import {
  baseStory,
  crashesOf,
  faultAt,
  freezesOf,
  playCleanRun,
  pointsOf,
  type Setting,
  settingsFor,
  singleRows,
} from "./exhaustive.ts";
import { expectKept } from "./expect-kept.ts";
import type { Story, StoryFault } from "./story.ts";

const SUITE_LIMIT_MS = 30 * 60_000;
const settings = [...settingsFor([1, 2]), ...settingsFor([1, 2], undefined, "in the store")];

const nameOf = ({ runners, store, queue }: Setting) => `${runners} runner(s), store ${store}, queue ${queue}`;
const storiesOf = (setting: Setting, faults: readonly (readonly StoryFault[])[]): readonly Story[] =>
  faults.map((planned) => ({ ...baseStory(setting), faults: planned }));

test.each(settings)(
  "every fault at every call: $runners runner(s), store $store, queue $queue",
  { timeout: SUITE_LIMIT_MS },
  async (setting) => {
    const points = pointsOf(singleRows(setting), await playCleanRun(setting));
    const stories = storiesOf(
      setting,
      points.map((point) => [faultAt(point)]),
    );
    expect(await expectKept(`singles, ${nameOf(setting)}`, stories)).toBeGreaterThan(400);
  },
);

test.each(settings)(
  "a crash before and after every call: $runners runner(s), store $store, queue $queue",
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
  "a standstill at every await: $runners runner(s), store $store, queue $queue",
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
