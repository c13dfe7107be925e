import { describe, expect, test } from "vitest";
import { PACING_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { storeError } from "../world/port-errors.ts";
import {
  begin,
  exactWorld,
  INTERVAL_MS,
  nextInMs,
  openPacer,
  plantNextAt,
  plantState,
  requireSlot,
} from "./pacing-scene.ts";

const FOREVER_MS = Number.POSITIVE_INFINITY;

describe("the shared state", () => {
  test("is written when the pacer opens, with the run's name and nothing moved", async () => {
    const world = exactWorld();
    await world.run(async () => {
      await openPacer(world.startRunner("run-7"));
      expect(nextInMs(world)).toBe(0);
      expect(JSON.parse(world.store.textAt(PACING_STATE_KEY) ?? "")).toMatchObject({
        runId: "run-7",
        nonce: expect.stringMatching(/^[0-9a-f]{16}$/),
      });
      plantNextAt(world, 12_345);
      await openPacer(world.startRunner("run-8"));
      expect(nextInMs(world)).toBe(12_345);
    });
  });

  test("that cannot be written keeps the pacer from opening", async () => {
    const world = exactWorld();
    const error = storeError("store-forbidden");
    world.faults.plant({ site: "store.putDocument", form: "not-done", error });
    await expect(world.run(() => openPacer(world.startRunner("a")))).rejects.toBe(error);
  });

  test.each([
    ["is not JSON", "{"],
    ["has no nextAt", "{}"],
    ["has a text for nextAt", '{"nextAt":"soon","nonce":"a","runId":"b"}'],
  ])("that %s is set to an interval from now, with a warning", async (_what, text) => {
    const world = exactWorld();
    plantState(world, text);
    let warnings = 0;
    await world.run(async () => {
      const onCorruptState = () => {
        warnings += 1;
      };
      const pacer = await openPacer(world.startRunner("a"), { onCorruptState });
      expect(warnings).toBe(1);
      expect(nextInMs(world)).toBe(INTERVAL_MS);
      await begin(pacer);
      expect(world.clock.monotonicMs()).toBe(INTERVAL_MS);
    });
    expect(warnings).toBe(1);
  });

  test.each([
    [INTERVAL_MS, 40 * INTERVAL_MS],
    [1_000, 600_000],
  ])("with an interval of %d ms is believed up to %d ms ahead and not further", async (intervalMs, farMs) => {
    for (const [aheadMs, expectedMs, warnings] of [
      [farMs, farMs, 0],
      [farMs + 1, intervalMs, 1],
    ] as const) {
      const world = exactWorld();
      plantNextAt(world, aheadMs);
      let warned = 0;
      const onCorruptState = () => {
        warned += 1;
      };
      await world.run(() => openPacer(world.startRunner("a"), { intervalMs, onCorruptState }));
      expect([nextInMs(world), warned]).toEqual([expectedMs, warnings]);
    }
  });

  test("deleted while a run goes on: this run keeps its spacing and writes it again", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      await begin(pacer);
      world.store.removeObject(PACING_STATE_KEY);
      await begin(pacer);
      expect(world.clock.monotonicMs()).toBe(INTERVAL_MS);
      expect(nextInMs(world)).toBe(INTERVAL_MS);
    });
  });

  test("set back while a run goes on does not bring this run's next slot forward", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      await begin(pacer);
      plantNextAt(world, -1_000_000);
      await begin(pacer);
      expect(world.clock.monotonicMs()).toBe(INTERVAL_MS);
    });
  });

  test.each(["before", "after"] as const)(
    "a runner killed %s its swap took effect holds up no other",
    async (when) => {
      const world = exactWorld();
      const [dying, living] = [world.startRunner("dying"), world.startRunner("living")];
      await world.run(async () => {
        const dead = dying.process.execute(async () => {
          const pacer = await openPacer(dying);
          world.faults.plant({ site: "store.putDocument", form: "crash", when });
          await begin(pacer);
        });
        expect((await dead).kind).toBe("crashed");
        await begin(await openPacer(living));
        expect(world.clock.monotonicMs()).toBe(when === "before" ? 0 : INTERVAL_MS);
      });
    },
  );
});

describe("a swap that went wrong", () => {
  test.each(["done-says-conflict", "done-answer-lost"] as const)(
    "%s: our own nonce is found and the slot is ours",
    async (form) => {
      const world = exactWorld();
      await world.run(async () => {
        const pacer = await openPacer(world.startRunner("a"));
        world.faults.plant({ site: "store.putDocument", form, error: storeError("store-unavailable") });
        expect((await begin(pacer)) === "none").toBe(false);
        expect(world.clock.monotonicMs()).toBe(0);
        expect(nextInMs(world)).toBe(INTERVAL_MS);
      });
    },
  );

  test("overtaken by another runner: the next try claims behind it", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      world.faults.plant({
        site: "store.putDocument",
        form: "race",
        act: () => plantNextAt(world, INTERVAL_MS),
      });
      await begin(pacer);
      // The pause before the second try is a fraction of a millisecond long.
      expect(world.clock.monotonicMs()).toBeCloseTo(INTERVAL_MS, 3);
    });
  });

  test.each([
    ["no JSON", "{"],
    ["no text", Uint8Array.of(0xff)],
  ])("overtaken by something that is %s: it is set again", async (_what, content) => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      const act = () => plantState(world, content);
      world.faults.plant({ site: "store.putDocument", form: "race", act });
      const slot = requireSlot(await begin(pacer));
      expect(slot.startsAtMs).toBeCloseTo(world.clock.wallMs(), 3);
      expect(nextInMs(world)).toBeCloseTo(INTERVAL_MS, 3);
    });
  });

  test("not done: the error comes, and the slot is still there for the next try", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      const error = storeError("store-unavailable");
      world.faults.plant({ site: "store.putDocument", form: "not-done", error });
      await expect(begin(pacer)).rejects.toBe(error);
      await begin(pacer);
      expect(world.clock.monotonicMs()).toBe(0);
    });
  });

  test("aborted under way: the reason comes, not the store's error", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const pacer = await openPacer(world.startRunner("a"));
      world.faults.plant({ site: "store.putDocument", form: "stall" });
      const controller = new AbortController();
      const reason = new Error("cut");
      world.clock.schedule(100, () => controller.abort(reason));
      await expect(pacer.take(FOREVER_MS, { signal: controller.signal })).rejects.toBe(reason);
      await expect(pacer.take(FOREVER_MS, { signal: controller.signal })).rejects.toBe(reason);
    });
  });

  test("over and over: it ends with a hint after 50 tries", async () => {
    const world = exactWorld();
    await world.run(async () => {
      const runner = world.startRunner("a");
      const random = { hex: (bytes: number) => runner.random.hex(bytes), fraction: () => 0.5 };
      const pacer = await openPacer(runner, { random });
      const before = world.faults.countCalls("store.putDocument");
      const act = () => plantNextAt(world, 0);
      world.faults.plant({ site: "store.putDocument", times: FOREVER_MS, form: "race", act });
      await expect(begin(pacer)).rejects.toMatchObject({
        code: "pacing-contended",
        scope: "system",
        retry: "later",
      });
      expect(world.faults.countCalls("store.putDocument") - before).toBe(50);
      // Half of 20, 40, 60 … 200 ms, and of 200 from then on.
      expect(world.clock.monotonicMs()).toBe((1_100 + 40 * 200) / 2);
    });
  });
});
