import { availableParallelism } from "node:os";
import { expect } from "vitest";
import type { Story } from "./story.ts";
import type { StorySuite } from "./story-suites.ts";
import { describeSuite, playAll, type SuiteResult } from "./suite.ts";
import { playOnThreads } from "./worker-pool.ts";

/** Runs `work` without stack traces: simulations make aborts and errors by the million, and nobody reads them. */
export async function withoutStacks<T>(work: () => Promise<T>): Promise<T> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/**
 * Plays the stories, prints their counts, and fails with one line per shrunk story when a promise was broken.
 * @returns how many stories there were.
 */
export async function expectKept(name: string, stories: Iterable<Story>): Promise<number> {
  return await expectResult(name, () => withoutStacks(() => playAll(stories)));
}

/** The same for a suite too large for one thread, on all cores. */
export async function expectSuiteKept(name: string, suite: StorySuite): Promise<number> {
  return await expectResult(name, () => playOnThreads(suite, { jobs: availableParallelism() }));
}

async function expectResult(name: string, play: () => Promise<SuiteResult>): Promise<number> {
  const startedMs = performance.now();
  const result = await play();
  process.stdout.write(`${describeSuite(name, result, performance.now() - startedMs)}\n`);
  expect(result.reproductions.join("\n")).toBe("");
  expect(result.broken).toBe(0);
  return result.stories;
}
