import { expect } from "vitest";
import type { Story } from "./story.ts";
import { describeSuite, playAll } from "./suite.ts";

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
 * Plays a suite, prints its counts, and fails with one line per shrunk story when a promise was broken.
 * @returns how many stories there were.
 */
export async function expectKept(name: string, stories: Iterable<Story>): Promise<number> {
  const startedMs = performance.now();
  const result = await withoutStacks(() => playAll(stories));
  process.stdout.write(`${describeSuite(name, result, performance.now() - startedMs)}\n`);
  expect(result.reproductions.join("\n")).toBe("");
  expect(result.broken).toBe(0);
  return result.stories;
}
