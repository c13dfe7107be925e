import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { PACING_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { begin, exactWorld, INTERVAL_MS, nextInMs, openPacer, requireSlot } from "./pacing-scene.ts";

const FOREVER_MS = Number.POSITIVE_INFINITY;

describe("taking a slot", () => {
  test("the first at once, each further one an interval later, returned as it begins", async () => {
    const world = exactWorld({ store: { clockSkewMs: 7_777_777 } });
    const runner = world.startRunner("a", { skewMs: -3_600_000 });
    await world.run(async () => {
      const pacer = await openPacer(runner);
      expect(pacer.nowMs()).toBe(world.clock.wallMs() + 7_777_777);
      const waits: number[] = [];
      const onWaiting = (startsAtMs: number) => waits.push(startsAtMs);
      for (const atMs of [0, INTERVAL_MS, 2 * INTERVAL_MS]) {
        const slot = requireSlot(await begin(pacer, FOREVER_MS, { onWaiting }));
        expect(world.clock.monotonicMs()).toBe(atMs);
        expect(slot.startsAtMs).toBe(pacer.nowMs());
      }
      expect(waits).toEqual([pacer.nowMs() - INTERVAL_MS, pacer.nowMs()]);
      expect(nextInMs(world)).toBe(INTERVAL_MS);
    });
  });

  test("slots that went by unused are not saved up", async () => {
    const world = exactWorld();
    const runner = world.startRunner("a");
    await world.run(async () => {
      const pacer = await openPacer(runner);
      await begin(pacer);
      await runner.clock.sleep(10 * INTERVAL_MS);
      await begin(pacer);
      expect(world.clock.monotonicMs()).toBe(10 * INTERVAL_MS);
      await begin(pacer);
      expect(world.clock.monotonicMs()).toBe(11 * INTERVAL_MS);
    });
  });

  test("`none`, at once and without a claim, when the slot lies beyond the deadline", async () => {
    const world = exactWorld();
    const runner = world.startRunner("a");
    await world.run(async () => {
      const pacer = await openPacer(runner);
      await begin(pacer);
      const before = world.store.textAt(PACING_STATE_KEY);
      const slotAtMs = pacer.nowMs() + INTERVAL_MS;
      expect(await begin(pacer, slotAtMs - 1)).toBe("none");
      expect(world.clock.monotonicMs()).toBe(0);
      expect(world.store.textAt(PACING_STATE_KEY)).toBe(before);
      expect(requireSlot(await begin(pacer, slotAtMs)).startsAtMs).toBe(slotAtMs);
    });
  });

  test.each([
    [31_000, 2_000],
    [4_000, 1_000],
  ])(
    "with an interval of %d ms is handed out %d ms ahead, so that a connection can stand",
    async (intervalMs, aheadMs) => {
      const world = exactWorld();
      const runner = world.startRunner("a");
      await world.run(async () => {
        const pacer = await openPacer(runner, { intervalMs });
        await begin(pacer);
        const slot = requireSlot(await pacer.take(FOREVER_MS, ALWAYS));
        expect(world.clock.monotonicMs()).toBe(intervalMs - aheadMs);
        await slot.ready(ALWAYS);
        expect(world.clock.monotonicMs()).toBe(intervalMs);
      });
    },
  );

  test("leaves no listener on the signal", async () => {
    const world = exactWorld();
    const { signal } = new AbortController();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      await pacer.take(FOREVER_MS, { signal });
    });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("costs one read and one write", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      const calls = () => world.effects.at("store.getDocument", "store.putDocument").length;
      const before = calls();
      await begin(pacer);
      expect(calls() - before).toBe(2);
    });
  });

  test("two downloads of one runner share the pace, and so does a second runner", async () => {
    const world = exactWorld();
    const [a, b] = [world.startRunner("a"), world.startRunner("b", { skewMs: 240_000 })];
    await world.run(async () => {
      const [first, second] = [await openPacer(a), await openPacer(b)];
      const startsMs: number[] = [];
      const take = async (pacer: typeof first) => {
        await begin(pacer);
        startsMs.push(world.clock.monotonicMs());
      };
      await Promise.all([take(first), take(second), take(first), take(second)]);
      // A lost race costs some milliseconds of waiting, never any of the spacing.
      for (const [index, startMs] of startsMs.entries()) {
        expect(startMs).toBeGreaterThanOrEqual(index * INTERVAL_MS);
        expect(startMs).toBeLessThan(index * INTERVAL_MS + 500);
      }
    });
  });

  test("a second run takes over what the first left, though it started meanwhile", async () => {
    const world = exactWorld();
    await world.run(async () => {
      await begin(await openPacer(world.startRunner("a")));
      await begin(await openPacer(world.startRunner("b")));
      expect(world.clock.monotonicMs()).toBe(INTERVAL_MS);
    });
  });

  test("an abort ends the wait for a slot", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      await begin(pacer);
      const controller = new AbortController();
      const reason = new Error("interrupt");
      world.clock.schedule(5_000, () => controller.abort(reason));
      await expect(pacer.take(FOREVER_MS, { signal: controller.signal })).rejects.toBe(reason);
      expect(world.clock.monotonicMs()).toBe(5_000);
    });
  });

  test("an abort ends the wait for the run's other download, whose call stalls", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      world.faults.plant({ site: "store.getDocument", form: "stall" });
      const [stalled, waiting] = [new AbortController(), new AbortController()];
      const reason = new Error("cut");
      world.clock.schedule(1_000, () => waiting.abort(reason));
      world.clock.schedule(9_000, () => stalled.abort(reason));
      const endings: [string, number][] = [];
      const take = async (name: string, { signal }: AbortController) => {
        await expect(pacer.take(FOREVER_MS, { signal })).rejects.toBe(reason);
        endings.push([name, world.clock.monotonicMs()]);
      };
      const late = new AbortController();
      late.abort(reason);
      await Promise.all([take("stalled", stalled), take("waiting", waiting), take("too late", late)]);
      expect(endings).toEqual([
        ["too late", 0],
        ["waiting", 1_000],
        ["stalled", 9_000],
      ]);
      await begin(pacer);
    });
  });
});
