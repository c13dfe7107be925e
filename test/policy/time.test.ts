import { describe, expect, test } from "vitest";
import { exportFile } from "../world/export-file.ts";
import type { Site } from "../world/faults.ts";
import { platformError } from "../world/port-errors.ts";
import { HOUR_MS, MINUTE_MS, onlyEntry, RUN_LIMIT_MS, Scene, SECOND_MS } from "./scene.ts";

const FOREVER = Number.POSITIVE_INFINITY;
const ONE_DAY_MS = 24 * HOUR_MS;

/** A file that takes about so long to download: 1 KiB every 10 s. */
function slowTask(scene: Scene, ms: number): string {
  scene.world.platform.settings.chunkLatency = 10 * SECOND_MS;
  return scene.addTask({ file: exportFile(900 + ms / SECOND_MS, Math.floor(ms / 10) - 1_500) });
}

describe("a run's time", () => {
  test.each([1, 1 * SECOND_MS, 59 * SECOND_MS])("with %i ms left nothing is started", async (limitMs) => {
    const scene = new Scene();
    const [id = ""] = scene.addTasks(1);
    const report = await scene.run({ limitMs });
    expect(report).toMatchObject({ stopReason: "time-budget", tasks: [], counts: { received: 0 } });
    expect(scene.count("queue.receive")).toBe(0);
    expect(scene.bodies()).toEqual([id]);
  });

  test("no slot before the end: handed back unchanged, the run ends, the others are settled", async () => {
    const scene = new Scene();
    const ids = scene.addTasks(12);
    const report = await scene.run({ limitMs: 3 * MINUTE_MS });
    expect(report.stopReason).toBe("time-budget");
    // Slots at 0, 31, 62, 93 s; the one at 124 s lies beyond 180 − 60.
    expect(report.counts).toMatchObject({ archived: 4, deleted: 4, postponed: 0 });
    expect(scene.bodies()).toEqual(expect.arrayContaining(ids.slice(6)));
    expect(scene.bodies()).toHaveLength(8);
    await scene.runUntilQueueIsEmpty(5, { limitMs: 3 * MINUTE_MS, gapMs: 30 * SECOND_MS });
    scene.expectAllDone(ids);
  });

  test("cut by the task's time-out: needs a full run, starts there, is done", async () => {
    const scene = new Scene();
    const id = slowTask(scene, 11 * MINUTE_MS);
    const startedWallMs = scene.world.clock.wallMs();
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "cut-by-time-limit" });
    expect(scene.message()).toMatchObject({ exportTaskId: id, needsFullRun: true });
    expect(scene.message().attempts).toBeUndefined();
    expect(Math.abs((scene.message().notBeforeMs ?? 0) - startedWallMs - RUN_LIMIT_MS)).toBeLessThan(
      SECOND_MS,
    );
    expect(scene.world.store.openUploads).toEqual([]);

    await scene.wait(RUN_LIMIT_MS);
    expect(onlyEntry(await scene.run()).outcome).toBe("archived-deleted");
    scene.expectAllDone([id]);
  });

  test("cut by the end of the run: the grace settles everything", async () => {
    const scene = new Scene();
    const id = slowTask(scene, 4 * MINUTE_MS);
    const report = await scene.run({ limitMs: 3 * MINUTE_MS });
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "cut-by-time-limit" });
    expect(onlyEntry(report).durationMs).toBeGreaterThan(150 * SECOND_MS);
    expect(onlyEntry(report).durationMs).toBeLessThanOrEqual(161 * SECOND_MS);
    await scene.wait(MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
  });

  test("cut because it started near the end: no full run is asked for, unless that happens again", async () => {
    const scene = new Scene();
    const id = slowTask(scene, 50 * SECOND_MS);
    await scene.run({ limitMs: 65 * SECOND_MS });
    expect(scene.message().notBeforeMs).toBeDefined();
    expect(scene.message().needsFullRun).toBeUndefined();
    await scene.wait(MINUTE_MS);
    await scene.run({ limitMs: 65 * SECOND_MS });
    expect(scene.message()).toMatchObject({ exportTaskId: id, needsFullRun: true });
    await scene.wait(MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
  });

  test("cut in a full run too: failed tries, in the end too-large-for-run", async () => {
    const scene = new Scene();
    const id = slowTask(scene, 15 * MINUTE_MS);
    const settings = { maxAttempts: 2, giveUpAfterMs: 0 };
    await scene.run({ settings });
    await scene.wait(RUN_LIMIT_MS);
    expect(onlyEntry(await scene.run({ settings }))).toMatchObject({
      outcome: "retried",
      reason: "cut-in-full-run",
    });
    expect(scene.message()).toMatchObject({ attempts: 1, needsFullRun: true });
    await scene.wait(15 * MINUTE_MS);
    const report = await scene.run({ settings });
    expect(onlyEntry(report)).toMatchObject({ outcome: "dead-lettered", reason: "too-large-for-run" });
    expect(scene.world.queue.deadLetters[0]?.detail).toContain(
      "run the archiver on a machine without a time limit",
    );
    expect(scene.world.platform.has(id)).toBe(true);
    expect(scene.world.store.openUploads).toEqual([]);
  });

  test("a run without limit cuts at the time-out first, and then has patience", async () => {
    const scene = new Scene();
    const id = slowTask(scene, 40 * MINUTE_MS);
    const report = await scene.run({ limitMs: FOREVER });
    expect(report.tasks).toMatchObject([
      { outcome: "postponed", reason: "cut-by-time-limit" },
      { outcome: "archived-deleted" },
    ]);
    scene.expectAllDone([id]);
  });

  test("a full run is half the run at least: handed back until then", async () => {
    const scene = new Scene();
    const others = scene.addTasks(16);
    const id = scene.world.platform.addTask();
    scene.send({ exportTaskId: id, needsFullRun: true });
    const report = await scene.run();
    expect(report.tasks.map(({ exportTaskId }) => exportTaskId)).not.toContain(id);
    expect(scene.message()).toMatchObject({ exportTaskId: id, needsFullRun: true });
    await scene.wait(15 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([...others, id]);
  });

  test("half the run is measured when the others have finished, not before", async () => {
    const scene = new Scene();
    const slowId = slowTask(scene, 9 * MINUTE_MS);
    const id = scene.world.platform.addTask();
    scene.send({ exportTaskId: id, needsFullRun: true });
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ exportTaskId: slowId, outcome: "archived-deleted" });
    expect(scene.message()).toMatchObject({ exportTaskId: id, needsFullRun: true });
  });

  test("a task that has to be alone is not started when the others used up the time", async () => {
    const scene = new Scene();
    slowTask(scene, 2 * MINUTE_MS + 20 * SECOND_MS);
    const id = scene.world.platform.addTask();
    scene.send({ exportTaskId: id, alone: true });
    const report = await scene.run({ limitMs: 3 * MINUTE_MS });
    expect(report.stopReason).toBe("time-budget");
    expect(onlyEntry(report).exportTaskId).not.toBe(id);
    expect(scene.events.filter(({ kind }) => kind === "task-started")).toHaveLength(1);
    expect(scene.message()).toMatchObject({ exportTaskId: id, alone: true });
  });

  test("a full run has nothing else in flight", async () => {
    const scene = new Scene();
    const first = scene.addTask();
    const id = scene.world.platform.addTask();
    scene.send({ exportTaskId: id, needsFullRun: true });
    const last = scene.addTask();
    await scene.run();
    const order = scene.events.flatMap((event) =>
      event.kind === "task-started"
        ? [`+${event.exportTaskId}`]
        : event.kind === "task-ended"
          ? [`-${event.entry.exportTaskId}`]
          : [],
    );
    expect(order).toEqual([`+${first}`, `-${first}`, `+${id}`, `-${id}`, `+${last}`, `-${last}`]);
  });

  test("notBefore is respected, however early the queue shows the message", async () => {
    const scene = new Scene();
    const id = scene.world.platform.addTask();
    const notBeforeMs = scene.world.clock.wallMs() + HOUR_MS;
    scene.send({ exportTaskId: id, notBeforeMs });
    for (let run = 1; run <= 3; run += 1) {
      expect((await scene.run()).tasks).toEqual([]);
      expect(scene.message().notBeforeMs).toBe(notBeforeMs);
      await scene.wait(15 * MINUTE_MS);
    }
    await scene.wait(15 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
  });

  test("delayed messages that are due soon are waited for when asked to", async () => {
    const scene = new Scene();
    const soon = scene.world.platform.addTask();
    const late = scene.world.platform.addTask();
    scene.send({ exportTaskId: soon }, 4 * MINUTE_MS);
    scene.send({ exportTaskId: late }, 14 * MINUTE_MS);
    const report = await scene.run({ limitMs: FOREVER, waitForDueMs: 5 * MINUTE_MS });
    expect(onlyEntry(report).exportTaskId).toBe(soon);
    expect(scene.message().exportTaskId).toBe(late);
    expect(scene.events.filter(({ kind }) => kind === "idle").length).toBeGreaterThan(0);
  });

  test("but not past the run's own end", async () => {
    const scene = new Scene();
    const id = scene.world.platform.addTask();
    scene.send({ exportTaskId: id }, 4 * MINUTE_MS);
    const report = await scene.run({ limitMs: 3 * MINUTE_MS, waitForDueMs: 15 * MINUTE_MS });
    expect(report).toMatchObject({ stopReason: "time-budget", tasks: [] });
    expect(scene.world.clock.monotonicMs()).toBeLessThan(MINUTE_MS);
  });
});

describe("a stalled part of the world never keeps a run past its limit (I8)", () => {
  const sites: readonly Site[] = [
    "platform.listExportTasks",
    "platform.showExportTask",
    "platform.body",
    "platform.deleteExportTask",
    "store.preflight",
    "store.readClockMs",
    "store.openUpload",
    "store.write",
    "store.complete",
    "store.abort",
    "store.head",
    "store.read",
    "store.list",
    "store.abortUploadsUnder",
    "store.getDocument",
    "store.putDocument",
    "queue.receive",
    "queue.renew",
    "queue.send",
    "queue.acknowledge",
    "queue.deadLetter",
  ];

  test.each(sites)("%s", async (site) => {
    // Every call of the site, and from each later one on.
    for (let occurrence = 1; occurrence <= 9; occurrence += 1) {
      const scene = new Scene({ seed: occurrence });
      const ids = scene.addTasks(3);
      scene.addTask({ status: "Failed" });
      scene.world.faults.plant({ site, occurrence, times: FOREVER, form: "stall" });
      await scene.run();
      scene.world.faults.clear();
      await scene.wait(15 * MINUTE_MS);
      await scene.runUntilQueueIsEmpty(4);
      expect(ids.some((id) => scene.world.platform.has(id))).toBe(false);
      expect(scene.world.store.openUploads).toEqual([]);
    }
  });

  test("the body, the abort and the queue together: the cut comes early enough for both", async () => {
    const scene = new Scene();
    scene.addTasks(2);
    scene.world.faults.plant(
      { site: "platform.body", times: FOREVER, form: "stall" },
      { site: "store.abort", times: FOREVER, form: "stall" },
      { site: "queue.send", times: FOREVER, form: "stall" },
    );
    await scene.run({ limitMs: 3 * MINUTE_MS });
    expect(scene.bodies()).toHaveLength(2);
  });

  test("failing uploads and a stalled queue together", async () => {
    const scene = new Scene();
    scene.addTasks(6);
    scene.world.platform.settings.chunkLatency = 10 * SECOND_MS;
    scene.world.faults.plant(
      { site: "platform.body", times: FOREVER, form: "body", damage: { kind: "reset", afterBytes: 1_000 } },
      { site: "store.abort", times: FOREVER, form: "stall" },
      { site: "queue.send", times: FOREVER, form: "stall" },
    );
    const report = await scene.run({ limitMs: 3 * MINUTE_MS });
    expect(report.stopReason).toBe("system-failure");
  });
});

describe("an operator's interrupt", () => {
  /** Interrupts at this moment of virtual time and returns the report. */
  async function interruptAfter(scene: Scene, afterMs: number) {
    const interrupt = new AbortController();
    scene.world.clock.schedule(afterMs, () => interrupt.abort(new Error("SIGINT")));
    const startedMs = scene.world.clock.monotonicMs();
    const report = await scene.run({ signal: interrupt.signal, limitMs: ONE_DAY_MS });
    return { report, tookMs: scene.world.clock.monotonicMs() - startedMs };
  }

  test("at any moment: everything is handed back unchanged, no upload stays open, the next run goes on", async () => {
    for (let step = 0; step < 60; step += 1) {
      const afterMs = step * 37 + (step > 40 ? (step - 40) * 2_000 : 0);
      const scene = new Scene({ seed: step + 1 });
      scene.world.platform.settings.chunkLatency = { minMs: 50, maxMs: 150 };
      const ids = scene.addTasks(3);
      const { report, tookMs } = await interruptAfter(scene, afterMs);
      expect(report.stopReason).toBe("aborted");
      expect(tookMs).toBeLessThan(afterMs + 2 * SECOND_MS);
      expect(report.counts).toMatchObject({ postponed: 0, retried: 0, deadLettered: 0 });
      const gone = ids.filter((id) => !scene.world.platform.has(id));
      for (const message of scene.messages()) {
        expect(message).toEqual({ exportTaskId: message.exportTaskId });
      }
      expect(scene.bodies().length + gone.length).toBeGreaterThanOrEqual(3);
      await scene.wait(2 * MINUTE_MS);
      await scene.runUntilQueueIsEmpty(3);
      scene.expectAllDone(ids);
    }
  });

  test("in the middle of a body: the upload is aborted at once", async () => {
    const scene = new Scene();
    scene.world.platform.settings.chunkLatency = 10 * SECOND_MS;
    const [id = ""] = scene.addTasks(1);
    const { report } = await interruptAfter(scene, 15 * SECOND_MS);
    expect(report).toMatchObject({ stopReason: "aborted", tasks: [] });
    expect(scene.count("store.openUpload")).toBe(1);
    expect(scene.count("store.abort")).toBe(1);
    expect(scene.world.store.openUploads).toEqual([]);
    expect(scene.bodies()).toEqual([id]);
  });

  test("held failures go back unchanged as well", async () => {
    const scene = new Scene();
    const [first = ""] = scene.addTasks(2);
    const error = platformError("platform-unavailable");
    scene.world.faults.plant({ site: "platform.showExportTask", form: "not-done", error });
    await interruptAfter(scene, 10 * SECOND_MS);
    expect(scene.messages()).toEqual(expect.arrayContaining([{ exportTaskId: first }]));
    expect(scene.messages().every(({ attempts }) => attempts === undefined)).toBe(true);
  });

  test("while it waits for what is due", async () => {
    const scene = new Scene();
    scene.send({ exportTaskId: scene.world.platform.addTask() }, 10 * MINUTE_MS);
    const interrupt = new AbortController();
    scene.world.clock.schedule(MINUTE_MS, () => interrupt.abort(new Error("SIGINT")));
    const report = await scene.run({ signal: interrupt.signal, waitForDueMs: 15 * MINUTE_MS });
    expect(report.stopReason).toBe("aborted");
    expect(scene.world.clock.monotonicMs()).toBeLessThan(MINUTE_MS + 2 * SECOND_MS);
  });
});

describe("pressure", () => {
  test("below the threshold nothing is received; at it the run archives", async () => {
    const scene = new Scene();
    const ids = [...scene.addTasks(34)];
    const report = await scene.run({ when: "pressure" });
    expect(report).toMatchObject({ stopReason: "no-pressure", tasks: [], platform: { held: 34, limit: 50 } });
    expect(scene.count("queue.receive")).toBe(0);
    expect(report.platform.oldestUnarchived?.exportTaskId).toBe(ids[0]);
    ids.push(scene.addTask());
    const pressed = await scene.run({ when: "pressure" });
    expect(pressed.counts.archived).toBeGreaterThan(20);
    await scene.runUntilQueueIsEmpty(3);
    scene.expectAllDone(ids);
  });
});
