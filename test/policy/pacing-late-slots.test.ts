import { describe, expect, test } from "vitest";
import { PACING_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { type Pacer, SlotLost } from "../../lib/pacing/pacer.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { storeError } from "../world/port-errors.ts";
import { type Runner, World } from "../world/world.ts";
import {
  begin,
  exactWorld,
  INTERVAL_MS,
  nextInMs,
  openPacer,
  plantNextAt,
  requireSlot,
  smallestGapMs,
} from "./pacing-scene.ts";

const FOREVER_MS = Number.POSITIVE_INFINITY;

describe("a slot whose request comes late", () => {
  /** A slot that has begun `lateMs` ago. */
  async function lateSlot(world: World, lateMs: number) {
    const runner = world.startRunner("a");
    const pacer = await openPacer(runner);
    const slot = requireSlot(await pacer.take(FOREVER_MS, ALWAYS));
    await runner.clock.sleep(lateMs);
    return { pacer, slot };
  }

  test.each([
    [0, INTERVAL_MS, 1],
    [INTERVAL_MS / 62, INTERVAL_MS - INTERVAL_MS / 62, 1],
    [INTERVAL_MS / 62 + 1, INTERVAL_MS, 2],
    [3 * INTERVAL_MS, INTERVAL_MS, 2],
  ])("by %d ms leaves %d ms to the next one, after %d swaps", async (lateMs, leftMs, swaps) => {
    const world = exactWorld();
    await world.run(async () => {
      const before = world.faults.countCalls("store.putDocument");
      const { slot } = await lateSlot(world, lateMs);
      await slot.ready(ALWAYS);
      expect(nextInMs(world)).toBeCloseTo(leftMs, 3);
      // One more wrote the state when the pacer opened.
      expect(world.faults.countCalls("store.putDocument") - before).toBe(1 + swaps);
    });
  });

  test("is lost once another runner has claimed the time behind it", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const { pacer, slot } = await lateSlot(world, 1_000);
      plantNextAt(world, 2 * INTERVAL_MS - 1_000);
      await expect(slot.ready(ALWAYS)).rejects.toBeInstanceOf(SlotLost);
      expect(nextInMs(world)).toBe(2 * INTERVAL_MS - 1_000);
      slot.release();
      await begin(pacer);
      expect(world.clock.monotonicMs()).toBe(2 * INTERVAL_MS);
    });
  });

  test("is lost when the state was removed: the claims are unknown then", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const { slot } = await lateSlot(world, 1_000);
      world.store.removeObject(PACING_STATE_KEY);
      await expect(slot.ready(ALWAYS)).rejects.toBeInstanceOf(SlotLost);
    });
  });

  test.each(["done-says-conflict", "done-answer-lost"] as const)(
    "is extended where the swap's answer was lost: %s",
    async (form) => {
      const world = exactWorld();
      await world.run(async () => {
        const { slot } = await lateSlot(world, 1_000);
        world.faults.plant({ site: "store.putDocument", form, error: storeError("store-unavailable") });
        await slot.ready(ALWAYS);
        expect(nextInMs(world)).toBe(INTERVAL_MS);
      });
    },
  );

  test("is not extended by a swap that was overtaken", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const { slot } = await lateSlot(world, 1_000);
      const act = () => plantNextAt(world, INTERVAL_MS);
      world.faults.plant({ site: "store.putDocument", form: "race", act });
      await expect(slot.ready(ALWAYS)).rejects.toBeInstanceOf(SlotLost);
    });
  });

  test("is extended until the store answers within the room that is left", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const { slot } = await lateSlot(world, 1_000);
      world.faults.plant({ site: "store.putDocument", form: "slow", extraMs: 4_000, times: FOREVER_MS });
      await slot.ready(ALWAYS);
      const leftMs = nextInMs(world) ?? 0;
      expect(leftMs).toBeGreaterThanOrEqual(INTERVAL_MS - INTERVAL_MS / 62);
      expect(leftMs).toBeLessThan(2 * INTERVAL_MS);
    });
  });

  test("gives the store's error when it cannot be extended", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const { slot } = await lateSlot(world, 1_000);
      const error = storeError("store-unavailable");
      world.faults.plant({ site: "store.putDocument", form: "not-done", error });
      await expect(slot.ready(ALWAYS)).rejects.toBe(error);
    });
  });
});

describe("one process has one claim outstanding", () => {
  test.each(["ready", "release"] as const)("the next one is made on %s", async (settle) => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      const first = requireSlot(await pacer.take(FOREVER_MS, ALWAYS));
      const claimed = world.store.textAt(PACING_STATE_KEY);
      const second = pacer.take(FOREVER_MS, ALWAYS);
      await world.clock.sleep(100);
      expect(world.store.textAt(PACING_STATE_KEY)).toBe(claimed);
      await first[settle](ALWAYS);
      await second;
      expect(world.store.textAt(PACING_STATE_KEY)).not.toBe(claimed);
    });
  });

  test("a lost slot is made up for before the next one is claimed", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const runner = world.startRunner("a");
      const pacer = await openPacer(runner);
      const first = requireSlot(await pacer.take(FOREVER_MS, ALWAYS));
      const order: string[] = [];
      const younger = pacer.take(FOREVER_MS, ALWAYS).then(async (slot) => {
        await requireSlot(slot).ready(ALWAYS);
        order.push("younger");
      });
      await runner.clock.sleep(1_000);
      plantNextAt(world, INTERVAL_MS);
      await expect(first.ready(ALWAYS)).rejects.toBeInstanceOf(SlotLost);
      await requireSlot(await first.take(FOREVER_MS, ALWAYS)).ready(ALWAYS);
      order.push("older");
      await younger;
      expect(order).toEqual(["older", "younger"]);
    });
  });

  test("a lost slot for which no other comes lets the next one go", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const runner = world.startRunner("a");
      const pacer = await openPacer(runner);
      const first = requireSlot(await pacer.take(FOREVER_MS, ALWAYS));
      const next = pacer.take(FOREVER_MS, ALWAYS);
      await runner.clock.sleep(1_000);
      plantNextAt(world, INTERVAL_MS);
      await expect(first.ready(ALWAYS)).rejects.toBeInstanceOf(SlotLost);
      expect(await first.take(pacer.nowMs(), ALWAYS)).toBe("none");
      requireSlot(await next);
    });
  });

  test("a wait for it that is aborted lets the third one wait on", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      const first = requireSlot(await pacer.take(FOREVER_MS, ALWAYS));
      const second = new AbortController();
      const refused = expect(pacer.take(FOREVER_MS, { signal: second.signal })).rejects.toBe("cut");
      const third = pacer.take(FOREVER_MS, ALWAYS);
      second.abort("cut");
      await refused;
      const claimed = world.store.textAt(PACING_STATE_KEY);
      await world.clock.sleep(100);
      expect(world.store.textAt(PACING_STATE_KEY)).toBe(claimed);
      first.release();
      requireSlot(await third);
    });
  });
});

describe("runners that are late for every slot", () => {
  const SLOTS = 20;

  interface Pace {
    readonly intervalMs: number;
    readonly connectMs: number;
    readonly callMs: number;
  }

  async function work(world: World, { clock }: Runner, pacer: Pacer, pace: Pace, startsMs: number[]) {
    while (startsMs.length < SLOTS) {
      const slot = requireSlot(await pacer.take(FOREVER_MS, ALWAYS));
      try {
        await clock.sleep(pace.connectMs);
        await slot.ready(ALWAYS);
        startsMs.push(world.clock.monotonicMs());
      } catch (error) {
        expect(error).toBeInstanceOf(SlotLost);
      } finally {
        slot.release();
      }
    }
  }

  /** When the requests of 20 tasks were written. */
  async function starts(runners: number, pace: Pace): Promise<readonly number[]> {
    const world = new World({ store: { callLatency: pace.callMs, clockErrorMs: 0 } });
    const startsMs: number[] = [];
    await world.run(() =>
      Promise.all(
        Array.from({ length: runners }, async (_, index) => {
          const runner = world.startRunner(`r${index}`);
          const pacer = await openPacer(runner, { intervalMs: pace.intervalMs });
          await Promise.all([1, 2].map(() => work(world, runner, pacer, pace, startsMs)));
        }),
      ),
    );
    expect(smallestGapMs(startsMs)).toBeGreaterThanOrEqual((pace.intervalMs * 30) / 31);
    return startsMs;
  }

  const QUICK: Pace = { intervalMs: 50, connectMs: 5, callMs: 20 };

  test("one, at 50 ms with a store of 20 ms, starts 20 downloads without losing a slot", async () => {
    const startsMs = await starts(1, QUICK);
    expect(Math.max(...startsMs) - Math.min(...startsMs)).toBeLessThan(20 * 2 * QUICK.intervalMs);
  });

  test("two, at 50 ms with a store of 20 ms, start 20 downloads within 3 x 20 intervals", async () => {
    const startsMs = await starts(2, QUICK);
    expect(Math.max(...startsMs)).toBeLessThan(3 * 20 * QUICK.intervalMs);
  });

  test.each([1, 2, 3])(
    "%d, whose connections take up to three intervals, all come to their downloads",
    async (runners) => {
      for (const connectMs of [2_600, 10_000, INTERVAL_MS, 3 * INTERVAL_MS]) {
        const startsMs = await starts(runners, { intervalMs: INTERVAL_MS, connectMs, callMs: 40 });
        expect(startsMs.length).toBeGreaterThanOrEqual(SLOTS);
      }
    },
  );
});
