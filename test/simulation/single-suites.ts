import { expect, test } from "vitest";
import {
  baseStory,
  crashesOf,
  faultAt,
  freezesOf,
  playCleanRun,
  pointsOf,
  type Setting,
  singleRows,
} from "./exhaustive.ts";
import { expectKept } from "./expect-kept.ts";
import type { Story, StoryFault } from "./story.ts";

const SUITE_LIMIT_MS = 30 * 60_000;

const nameOf = ({ runners, store, queue }: Setting) => `${runners} runner(s), store ${store}, queue ${queue}`;
const storiesOf = (setting: Setting, faults: readonly (readonly StoryFault[])[]): readonly Story[] =>
  faults.map((planned) => ({ ...baseStory(setting), faults: planned }));

/** Registers the tests that plant one fault, crash or standstill at every call of a clean run, in each of these settings. */
export function testSingles(settings: readonly Setting[]): void {
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
}
