import { describe, expect, test } from "vitest";
import type { PlannedFault, Site, SiteCall } from "../world/faults.ts";
import { onlyEntry, Scene } from "./scene.ts";

const VISIBILITY_MS = 120_000;

/** One task, a runner that dies by `fault`, and the clean run after the visibility timeout. */
async function dieAndGoOn(fault: PlannedFault, scene = new Scene()) {
  const id = scene.addTask();
  scene.world.faults.plant(fault);
  const crashedAt = await scene.crash();
  const downloadsBefore = scene.count("platform.showExportTask");
  const uploadsLeftOpen = scene.world.store.openUploads.length;
  await scene.wait(VISIBILITY_MS);
  const report = await scene.run();
  scene.expectAllDone([id]);
  return {
    scene,
    id,
    crashedAt,
    report,
    uploadsLeftOpen,
    downloadsBefore,
    downloadsAfter: scene.count("platform.showExportTask") - downloadsBefore,
  };
}

const toRecord =
  (name: string) =>
  ({ subject }: SiteCall) =>
    subject.startsWith("records/") && subject.endsWith(`/${name}.json`);

describe("the process dies after… (architecture §4)", () => {
  test("receiving: starts again", async () => {
    const { report, downloadsAfter } = await dieAndGoOn({
      site: "queue.receive",
      form: "crash",
      when: "after",
    });
    expect(downloadsAfter).toBe(1);
    expect(onlyEntry(report).outcome).toBe("archived-deleted");
  });

  test("the slot is taken: starts again, one interval later at most", async () => {
    const { downloadsAfter } = await dieAndGoOn({
      site: "store.putDocument",
      match: ({ subject }) => subject === "state/pacing.json",
      occurrence: 2,
      form: "crash",
      when: "after",
    });
    expect(downloadsAfter).toBe(1);
  });

  test("the download request is written: downloads again", async () => {
    const { downloadsBefore, downloadsAfter } = await dieAndGoOn({
      site: "platform.showExportTask",
      form: "crash",
      when: "after",
    });
    expect([downloadsBefore, downloadsAfter]).toEqual([1, 1]);
  });

  test("half the body: starts again under a new key; the old upload is aborted", async () => {
    const { scene, uploadsLeftOpen, downloadsAfter } = await dieAndGoOn({
      site: "platform.body",
      form: "body",
      damage: { kind: "crash", afterBytes: 1_500 },
    });
    expect([uploadsLeftOpen, downloadsAfter]).toEqual([1, 1]);
    const opened = scene.world.effects.at("store.openUpload").map(({ subject }) => subject);
    expect(new Set(opened).size).toBe(2);
  });

  test("the object is complete: adopts it without a download", async () => {
    const { scene, id, report, downloadsAfter } = await dieAndGoOn({
      site: "store.complete",
      form: "crash",
      when: "after",
    });
    expect(downloadsAfter).toBe(0);
    expect(scene.objects(id)).toHaveLength(1);
    expect(scene.record(id, "archived").verification).toEqual({
      level: "read-back",
      container: "members",
      adopted: true,
    });
    expect(onlyEntry(report).outcome).toBe("archived-deleted");
    expect(report.counts).toMatchObject({ archived: 1, deleted: 1 });
  });

  test("the copy is verified: adopts it too", async () => {
    const { downloadsAfter } = await dieAndGoOn({ site: "store.read", form: "crash", when: "after" });
    expect(downloadsAfter).toBe(0);
  });

  test("the archived record: goes to the gate", async () => {
    const { scene, report, downloadsAfter } = await dieAndGoOn({
      site: "store.putDocument",
      match: toRecord("archived"),
      form: "crash",
      when: "after",
    });
    expect(downloadsAfter).toBe(0);
    expect(scene.count("store.complete")).toBe(1);
    expect(onlyEntry(report).outcome).toBe("deleted");
    expect(report.counts).toMatchObject({ archived: 0, deleted: 1 });
  });

  test("the delete: writes `already-gone` and acknowledges", async () => {
    const { scene, id, report, downloadsAfter } = await dieAndGoOn({
      site: "platform.deleteExportTask",
      form: "crash",
      when: "after",
    });
    expect(downloadsAfter).toBe(0);
    expect(scene.record(id, "deleted").outcome).toBe("already-gone");
    expect(onlyEntry(report)).toMatchObject({ outcome: "already-done", reason: "already-gone" });
    expect(scene.count("platform.deleteExportTask")).toBe(1);
  });

  test("the deleted record: acknowledges, the record stays", async () => {
    const { scene, id, report } = await dieAndGoOn({
      site: "store.putDocument",
      match: toRecord("deleted"),
      form: "crash",
      when: "after",
    });
    expect(scene.record(id, "deleted").outcome).toBe("deleted");
    expect(onlyEntry(report).outcome).toBe("already-done");
  });

  test("everything but the acknowledgement: acknowledges", async () => {
    const { report } = await dieAndGoOn({ site: "queue.acknowledge", form: "crash", when: "before" });
    expect(onlyEntry(report).outcome).toBe("already-done");
  });

  test("the acknowledgement: nothing is left to do", async () => {
    const { report } = await dieAndGoOn({ site: "queue.acknowledge", form: "crash", when: "after" });
    expect(report.tasks).toEqual([]);
  });
});

const EVERY_SITE: readonly Site[] = [
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
  "store.confirmStored",
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
  "queue.depth",
];

/** Kills the runner at its `call`-th call to the outside, wherever that is. */
function plantCrashAt(scene: Scene, call: number, when: "before" | "after"): void {
  let calls = 0;
  const match = () => {
    calls += 1;
    return calls === call;
  };
  scene.world.faults.plant(...EVERY_SITE.map((site) => ({ site, match, form: "crash" as const, when })));
}

describe("the process dies at any call to the outside", () => {
  test.each([
    { tasks: 1, when: "before" as const, atLeast: 25, capable: true },
    { tasks: 1, when: "after" as const, atLeast: 25, capable: true },
    { tasks: 1, when: "after" as const, atLeast: 25, capable: false },
    { tasks: 3, when: "after" as const, atLeast: 75, capable: true },
  ])("$tasks task(s), $when it, store with conditional writes: $capable", async (row) => {
    let call = 1;
    for (; ; call += 1) {
      const scene = new Scene({
        seed: call,
        store: { createOnce: row.capable, compareAndSwap: row.capable },
      });
      const ids = scene.addTasks(row.tasks);
      plantCrashAt(scene, call, row.when);
      const ending = await scene.world.run(() => scene.start());
      scene.world.faults.clear();
      if (ending.kind === "finished") {
        break;
      }
      await scene.wait(VISIBILITY_MS);
      await scene.runUntilQueueIsEmpty(2);
      scene.expectAllDone(ids);
    }
    expect(call).toBeGreaterThan(row.atLeast);
  });

  test("a second death while the first is mended", async () => {
    for (let call = 1; call <= 60; call += 1) {
      const scene = new Scene({ seed: call });
      const ids = scene.addTasks(2);
      for (const at of [call, (call * 7) % 40]) {
        plantCrashAt(scene, at, "after");
        await scene.world.run(() => scene.start());
        scene.world.faults.clear();
        await scene.wait(VISIBILITY_MS);
      }
      await scene.runUntilQueueIsEmpty(3);
      scene.expectAllDone(ids);
    }
  });
});
