import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { ALWAYS } from "../../test/world/example-archiver.ts";
import { PACING_STATE_KEY } from "../domain/key-layout.ts";
import { exactWorld, INTERVAL_MS, nextInMs, openPacer, requireSlot } from "./testing/pacing-scene.ts";

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
        const slot = requireSlot(await pacer.take(FOREVER_MS, ALWAYS, { onWaiting }));
        expect(world.clock.monotonicMs()).toBe(atMs);
        expect(slot.startsAtMs).toBe(pacer.nowMs());
        expect(slot.isFresh()).toBe(true);
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
      await pacer.take(FOREVER_MS, ALWAYS);
      await runner.clock.sleep(10 * INTERVAL_MS);
      await pacer.take(FOREVER_MS, ALWAYS);
      expect(world.clock.monotonicMs()).toBe(10 * INTERVAL_MS);
      await pacer.take(FOREVER_MS, ALWAYS);
      expect(world.clock.monotonicMs()).toBe(11 * INTERVAL_MS);
    });
  });

  test("`none`, at once and without a claim, when the slot lies beyond the deadline", async () => {
    const world = exactWorld();
    const runner = world.startRunner("a");
    await world.run(async () => {
      const pacer = await openPacer(runner);
      await pacer.take(FOREVER_MS, ALWAYS);
      const before = world.store.textAt(PACING_STATE_KEY);
      const slotAtMs = pacer.nowMs() + INTERVAL_MS;
      expect(await pacer.take(slotAtMs - 1, ALWAYS)).toBe("none");
      expect(world.clock.monotonicMs()).toBe(0);
      expect(world.store.textAt(PACING_STATE_KEY)).toBe(before);
      expect(requireSlot(await pacer.take(slotAtMs, ALWAYS)).startsAtMs).toBe(slotAtMs);
    });
  });

  test("returned ahead by the lead, but not fresh before it begins", async () => {
    const world = exactWorld();
    const runner = world.startRunner("a");
    await world.run(async () => {
      const pacer = await openPacer(runner);
      await pacer.take(FOREVER_MS, ALWAYS);
      const slot = requireSlot(await pacer.take(FOREVER_MS, ALWAYS, { leadMs: 400 }));
      expect(world.clock.monotonicMs()).toBe(INTERVAL_MS - 400);
      expect(slot.isFresh()).toBe(false);
      await runner.clock.sleep(400);
      expect(slot.isFresh()).toBe(true);
    });
  });

  test.each([
    [2, true],
    [3, false],
  ])("%d ms before it begins, which a timer may be early: fresh is %s", async (leadMs, isFresh) => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      await pacer.take(FOREVER_MS, ALWAYS);
      expect(requireSlot(await pacer.take(FOREVER_MS, ALWAYS, { leadMs })).isFresh()).toBe(isFresh);
    });
  });

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
      await pacer.take(FOREVER_MS, ALWAYS);
      expect(calls() - before).toBe(2);
    });
  });

  test("fresh for interval/62 and not longer", async () => {
    const world = exactWorld();
    const runner = world.startRunner("a");
    await world.run(async () => {
      const slot = requireSlot(await (await openPacer(runner)).take(FOREVER_MS, ALWAYS));
      await runner.clock.sleep(INTERVAL_MS / 62);
      expect(slot.isFresh()).toBe(true);
      await runner.clock.sleep(1);
      expect(slot.isFresh()).toBe(false);
    });
  });

  test("two downloads of one runner share the pace, and so does a second runner", async () => {
    const world = exactWorld();
    const [a, b] = [world.startRunner("a"), world.startRunner("b", { skewMs: 240_000 })];
    await world.run(async () => {
      const [first, second] = [await openPacer(a), await openPacer(b)];
      const startsMs: number[] = [];
      const take = async (pacer: typeof first) => {
        await pacer.take(FOREVER_MS, ALWAYS);
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
      await (await openPacer(world.startRunner("a"))).take(FOREVER_MS, ALWAYS);
      await (await openPacer(world.startRunner("b"))).take(FOREVER_MS, ALWAYS);
      expect(world.clock.monotonicMs()).toBe(INTERVAL_MS);
    });
  });

  test("an abort ends the wait for a slot", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      await pacer.take(FOREVER_MS, ALWAYS);
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
      await pacer.take(FOREVER_MS, ALWAYS);
    });
  });
});
