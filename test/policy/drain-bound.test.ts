import { describe, expect, test } from "vitest";
import { INTERVAL_MS, MINUTE_MS, RUN_LIMIT_MS, Scene, SECOND_MS } from "./scene.ts";

const MIN_TASK_MS = MINUTE_MS;
const EVERY_COUNT = Array.from({ length: 50 }, (_, index) => index + 1);

/** From the first download start to the last acknowledgement, and how long the last task took in it. */
function measure(scene: Scene): { drainMs: number; lastTaskMs: number } {
  const starts = scene.world.effects
    .at("platform.showExportTask")
    .filter(({ outcome }) => outcome === "done");
  const endMs = scene.world.effects.at("queue.acknowledge").at(-1)?.atMs ?? Number.NaN;
  return {
    drainMs: endMs - (starts[0]?.atMs ?? Number.NaN),
    lastTaskMs: endMs - (starts.at(-1)?.atMs ?? Number.NaN),
  };
}

/** Tasks take about this long from their slot to their acknowledgement. */
function sceneWithTasks(count: number, taskMs: number): { scene: Scene; ids: readonly string[] } {
  const scene = new Scene({ seed: count });
  // A body of three chunks: four waits.
  scene.world.platform.settings.chunkLatency = Math.max(1, Math.floor((taskMs - SECOND_MS) / 4));
  return { scene, ids: scene.addTasks(count) };
}

describe("the drain of N tasks takes (N−1) × interval + the last task (design §4, Time)", () => {
  test("N = 1 … 50 in one run, quick tasks", async () => {
    for (const count of EVERY_COUNT) {
      const { scene, ids } = sceneWithTasks(count, SECOND_MS);
      const report = await scene.run({ limitMs: Number.POSITIVE_INFINITY });
      expect(report).toMatchObject({ stopReason: "drained", counts: { archived: count, deleted: count } });
      scene.expectAllDone(ids);
      const { drainMs, lastTaskMs } = measure(scene);
      expect(drainMs).toBeLessThanOrEqual(1.01 * ((count - 1) * INTERVAL_MS + lastTaskMs));
    }
  });

  test.each([2, 10, 25, 50])("N = %i, tasks that take nearly two intervals", async (count) => {
    const { scene, ids } = sceneWithTasks(count, 55 * SECOND_MS);
    await scene.run({ limitMs: Number.POSITIVE_INFINITY });
    scene.expectAllDone(ids);
    const { drainMs, lastTaskMs } = measure(scene);
    expect(lastTaskMs).toBeGreaterThan(50 * SECOND_MS);
    expect(drainMs).toBeLessThanOrEqual(1.01 * ((count - 1) * INTERVAL_MS + lastTaskMs));
  });

  test.each([
    [30, SECOND_MS, MINUTE_MS],
    [50, SECOND_MS, MINUTE_MS],
    [50, SECOND_MS, 10 * SECOND_MS],
    [50, 50 * SECOND_MS, MINUTE_MS],
  ])("N = %i of %i ms, cut into runs of 14 min with gaps of %i ms", async (count, taskMs, gapMs) => {
    const { scene, ids } = sceneWithTasks(count, taskMs);
    let runs = 0;
    while (scene.bodies().length > 0) {
      const startedMs = scene.world.clock.monotonicMs();
      await scene.run();
      runs += 1;
      expect(runs).toBeLessThan(5);
      if (scene.bodies().length > 0) {
        const tookMs = scene.world.clock.monotonicMs() - startedMs;
        // A scheduler starts the next run when this one's time is over, not when it ended early.
        await scene.wait(RUN_LIMIT_MS - tookMs + gapMs);
      }
    }
    scene.expectAllDone(ids);
    const { drainMs, lastTaskMs } = measure(scene);
    const perCutMs = MIN_TASK_MS + INTERVAL_MS + gapMs;
    expect(drainMs).toBeLessThanOrEqual(
      1.01 * ((count - 1) * INTERVAL_MS + lastTaskMs) + (runs - 1) * perCutMs,
    );
    expect(runs).toBeGreaterThan(1);
  });
});
