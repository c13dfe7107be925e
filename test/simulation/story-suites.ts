import * as v from "valibot";
import {
  baseStory,
  crashesOf,
  faultAt,
  pairRows,
  pairsOf,
  playCleanRun,
  pointsOf,
  settingSchema,
} from "./exhaustive.ts";
import { randomStory } from "./random-story.ts";
import type { Story } from "./story.ts";

const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0));

/** A suite too large for one thread, as plain data: each thread makes its share of the stories on its own. */
export const storySuiteSchema = v.variant("kind", [
  v.object({
    kind: v.literal("random"),
    firstSeed: wholeNumber,
    seeds: wholeNumber,
    /** Runners at most in a story. */
    runners: wholeNumber,
  }),
  /** Every pair of faults. */
  v.object({ kind: v.literal("pairs"), setting: settingSchema }),
  /** Every fault with every crash. */
  v.object({ kind: v.literal("crossed"), setting: settingSchema }),
]);

export type StorySuite = v.InferOutput<typeof storySuiteSchema>;

export const shareSchema = v.object({ index: wholeNumber, of: wholeNumber });

/** The `index`-th story and every `of`-th after it. */
export type Share = v.InferOutput<typeof shareSchema>;

/** The stories of a share, made one by one. */
export function storiesOf(suite: StorySuite, share: Share): Iterable<Story> | AsyncIterable<Story> {
  switch (suite.kind) {
    case "random":
      return randomStories(suite, share);
    case "pairs":
      return everyNth(pairStories(suite), share);
    case "crossed":
      return everyNth(crossedStories(suite), share);
  }
}

function* randomStories(
  { firstSeed, seeds, runners }: Extract<StorySuite, { kind: "random" }>,
  { index, of }: Share,
): Generator<Story> {
  for (let offset = index; offset < seeds; offset += of) {
    yield randomStory(firstSeed + offset, runners);
  }
}

async function* pairStories({ setting }: Extract<StorySuite, { kind: "pairs" }>): AsyncGenerator<Story> {
  const base = baseStory(setting);
  const points = pointsOf(pairRows(setting), await playCleanRun(setting));
  for (const faults of pairsOf(points)) {
    yield { ...base, faults };
  }
}

async function* crossedStories({ setting }: Extract<StorySuite, { kind: "crossed" }>): AsyncGenerator<Story> {
  const base = baseStory(setting);
  const clean = await playCleanRun(setting);
  const points = pointsOf(pairRows(setting), clean);
  // Dying after a call is as dying before the next.
  const crashes = crashesOf(clean).filter(({ when }) => when === "after");
  for (const point of points) {
    for (const crash of crashes) {
      yield { ...base, faults: [faultAt(point), crash] };
    }
  }
}

async function* everyNth<T>(items: AsyncIterable<T>, { index, of }: Share): AsyncGenerator<T> {
  let at = 0;
  for await (const item of items) {
    if (at % of === index) {
      yield item;
    }
    at += 1;
  }
}
