import { describe, expect, test } from "vitest";
import { type Pacer, SlotLost } from "../../lib/pacing/pacer.ts";
import type { Throttle } from "../../lib/ports/platform.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import type { World } from "../world/world.ts";
import {
  begin,
  exactWorld,
  INTERVAL_MS,
  nextInMs,
  openPacer,
  plantNextAt,
  requireSlot,
} from "./pacing-scene.ts";

const FOREVER_MS = Number.POSITIVE_INFINITY;
const ONE: Throttle = { intervals: 1, retryAfterMs: undefined };
const TWO: Throttle = { intervals: 2, retryAfterMs: undefined };

/** A pacer whose state stands at the present: the next slot begins now. */
async function withPacer(act: (pacer: Pacer, world: World) => Promise<void>): Promise<void> {
  const world = exactWorld();
  await world.run(async () => act(await openPacer(world.startRunner("a")), world));
}

describe("a throttling answer", () => {
  test.each<[string, Throttle, number]>([
    ["IOTDA.021101 costs an interval", ONE, INTERVAL_MS],
    ["IOTDA.021102 and 429 cost two", TWO, 2 * INTERVAL_MS],
    ["Retry-After is kept to", { intervals: 2, retryAfterMs: 100_000 }, 100_000],
    ["a short Retry-After shortens nothing", { intervals: 1, retryAfterMs: 1_000 }, INTERVAL_MS],
    ["a long Retry-After counts up to 5 minutes", { intervals: 1, retryAfterMs: 86_400_000 }, 300_000],
  ])("%s", async (_what, throttle, penaltyMs) => {
    await withPacer(async (pacer, world) => {
      expect(await pacer.penalize(throttle, ALWAYS)).toBe(penaltyMs);
      expect(nextInMs(world)).toBe(penaltyMs);
      await begin(pacer);
      expect(world.clock.monotonicMs()).toBe(penaltyMs);
    });
  });

  test("moves out what was claimed already, for every runner", async () => {
    await withPacer(async (pacer, world) => {
      await begin(pacer);
      expect(await pacer.penalize(ONE, ALWAYS)).toBe(2 * INTERVAL_MS);
      const other = await openPacer(world.startRunner("b"));
      await begin(other);
      expect(world.clock.monotonicMs()).toBe(2 * INTERVAL_MS);
    });
  });

  test("doubles for each one in a row up to 5 minutes, and starts again after a download was served", async () => {
    await withPacer(async (pacer, world) => {
      const penalties: (number | undefined)[] = [];
      const penalize = async () => {
        plantNextAt(world, 0);
        await world.clock.sleep(600_000);
        await pacer.penalize(ONE, ALWAYS);
        penalties.push(nextInMs(world));
      };
      for (let round = 1; round <= 6; round += 1) {
        await penalize();
      }
      pacer.noteServed();
      await penalize();
      expect(penalties).toEqual([31_000, 62_000, 124_000, 248_000, 300_000, 300_000, 31_000]);
    });
  });

  test("stays 5 minutes however many there were", async () => {
    await withPacer(async (pacer, world) => {
      for (let round = 1; round <= 1_100; round += 1) {
        await pacer.penalize(ONE, ALWAYS);
        await world.clock.sleep(300_000);
      }
      expect(await pacer.penalize(ONE, ALWAYS)).toBe(300_000);
    });
  });

  test("of many runners never adds up to a state that no runner believes", async () => {
    const world = exactWorld();
    let warnings = 0;
    const onCorruptState = () => {
      warnings += 1;
    };
    await world.run(async () => {
      for (let index = 0; index < 8; index += 1) {
        const pacer = await openPacer(world.startRunner(`r${index}`), { onCorruptState });
        const before = nextInMs(world) ?? 0;
        await pacer.penalize({ intervals: 1, retryAfterMs: 300_000 }, ALWAYS);
        expect(nextInMs(world)).toBeGreaterThanOrEqual(before);
      }
      await openPacer(world.startRunner("last"), { onCorruptState });
    });
    expect(warnings).toBe(0);
    expect(nextInMs(world)).toBe(20 * INTERVAL_MS);
  });

  test("never brings a slot forward", async () => {
    await withPacer(async (pacer, world) => {
      plantNextAt(world, 39 * INTERVAL_MS);
      await pacer.penalize(ONE, ALWAYS);
      expect(nextInMs(world)).toBe(39 * INTERVAL_MS);
    });
  });
});

describe("the slot that this runner's other download waits for", () => {
  /** When the second slot is returned if the first is refused 200 ms after it began. */
  async function secondStartMs(throttle: Throttle): Promise<number> {
    const world = exactWorld();
    return await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      await begin(pacer);
      const second = begin(pacer);
      await world.clock.sleep(200);
      await pacer.penalize(throttle, ALWAYS);
      await second;
      return world.clock.monotonicMs();
    });
  }

  test("is kept after a penalty of one interval: it is that far away", async () => {
    expect(await secondStartMs(ONE)).toBe(INTERVAL_MS);
  });

  test("is kept by a penalty that just reaches it", async () => {
    await withPacer(async (pacer, world) => {
      await begin(pacer);
      const second = begin(pacer);
      await world.clock.sleep(1);
      await pacer.penalize({ intervals: 1, retryAfterMs: 1.5 * INTERVAL_MS - 1 }, ALWAYS);
      await second;
      expect(world.clock.monotonicMs()).toBe(INTERVAL_MS);
    });
  });

  test("is dropped after a longer one and taken again behind it", async () => {
    expect(await secondStartMs(TWO)).toBe(4 * INTERVAL_MS);
    expect(await secondStartMs({ intervals: 1, retryAfterMs: 120_000 })).toBe(2 * INTERVAL_MS + 120_000);
  });

  test("is lost when the answer comes while its connection is made", async () => {
    await withPacer(async (pacer) => {
      await begin(pacer);
      const second = requireSlot(await pacer.take(FOREVER_MS, ALWAYS));
      await pacer.penalize(TWO, ALWAYS);
      await expect(second.ready(ALWAYS)).rejects.toBeInstanceOf(SlotLost);
    });
  });

  test("dropped, and none again before the deadline: `none`", async () => {
    await withPacer(async (pacer, world) => {
      await begin(pacer);
      const second = begin(pacer, pacer.nowMs() + 3 * INTERVAL_MS);
      await world.clock.sleep(1);
      await pacer.penalize(TWO, ALWAYS);
      expect(await second).toBe("none");
      expect(world.clock.monotonicMs()).toBe(INTERVAL_MS - 2_000);
    });
  });
});

test("without compare-and-swap a penalty still counts for this runner", async () => {
  const world = exactWorld({ store: { compareAndSwap: false } });
  await world.run(async () => {
    const pacer = await openPacer(world.startRunner("a"));
    await pacer.penalize(TWO, ALWAYS);
    plantNextAt(world, 0);
    await begin(pacer);
    expect(world.clock.monotonicMs()).toBe(2 * INTERVAL_MS);
  });
});
