import { describe, expect, test } from "vitest";
import { PACING_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { storeError, throttledError } from "../world/port-errors.ts";
import { INTERVAL_MS, MINUTE_MS, onlyEntry, Scene, SECOND_MS } from "./scene.ts";

function throttle(scene: Scene, error: Error, times = 1): void {
  scene.world.faults.plant({ site: "platform.showExportTask", times, form: "not-done", error });
}

function nextAtMs(scene: Scene): number {
  return JSON.parse(scene.world.store.textAt(PACING_STATE_KEY) ?? "{}").nextAt;
}

describe("a throttling answer", () => {
  test.each([
    ["IOTDA.021101", throttledError("IOTDA.021101"), 1],
    ["IOTDA.021102", throttledError("IOTDA.021102"), 2],
    ["429", throttledError("429"), 2],
  ] as const)("%s postpones with attempts unchanged and moves the pace", async (_name, error, intervals) => {
    const scene = new Scene();
    const id = scene.addTask();
    throttle(scene, error);
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "throttled" });
    expect(report.counts).toMatchObject({ throttled: 1, postponed: 1, retried: 0 });
    expect(scene.message()).toMatchObject({ exportTaskId: id });
    expect(scene.message().attempts).toBeUndefined();
    // The refused download had its slot; the pace goes on one interval and the penalty after it.
    const [refused] = scene.world.effects.at("platform.showExportTask");
    const sinceRefusedMs = nextAtMs(scene) - scene.world.clock.wallMs() + scene.world.clock.monotonicMs();
    const expectedMs = (refused?.atMs ?? 0) + (1 + intervals) * INTERVAL_MS;
    expect(Math.abs(sinceRefusedMs - expectedMs)).toBeLessThan(SECOND_MS);

    await scene.wait((1 + intervals) * INTERVAL_MS);
    await scene.run();
    scene.expectAllDone([id]);
    expect(scene.record(id, "archived").attempts).toBe(0);
  });

  test("Retry-After counts where it is longer", async () => {
    const scene = new Scene();
    scene.addTask();
    throttle(scene, throttledError("429", 100_000));
    await scene.run();
    const [throttled] = scene.events.filter((event) => event.kind === "throttled");
    expect(throttled?.waitMs).toBeGreaterThan(100_000);
    expect(scene.delayMs()).toBeGreaterThan(100_000);
  });

  test("keeps being asked at a slower and slower pace, at most 5 minutes apart, and wears nothing out", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    throttle(scene, throttledError("IOTDA.021102"), Number.POSITIVE_INFINITY);
    await scene.run({ waitForDueMs: 15 * MINUTE_MS, limitMs: 60 * MINUTE_MS });
    const starts = scene.world.effects.at("platform.showExportTask").map(({ atMs }) => atMs);
    const gaps = starts.slice(1).map((atMs, index) => atMs - (starts[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(5);
    expect(Math.max(...gaps)).toBeLessThan(5 * MINUTE_MS + 2 * INTERVAL_MS);
    expect(gaps[0]).toBeLessThan(gaps[3] ?? 0);
    expect(scene.message().attempts).toBeUndefined();

    scene.world.faults.clear();
    await scene.wait(6 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
  });

  test("of the delete postpones too", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant({
      site: "platform.deleteExportTask",
      form: "not-done",
      error: throttledError("429"),
    });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "throttled" });
    await scene.wait(5 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
  });

  test("the penalty that cannot be written is a failed try", async () => {
    const scene = new Scene();
    scene.addTask();
    throttle(scene, throttledError("429"));
    scene.world.faults.plant({
      site: "store.putDocument",
      match: ({ subject }) => subject === PACING_STATE_KEY,
      occurrence: 3,
      times: 2,
      form: "not-done",
      error: storeError("store-unavailable"),
    });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "retried", reason: "store-unavailable" });
  });

  test("the others go on after it", async () => {
    const scene = new Scene();
    const ids = scene.addTasks(6);
    throttle(scene, throttledError("IOTDA.021101"), 2);
    await scene.runUntilQueueIsEmpty(3);
    scene.expectAllDone(ids);
  });
});

describe("slots", () => {
  test.each([
    ["a little more than interval/62", 600],
    ["three intervals", 93_000],
  ])(
    "one whose connection is late by %s is extended, and the task archived in the first run",
    async (_how, lateMs) => {
      const scene = new Scene({ platform: { connectLatency: 2_000 + lateMs } });
      const id = scene.addTask();
      // A delete whose connection takes longer than a list stays fresh is never sent.
      const report = await scene.run({ settings: { deletion: "never" } });
      expect(onlyEntry(report)).toMatchObject({ exportTaskId: id, outcome: "archived-kept" });
      expect(scene.count("platform.showExportTask")).toBe(1);
    },
  );

  test("all late ones are extended: no task needs a second attempt", async () => {
    const scene = new Scene({ platform: { connectLatency: { minMs: 2_100, maxMs: 2_900 } } });
    const ids = scene.addTasks(4);
    await scene.runUntilQueueIsEmpty(1);
    scene.expectAllDone(ids);
    const outcomes = scene.world.effects.at("platform.showExportTask").map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["done", "done", "done", "done"]);
  });

  test("a corrupt pacing state is set again with a warning", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.store.plantObject(PACING_STATE_KEY, Buffer.from('{"nextAt":9e15}'));
    await scene.run();
    scene.expectAllDone([id]);
    expect(scene.events).toContainEqual(
      expect.objectContaining({ kind: "warning", code: "pacing-state-corrupt" }),
    );
  });
});
