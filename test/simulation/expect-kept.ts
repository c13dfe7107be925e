import { availableParallelism } from "node:os";
import { expect } from "vitest";
import type { Story } from "./story.ts";
import type { StorySuite } from "./story-suites.ts";
import { describeSuite, playAll, type SuiteResult } from "./suite.ts";
import { playOnThreads } from "./worker-pool.ts";

const TELL_EVERY_MS = 60_000;

/** Runs `work` without stack traces: simulations make aborts and errors by the million, and no test reads them. */
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

/** The same for a suite too large for one thread, on all cores; one that takes long tells how far it has come. */
export async function expectSuiteKept(name: string, suite: StorySuite): Promise<number> {
  const startedMs = performance.now();
  let tellAtMs = startedMs + TELL_EVERY_MS;
  const onProgress = (soFar: SuiteResult) => {
    const nowMs = performance.now();
    if (nowMs >= tellAtMs) {
      tellAtMs = nowMs + TELL_EVERY_MS;
      process.stdout.write(`so far, ${describeSuite(name, soFar, nowMs - startedMs)}\n`);
    }
  };
  return await expectResult(name, () => playOnThreads(suite, { jobs: availableParallelism(), onProgress }));
}

async function expectResult(name: string, play: () => Promise<SuiteResult>): Promise<number> {
  const startedMs = performance.now();
  const result = await play();
  process.stdout.write(`${describeSuite(name, result, performance.now() - startedMs)}\n`);
  expect(result.reproductions.join("\n")).toBe("");
  expect(result.broken).toBe(0);
  return result.stories;
}
