import { describe, expect, test } from "vitest";
import { checkInvariants } from "../world/world.ts";
import { Scene, type SceneRunOptions } from "./scene.ts";

const INTERVAL_MS = 50;
const TASKS = 20;
const RUN: SceneRunOptions = { settings: { downloadIntervalMs: INTERVAL_MS } };

/** A platform that answers in 5 ms and a store that answers in 20: asking takes longer than a slot stays fresh. */
function quickScene(seed: number): Scene {
  const quick = { listLatency: 5, connectLatency: 5, firstByteLatency: 5, chunkLatency: 1, deleteLatency: 5 };
  return new Scene({
    seed,
    downloadIntervalMs: INTERVAL_MS,
    platform: quick,
    store: { callLatency: 20, clockErrorMs: 0 },
    queue: { callLatency: 1 },
  });
}

/** When each download's request was written; one that was refused or given up would show as another outcome. */
function startsOf(scene: Scene): readonly number[] {
  const asked = scene.world.effects.at("platform.showExportTask");
  return asked.filter(({ outcome }) => outcome === "done").map(({ atMs }) => atMs);
}

describe("an interval that is short beside what the store's answers take", () => {
  test("one task is archived in the first run", async () => {
    const scene = quickScene(1);
    const id = scene.addTask();
    expect(await scene.run(RUN)).toMatchObject({
      stopReason: "drained",
      counts: { archived: 1, deleted: 1 },
    });
    scene.expectAllDone([id]);
  });

  test.each([1, 2, 3])("20 tasks drain in one run, which loses no slot (seed %i)", async (seed) => {
    const scene = quickScene(seed);
    const ids = scene.addTasks(TASKS);
    const report = await scene.run(RUN);
    expect(report).toMatchObject({ counts: { archived: TASKS, postponed: 0, retried: 0, throttled: 0 } });
    scene.expectAllDone(ids);
    expect(scene.world.effects.at("platform.showExportTask").map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: TASKS }, () => "done"),
    );
  });

  test.each([1, 2, 3])("two runners drain 20 tasks within 3 x 20 intervals (seed %i)", async (seed) => {
    const scene = quickScene(seed);
    const ids = scene.addTasks(TASKS);
    await scene.world.run(() => Promise.all([scene.start(RUN), scene.start(RUN)]));
    // Among the rules is the spacing of the starts: never closer than 30/31 of the interval.
    checkInvariants(scene.world);
    scene.expectAllDone(ids);
    const startsMs = startsOf(scene);
    expect(startsMs).toHaveLength(TASKS);
    expect((startsMs.at(-1) ?? Number.NaN) - (startsMs[0] ?? Number.NaN)).toBeLessThan(
      3 * TASKS * INTERVAL_MS,
    );
  });
});
