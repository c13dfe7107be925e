import { playStory } from "./play-story.ts";
import { reproduction, shrink } from "./shrink.ts";
import type { Story } from "./story.ts";

/** Broken stories that are shrunk and shown; a defect breaks many alike. */
const MAX_SHOWN = 5;
const HOUR_MS = 3_600_000;

/** What a suite of stories came to. */
export interface SuiteResult {
  readonly stories: number;
  readonly calls: number;
  readonly virtualHours: number;
  readonly broken: number;
  readonly windowLosses: number;
  /** Of the first broken stories: what is broken, and one line to see it again. */
  readonly reproductions: readonly string[];
}

export const NOTHING_PLAYED: SuiteResult = {
  stories: 0,
  calls: 0,
  virtualHours: 0,
  broken: 0,
  windowLosses: 0,
  reproductions: [],
};

export function sumOf(a: SuiteResult, b: SuiteResult): SuiteResult {
  return {
    stories: a.stories + b.stories,
    calls: a.calls + b.calls,
    virtualHours: a.virtualHours + b.virtualHours,
    broken: a.broken + b.broken,
    windowLosses: a.windowLosses + b.windowLosses,
    reproductions: [...a.reproductions, ...b.reproductions].slice(0, MAX_SHOWN),
  };
}

/** Plays one story after the other; the first broken ones are shrunk. */
export async function playAll(
  stories: Iterable<Story> | AsyncIterable<Story>,
  options: { readonly isStopped?: () => boolean; readonly onStory?: (soFar: SuiteResult) => void } = {},
): Promise<SuiteResult> {
  let soFar = NOTHING_PLAYED;
  for await (const story of stories) {
    if (options.isStopped?.() === true) {
      break;
    }
    const { counts, violations } = await playStory(story);
    const isShown = violations.length > 0 && soFar.reproductions.length < MAX_SHOWN;
    soFar = sumOf(soFar, {
      stories: 1,
      calls: counts.calls,
      virtualHours: counts.virtualMs / HOUR_MS,
      broken: violations.length > 0 ? 1 : 0,
      windowLosses: counts.windowLosses,
      reproductions: isShown ? [await shrunkLine(story, violations)] : [],
    });
    options.onStory?.(soFar);
  }
  return soFar;
}

async function shrunkLine(story: Story, violations: readonly string[]): Promise<string> {
  const small = await shrink(story, violations);
  return `seed ${story.seed}: ${small.violations.join("; ")}\n  ${reproduction(small.story)}`;
}

/** One line for a person: how much was played, and how fast. */
export function describeSuite(name: string, result: SuiteResult, realMs: number): string {
  const hoursPerSecond = Math.round((result.virtualHours * 1_000) / Math.max(1, realMs));
  const seconds = (realMs / 1_000).toFixed(1);
  return `${name}: ${result.stories} stories, ${result.calls} calls, ${result.broken} broken, ${seconds} s, ${hoursPerSecond} virtual hours per second`;
}
