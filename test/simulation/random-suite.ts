import { expect } from "vitest";
import { effortOf } from "./effort.ts";
import { expectKept } from "./expect-kept.ts";
import { randomStory } from "./random-story.ts";
import type { Story } from "./story.ts";

/** One million stories on a slow machine. */
export const RANDOM_LIMIT_MS = 4 * 3_600_000;

/** The test runner works on two files at a time: each half has a file. */
const SHARES = 2;

/** Plays one half of the random stories that the environment asks for: odd seeds or even ones. */
export async function expectKeptAtRandom(share: 1 | 2): Promise<void> {
  const { randomSeeds } = effortOf(process.env);
  const played = await expectKept(`random stories, share ${share}`, stories(share, randomSeeds));
  expect(played).toBe(randomSeeds / SHARES);
}

function* stories(share: number, seeds: number): Generator<Story> {
  for (let seed = share; seed <= seeds; seed += SHARES) {
    yield randomStory(seed);
  }
}
