import { expect } from "vitest";
import type { Story } from "./story.ts";
import { describeSuite, playAll } from "./suite.ts";

/** Plays a suite, prints its counts, and fails with one line per shrunk story when a promise was broken. */
export async function expectKept(name: string, stories: Iterable<Story>): Promise<number> {
  // Millions of aborts and errors are made here, and nobody reads their stacks.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const startedMs = performance.now();
  try {
    const result = await playAll(stories);
    process.stdout.write(`${describeSuite(name, result, performance.now() - startedMs)}\n`);
    expect(result.reproductions.join("\n")).toBe("");
    expect(result.broken).toBe(0);
    return result.stories;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
