import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { World } from "../world/world.ts";
import { effortOf } from "./effort.ts";
import { withoutStacks } from "./expect-kept.ts";
import { playStory } from "./play-story.ts";
import { randomStory } from "./random-story.ts";
import { reproduction, shrink } from "./shrink.ts";
import { parseStory, type Story, storyOf, taskOf } from "./story.ts";

/** A story with something of everything that shrinking leaves out. */
const BROKEN: Story = storyOf({
  tasks: [taskOf("t1"), taskOf("t2"), taskOf("t3", { status: "Stopping", sent: 0 })],
  runners: [
    { skewMs: 0, offsetMs: 0 },
    { skewMs: 1_000, offsetMs: 300 },
  ],
  happenings: [{ kind: "redrive", atMs: 5_000 }],
});

describe("a story", () => {
  test("is played alike each time, whatever was played before", async () => {
    const told = randomStory(77);
    const lines = async () => {
      let text: readonly string[] = [];
      const result = await playStory(told, ({ effects }) => {
        text = effects.toLines();
      });
      return { result, text };
    };
    const first = await lines();
    await playStory(randomStory(78));
    expect(await lines()).toEqual(first);
    expect(first.text.length).toBeGreaterThan(30);
  });

  test("leaves nothing behind when it is over: a million of them are played by two threads", async () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const worlds: WeakRef<World>[] = [];
    for (let seed = 1; seed <= 30; seed += 1) {
      await playStory(randomStory(seed), (world) => worlds.push(new WeakRef(world)));
    }
    // The last one may still be on its way out, and a compiler's thread hold what it works on: what is left over stays.
    await expect
      .poll(
        () => {
          collect();
          return worlds.slice(0, -1).filter((world) => world.deref() !== undefined).length;
        },
        { interval: 20 },
      )
      .toBe(0);
  });

  test("survives being printed and read", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const told = randomStory(seed);
      expect(parseStory(JSON.stringify(told))).toEqual(told);
    }
  });

  test("that is none is refused", () => {
    expect(() => parseStory('{"seed":-1}')).toThrow();
    expect(() => parseStory("{")).toThrow(SyntaxError);
  });
});

describe("shrinking", () => {
  test("keeps what the broken promise needs and no more", async () => {
    const violations = ["I8: made up"];
    // No story of the program as it is breaks I8: nothing smaller does, so nothing is left out.
    expect((await shrink(BROKEN, violations)).story).toBe(BROKEN);
    expect(reproduction(BROKEN)).toMatch(/^npm run simulate -- --story '\{.*\}'$/);
  });
});

test("the effort is one of three words", () => {
  expect(effortOf({}).randomSeeds).toBe(20_000);
  expect(effortOf({ SIMULATION: "ci" }).randomSeeds).toBe(200_000);
  expect(effortOf({ SIMULATION: "full" }).randomSeeds).toBe(1_000_000);
  expect(() => effortOf({ SIMULATION: "much" })).toThrow(RangeError);
});

/** Fifty exports, six of which suffer a cut body or a delete whose answer is lost. */
function nightUnderFaults(seed: number): Story {
  const faults = ["platform.body/short, no length/body", "platform.deleteExportTask/reset/done, answer lost"];
  return storyOf({
    seed,
    queue: { receiveWindow: 1, duplicateFraction: 0, visibilityMs: 120_000, longPollMs: 20_000 },
    tasks: Array.from({ length: 50 }, (_, index) => taskOf(`t${index + 1}`)),
    faults: faults.flatMap((fault) =>
      [3, 9, 17].map(
        (occurrence) => ({ kind: "call", fault, occurrence, times: 1, forever: false }) as const,
      ),
    ),
  });
}

test("a night of 50 exports under faults", async () => {
  // This thread's time, since others work beside it, and the best, since the first nights are compiled.
  let bestMs = Number.POSITIVE_INFINITY;
  let virtualMs = 0;
  for (let seed = 1; seed <= 60; seed += 1) {
    const startedCpu = process.threadCpuUsage();
    const { counts, ends, violations } = await withoutStacks(() => playStory(nightUnderFaults(seed)));
    const { system, user } = process.threadCpuUsage(startedCpu);
    bestMs = Math.min(bestMs, (user + system) / 1_000);
    virtualMs = counts.virtualMs;
    expect(violations).toEqual([]);
    expect(counts.faultsHit).toBe(6);
    expect(new Set(Object.values(ends))).toEqual(new Set(["deleted"]));
  }
  const hoursPerSecond = Math.round(virtualMs / 3_600 / bestMs);
  process.stdout.write(
    `50-task night under faults: ${bestMs.toFixed(1)} ms, ${hoursPerSecond} virtual hours per second\n`,
  );
});
