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

/** How long a task takes from its slot to its acknowledgement, about: one duration, or drawn from a range. */
type TaskDuration = readonly [leastMs: number, mostMs: number];

const QUICK: TaskDuration = [SECOND_MS, SECOND_MS];
const ANY_UNDER_TWO_INTERVALS: TaskDuration = [SECOND_MS, 58 * SECOND_MS];

function sceneWithTasks(
  count: number,
  [leastMs, mostMs]: TaskDuration,
): { scene: Scene; ids: readonly string[] } {
  const scene = new Scene({ seed: count, queue: { longPollMs: 20 * SECOND_MS } });
  // A body of three chunks: four waits.
  const perChunkMs = (taskMs: number) => Math.max(1, Math.floor((taskMs - SECOND_MS) / 4));
  scene.world.platform.settings.chunkLatency = { minMs: perChunkMs(leastMs), maxMs: perChunkMs(mostMs) };
  return { scene, ids: scene.addTasks(count) };
}

/** The drain of `count` tasks by one run without limit stays within 1 % of the bound. */
async function expectBoundInOneRun(count: number, duration: TaskDuration): Promise<void> {
  const { scene, ids } = sceneWithTasks(count, duration);
  const report = await scene.run({ limitMs: Number.POSITIVE_INFINITY });
  expect(report).toMatchObject({ stopReason: "drained", counts: { archived: count, deleted: count } });
  scene.expectAllDone(ids);
  const { drainMs, lastTaskMs } = measure(scene);
  expect(drainMs, `N = ${count}`).toBeLessThanOrEqual(1.01 * ((count - 1) * INTERVAL_MS + lastTaskMs));
}

/** The same, cut into runs of 14 minutes; returns how many there were. */
async function expectBoundInShortRuns(count: number, duration: TaskDuration, gapMs: number): Promise<number> {
  const { scene, ids } = sceneWithTasks(count, duration);
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
  const cutsMs = (runs - 1) * (MIN_TASK_MS + INTERVAL_MS + gapMs);
  expect(drainMs, `N = ${count}`).toBeLessThanOrEqual(
    1.01 * ((count - 1) * INTERVAL_MS + lastTaskMs) + cutsMs,
  );
  return runs;
}

describe("the drain of N tasks takes (N−1) × interval + the last task (architecture §4, Time)", () => {
  test.each([
    ["quick tasks", QUICK],
    ["tasks of any length under two intervals", ANY_UNDER_TWO_INTERVALS],
    ["tasks that take nearly two intervals", [55 * SECOND_MS, 55 * SECOND_MS] as const],
  ])("N = 1 … 50 in one run, %s", async (_name, duration) => {
    for (const count of EVERY_COUNT) {
      await expectBoundInOneRun(count, duration);
    }
  });

  test.each([
    ["quick tasks", QUICK, MINUTE_MS],
    ["quick tasks, runs close together", QUICK, 10 * SECOND_MS],
    ["tasks of any length under two intervals", ANY_UNDER_TWO_INTERVALS, MINUTE_MS],
    ["tasks that take nearly two intervals", [50 * SECOND_MS, 50 * SECOND_MS] as const, MINUTE_MS],
  ])("N = 1 … 50 cut into runs of 14 min, %s", async (_name, duration, gapMs) => {
    const runs: number[] = [];
    for (const count of EVERY_COUNT) {
      runs.push(await expectBoundInShortRuns(count, duration, gapMs));
    }
    expect(Math.max(...runs)).toBeGreaterThan(1);
  });
});
