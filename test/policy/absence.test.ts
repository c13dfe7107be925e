import { describe, expect, test } from "vitest";
import { PACING_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { exportFile } from "../world/export-file.ts";
import { platformError, throttledError } from "../world/port-errors.ts";
import { HOUR_MS, INTERVAL_MS, MINUTE_MS, onlyEntry, Scene } from "./scene.ts";

/** A message for a task the platform has never heard of; another task keeps the list from being empty. */
function sceneWithAbsentTask(isListEmpty = false): { scene: Scene; id: string } {
  const scene = new Scene();
  if (!isListEmpty) {
    scene.world.platform.addTask({ status: "Processing", processingMs: 1_000 * HOUR_MS });
  }
  const id = "5f2d9c3a00000000deadbeef";
  scene.world.queue.send(id);
  return { scene, id };
}

/** The body of a letter about a message that was re-sent before. */
function bodyOf(id: string): string {
  return JSON.stringify({ exportTaskId: id });
}

/** What the file endpoint of the absent task answers. */
function answerWith(scene: Scene, error: Error): void {
  scene.world.faults.plant({
    site: "platform.showExportTask",
    times: Number.POSITIVE_INFINITY,
    form: "not-done",
    error,
  });
}

describe("an unarchived task that no list shows", () => {
  test("is looked for again after the confirmation time, then asked for in a slot, then given up", async () => {
    const { scene, id } = sceneWithAbsentTask();
    const first = await scene.run();
    expect(onlyEntry(first)).toMatchObject({ outcome: "postponed", reason: "absent" });
    const message = scene.message();
    expect(message.absentSinceMs).toBeGreaterThan(0);
    expect(message.attempts).toBeUndefined();
    expect(scene.delayMs()).toBeGreaterThan(58_000);
    expect(scene.delayMs()).toBeLessThanOrEqual(60_000);
    expect(scene.world.effects.at("platform.showExportTask")).toEqual([]);

    await scene.wait(MINUTE_MS);
    const second = await scene.run();
    expect(onlyEntry(second)).toMatchObject({ outcome: "dead-lettered", reason: "source-gone" });
    expect(scene.world.effects.at("platform.showExportTask")).toMatchObject([{ outcome: "refused" }]);
    expect(scene.events).toContainEqual(expect.objectContaining({ kind: "export-lost", exportTaskId: id }));
    expect(scene.world.queue.deadLetters).toMatchObject([{ body: bodyOf(id), reason: "source-gone" }]);
    const [letterKey = ""] = scene.world.store.keysUnder("dead-letters/2026/11/22/");
    expect(JSON.parse(scene.world.store.textAt(letterKey) ?? "")).toMatchObject({
      exportTaskId: id,
      reason: "source-gone",
    });
    expect(scene.bodies()).toEqual([]);
  });

  test("keeps its first absentSince while it waits", async () => {
    const { scene } = sceneWithAbsentTask();
    answerWith(scene, platformError("platform-misconfigured"));
    await scene.run();
    const { absentSinceMs } = scene.message();
    await scene.wait(MINUTE_MS);
    await scene.run();
    expect(scene.message().absentSinceMs).toBe(absentSinceMs);
  });

  test.each([
    ["a 404 of the gateway, or IOTDA.000029", platformError("platform-misconfigured")],
    ["no answer", platformError("platform-unreachable")],
    ["5xx", platformError("platform-unavailable")],
  ])("%s proves nothing: it is given up after 48 h, and the detail says so", async (_name, error) => {
    const { scene } = sceneWithAbsentTask();
    answerWith(scene, error);
    const startedMs = scene.world.clock.monotonicMs();
    await scene.run();
    for (let run = 1; scene.bodies().length > 0 && run < 100; run += 1) {
      await scene.wait(HOUR_MS);
      await scene.run();
    }
    expect(scene.world.clock.monotonicMs() - startedMs).toBeGreaterThan(48 * HOUR_MS);
    expect(scene.world.clock.monotonicMs() - startedMs).toBeLessThan(50 * HOUR_MS);
    expect(scene.world.queue.deadLetters).toMatchObject([{ reason: "source-gone" }]);
    expect(scene.world.queue.deadLetters[0]?.detail).toMatch(/48 h.*never said/);
  });

  test("a 200 is dropped unread and postpones", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    // The list is wrong for this one task: it shows others only.
    scene.world.platform.addTask({ status: "Processing", processingMs: HOUR_MS });
    hideFromLists(scene, id);
    await scene.run();
    await scene.wait(MINUTE_MS);
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "absent" });
    expect(scene.count("platform.showExportTask")).toBe(1);
    expect(scene.count("store.openUpload")).toBe(0);
    expect(scene.message().absentSinceMs).toBeDefined();
  });

  test("throttling while it is asked for postpones until the pace allows", async () => {
    const { scene } = sceneWithAbsentTask();
    await scene.run();
    await scene.wait(MINUTE_MS);
    answerWith(scene, throttledError("IOTDA.021101"));
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "throttled" });
    expect(scene.message().absentSinceMs).toBeDefined();
    scene.world.faults.clear();
    await scene.wait(2 * INTERVAL_MS);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "dead-lettered", reason: "source-gone" });
  });

  test("no slot before the end of the run: handed back unchanged", async () => {
    const { scene, id } = sceneWithAbsentTask();
    await scene.run();
    await scene.wait(MINUTE_MS);
    const bodiesBefore = scene.bodies();
    const nextAt = scene.world.clock.wallMs() + 5 * MINUTE_MS;
    const state = JSON.stringify({ nextAt, nonce: "other", runId: "other" });
    scene.world.store.plantObject(PACING_STATE_KEY, Buffer.from(state));
    const report = await scene.run({ limitMs: 3 * MINUTE_MS });
    expect(report).toMatchObject({ stopReason: "time-budget", tasks: [] });
    expect(scene.bodies()).toEqual(bodiesBefore);
    await scene.run();
    expect(scene.world.queue.deadLetters).toMatchObject([{ body: bodyOf(id) }]);
  });

  test("an empty list is believed only after 24 h, asked once an hour", async () => {
    const { scene } = sceneWithAbsentTask(true);
    await scene.run();
    expect(scene.events).toContainEqual(expect.objectContaining({ kind: "task-ended", delayMs: HOUR_MS }));
    for (let hour = 1; hour <= 23; hour += 1) {
      await scene.wait(HOUR_MS);
      expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "absent" });
    }
    expect(scene.world.effects.at("platform.showExportTask")).toEqual([]);
    await scene.wait(HOUR_MS);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "dead-lettered", reason: "source-gone" });
  });

  test("absentSince is dropped when a list shows it again", async () => {
    const { scene, id } = sceneWithAbsentTask();
    await scene.run();
    scene.world.platform.addTask({ exportTaskId: id, status: "Processing", processingMs: 10 * MINUTE_MS });
    await scene.wait(MINUTE_MS);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "unfinished" });
    expect(scene.message().absentSinceMs).toBeUndefined();

    scene.world.platform.removeTask(id);
    await scene.wait(5 * MINUTE_MS);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "absent" });
    expect(scene.message().absentSinceMs).toBeGreaterThan(scene.world.clock.wallMs() - MINUTE_MS);
  });
});

describe("a task that no list shows and whose copy is recorded", () => {
  /** Archived and kept, then removed by somebody else. */
  async function archivedThenRemoved(): Promise<{ scene: Scene; id: string; revision: string }> {
    const scene = new Scene();
    const id = scene.addTask();
    const revision = scene.revision(id);
    await scene.run({ settings: { deletion: "never" } });
    scene.world.platform.removeTask(id);
    await scene.wait(MINUTE_MS);
    return { scene, id, revision };
  }

  test("the message names no revision: any record will do; one list is enough, even an empty one", async () => {
    const { scene, id } = await archivedThenRemoved();
    scene.world.queue.send(id);
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "already-done", reason: "already-gone" });
    expect(scene.record(id, "deleted").outcome).toBe("already-gone");
    scene.expectAllDone([id]);
    expect(scene.count("platform.showExportTask")).toBe(1);
  });

  test("the message names the recorded revision", async () => {
    const { scene, id, revision } = await archivedThenRemoved();
    scene.send({ exportTaskId: id, revision });
    expect(onlyEntry(await scene.run()).reason).toBe("already-gone");
    scene.expectAllDone([id]);
  });

  test("the message names another revision: it is watched like any absent task", async () => {
    const { scene, id } = await archivedThenRemoved();
    scene.send({ exportTaskId: id, revision: "00000000" });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "absent" });
    await scene.wait(25 * HOUR_MS);
    await scene.run();
    const deadLetter = scene.record(id, "dead-letter");
    expect(deadLetter).toMatchObject({ revision: "00000000", reason: "source-gone" });
  });

  test("another revision, but something downloaded since the request", async () => {
    const { scene, id } = await archivedThenRemoved();
    const requestedAtMs = scene.world.clock.wallMs() - HOUR_MS;
    scene.send({ exportTaskId: id, revision: "00000000", requestedAtMs });
    expect(onlyEntry(await scene.run()).reason).toBe("already-gone");
  });

  test("of several records the newest download is the one that is settled", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    await scene.run({ settings: { deletion: "never" } });
    scene.world.platform.overwriteTask(id, exportFile(50));
    const second = scene.revision(id);
    scene.world.queue.send(id);
    await scene.wait(MINUTE_MS);
    await scene.run({ settings: { deletion: "never" } });
    scene.world.platform.removeTask(id);
    scene.world.queue.send(id);
    await scene.run();
    expect(Object.keys(scene.records(id))).toContain(`${second}/deleted.json`);
  });
});

describe("unfinished and failed exports", () => {
  test.each(["Processing", "Paused"])("%s is looked at again and again, never deleted", async (status) => {
    const scene = new Scene();
    const id = scene.addTask({ status, processingMs: 1_000 * HOUR_MS });
    for (let run = 1; run <= 5; run += 1) {
      expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "unfinished" });
      expect(scene.delayMs()).toBeLessThanOrEqual(5 * MINUTE_MS);
      expect(scene.message().attempts).toBeUndefined();
      await scene.wait(10 * MINUTE_MS);
    }
    expect(scene.world.effects.at("platform.deleteExportTask", "platform.showExportTask")).toEqual([]);

    await scene.wait(47 * HOUR_MS);
    await scene.run();
    expect(scene.bodies()).toHaveLength(1);
    await scene.wait(HOUR_MS);
    expect(onlyEntry(await scene.run())).toMatchObject({
      outcome: "dead-lettered",
      reason: "never-finished",
    });
    expect(scene.record(id, "dead-letter").detail).toContain(status);
    expect(scene.world.platform.has(id)).toBe(true);
  });

  test("one that finishes meanwhile is archived", async () => {
    const scene = new Scene();
    const id = scene.addTask({ status: "Processing", processingMs: 4 * MINUTE_MS });
    await scene.runUntilQueueIsEmpty(3);
    scene.expectAllDone([id]);
  });

  test("Failed is dead-lettered and stays", async () => {
    const scene = new Scene();
    const id = scene.addTask({ status: "Failed" });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "dead-lettered", reason: "export-failed" });
    expect(scene.world.queue.deadLetters).toMatchObject([{ body: id, reason: "export-failed" }]);
    expect(scene.record(id, "dead-letter").reason).toBe("export-failed");
    expect(scene.world.platform.has(id)).toBe(true);
  });
});

/** Takes one task out of every list while the platform goes on serving its file. */
function hideFromLists(scene: Scene, id: string): void {
  const { platform } = scene.world;
  const listAll = platform.list.bind(platform);
  platform.list = () => listAll().filter(({ task }) => task.exportTaskId !== id);
}
