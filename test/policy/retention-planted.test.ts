import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { RETENTION_BUGS } from "./retention-bugs.ts";
import { playNights, SOURCES } from "./retention-nights.ts";

/** What the nights see broken with this bug planted; in a thread of its own, since Node must load the sources. */
async function brokenWith(name: string): Promise<readonly string[]> {
  const hunter = new Worker(new URL("retention-hunter.ts", import.meta.url), { execArgv: [] });
  try {
    hunter.postMessage(name);
    const [broken] = await once(hunter, "message");
    return broken as readonly string[];
  } finally {
    await hunter.terminate();
  }
}

test("the program as it is breaks nothing", async () => {
  expect(await playNights()).toEqual([]);
  expect(await brokenWith("no bug")).toEqual([]);
});

test.each(RETENTION_BUGS)("$name: seen, with a catalogue and without one", async ({ name }) => {
  const broken = await brokenWith(name);
  for (const source of SOURCES) {
    expect(broken).toContainEqual(expect.stringContaining(`(${source})`));
  }
});
