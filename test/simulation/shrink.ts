import { playStory } from "./play-story.ts";
import { PLAIN_ARCHIVE, PLAIN_SETTINGS, type Story } from "./story.ts";

/** Stories played at most to make one smaller. */
const MAX_TRIES = 400;

/** A broken story made as small as it gets, and what it still breaks. */
export interface ShrunkStory {
  readonly story: Story;
  readonly violations: readonly string[];
}

/**
 * Leaves out tasks, happenings, faults and runners, and makes settings plain, one after the other, as long as
 * the same promise is broken.
 */
export async function shrink(story: Story, violations: readonly string[]): Promise<ShrunkStory> {
  const promise = promiseOf(violations);
  let smallest: ShrunkStory = { story, violations };
  let triesLeft = MAX_TRIES;
  for (let hasShrunk = true; hasShrunk && triesLeft > 0; ) {
    hasShrunk = false;
    for (const candidate of smallerStories(smallest.story)) {
      triesLeft -= 1;
      const result = await playStory(candidate);
      if (promiseOf(result.violations) === promise) {
        smallest = { story: candidate, violations: result.violations };
        hasShrunk = true;
        break;
      }
      if (triesLeft === 0) {
        break;
      }
    }
  }
  return smallest;
}

/** The number of the first broken promise: `I3`. */
export function promiseOf(violations: readonly string[]): string | undefined {
  return violations[0]?.split(":")[0];
}

/** The one line that reproduces a story. */
export function reproduction(story: Story): string {
  return `npm run simulate -- --story '${JSON.stringify(story)}'`;
}

const PLAIN = {
  queue: { receiveWindow: 1, duplicateFraction: 0, visibilityMs: 120_000 },
  store: { createOnce: true, compareAndSwap: true, verification: "read-back" },
  platform: { throttleAnswer: "IOTDA.021101", deleteRemovesSharedFile: true },
  settings: PLAIN_SETTINGS,
  archive: PLAIN_ARCHIVE,
  discovers: false,
} as const satisfies Partial<Story>;

function* smallerStories(story: Story): Generator<Story> {
  for (const part of ["tasks", "happenings", "faults"] as const) {
    for (let index = story[part].length - 1; index >= 0; index -= 1) {
      yield { ...story, [part]: story[part].filter((_, at) => at !== index) };
    }
  }
  if (story.runners.length > 1) {
    yield { ...story, runners: story.runners.slice(0, -1) };
  }
  if (story.runners.some(({ skewMs }) => skewMs !== 0)) {
    yield { ...story, runners: story.runners.map((runner) => ({ ...runner, skewMs: 0 })) };
  }
  for (const [name, plain] of Object.entries(PLAIN)) {
    if (JSON.stringify(story[name as keyof typeof PLAIN]) !== JSON.stringify(plain)) {
      yield { ...story, [name]: plain };
    }
  }
}
