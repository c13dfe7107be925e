import { describe, expect, test } from "vitest";
import { recordKey } from "../../lib/domain/key-layout.ts";
import { exportFile } from "../world/export-file.ts";
import { storeError } from "../world/port-errors.ts";
import { expectKept, HOUR_MS, MINUTE_MS, onlyEntry, Scene } from "./scene.ts";

describe("siblings: other tasks made with the same condition", () => {
  const condition = { task_id: "batch", filter: { from: 1, to: 2 } };
  const respelled = { filter: { to: 2, from: 1 }, task_id: "batch" };

  test.each(["Processing", "Paused"])(
    "one that is %s holds the delete up, and is kept after 24 h",
    async (status) => {
      const scene = new Scene();
      const id = scene.addTask({ resourceCondition: condition });
      scene.world.platform.addTask({ resourceCondition: respelled, status, processingMs: 1_000 * HOUR_MS });
      const first = await scene.run();
      expect(onlyEntry(first)).toMatchObject({ outcome: "postponed", reason: "sibling" });
      expect(scene.message()).toMatchObject({ exportTaskId: id });
      expect(scene.message().attempts).toBeUndefined();
      expect(scene.delayMs()).toBeGreaterThan(4 * MINUTE_MS);
      expect(scene.delayMs()).toBeLessThanOrEqual(5 * MINUTE_MS);

      await scene.wait(23 * HOUR_MS);
      expect(onlyEntry(await scene.run()).reason).toBe("sibling");
      expect(scene.bodies()).toHaveLength(1);
      await scene.wait(HOUR_MS);
      const last = await scene.run();
      expect(onlyEntry(last)).toMatchObject({ outcome: "archived-kept", reason: "sibling" });
      expect(scene.bodies()).toEqual([]);
      expect(scene.count("platform.showExportTask")).toBe(1);
      expectKept(scene, id);
    },
  );

  test("a finished one that is not archived yet; both go once both are archived", async () => {
    const scene = new Scene();
    const file = exportFile(1);
    const id = scene.addTask({ resourceCondition: condition, file });
    const siblingId = scene.world.platform.addTask({ resourceCondition: respelled, file });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "sibling" });
    expectKept(scene, id);

    scene.world.queue.send(siblingId);
    await scene.wait(6 * MINUTE_MS);
    await scene.runUntilQueueIsEmpty(2);
    scene.expectAllDone([id, siblingId]);
    expect(scene.count("platform.showExportTask")).toBe(2);
  });

  test("49 that are archived are all deleted by one run, however slow the store", async () => {
    const scene = new Scene({ maxCalls: 100_000, store: { callLatency: { minMs: 250, maxMs: 500 } } });
    const ids = Array.from({ length: 49 }, () => scene.addTask({ resourceCondition: condition }));
    await scene.run({ settings: { deletion: "never" }, limitMs: 2 * HOUR_MS });
    for (const id of ids) {
      scene.world.queue.send(id);
    }
    const [report] = await scene.runUntilQueueIsEmpty(1, { limitMs: HOUR_MS });
    expect(report?.counts).toMatchObject({ deleted: 49, postponed: 0 });
    scene.expectAllDone(ids);
  });

  test.each(["first", "last"])("the %s of ten that is not archived holds the delete up", async (place) => {
    const scene = new Scene();
    const addUnarchived = () => scene.world.platform.addTask({ resourceCondition: condition });
    if (place === "first") {
      addUnarchived();
    }
    const ids = Array.from({ length: 9 }, () => scene.addTask({ resourceCondition: condition }));
    if (place === "last") {
      addUnarchived();
    }
    await scene.run({ settings: { deletion: "never" }, limitMs: HOUR_MS });
    const [id = ""] = ids;
    scene.world.queue.send(id);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "sibling" });
    expectKept(scene, id);
  });

  test("one whose record is not text holds the delete up, and no attempt is counted", async () => {
    const scene = new Scene();
    const id = scene.addTask({ resourceCondition: condition });
    const siblingId = scene.world.platform.addTask({ resourceCondition: respelled });
    const key = recordKey(scene.world.scope, siblingId, scene.revision(siblingId), "archived", 1);
    scene.world.store.plantObject(key, Uint8Array.of(0xff));
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "sibling" });
    expectKept(scene, id);
  });

  test("one whose record was moved to an archive class, too", async () => {
    const scene = new Scene();
    const siblingId = scene.addTask({ resourceCondition: condition });
    await scene.run({ settings: { deletion: "never" } });
    scene.addTask({ resourceCondition: condition });
    scene.world.faults.plant({
      site: "store.getDocument",
      match: ({ subject }) => subject.includes(`/${siblingId}/`),
      times: Number.POSITIVE_INFINITY,
      form: "not-done",
      error: storeError("store-object-cold"),
    });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "sibling" });
    expect(scene.message().attempts).toBeUndefined();
  });

  test("an archived sibling with a changed revision blocks again", async () => {
    const scene = new Scene();
    const id = scene.addTask({ resourceCondition: condition });
    const siblingId = scene.addTask({ resourceCondition: respelled });
    await scene.run({ settings: { deletion: "never" } });
    scene.world.platform.overwriteTask(siblingId, exportFile(99));
    scene.world.queue.send(id);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "sibling" });
    expectKept(scene, id);
  });

  test("an archived sibling whose status is no longer Success blocks, too", async () => {
    const scene = new Scene();
    const id = scene.addTask({ resourceCondition: condition });
    const siblingId = scene.addTask({ resourceCondition: respelled });
    await scene.run({ settings: { deletion: "never" } });
    scene.world.platform.changeStatus(siblingId, "Paused");
    scene.world.queue.send(id);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "sibling" });
    expectKept(scene, id);
  });

  test.each([
    ["deep inside, in lists too", { a: [{ x: 1, y: null }, 2] }, { a: [{ y: null, x: 1 }, 2] }, true],
    ["but the order within a list counts", { a: [1, 2] }, { a: [2, 1] }, false],
  ])("keys may come in any order, %s", async (_name, one, other, isSibling) => {
    const scene = new Scene();
    scene.addTask({ resourceCondition: one });
    scene.world.platform.addTask({ resourceCondition: other, status: "Processing", processingMs: HOUR_MS });
    const { outcome } = onlyEntry(await scene.run());
    expect(outcome).toBe(isSibling ? "postponed" : "archived-deleted");
  });

  test("a Failed one does not count, nor one of another condition", async () => {
    const scene = new Scene();
    const id = scene.addTask({ resourceCondition: condition });
    scene.world.platform.addTask({ resourceCondition: respelled, status: "Failed" });
    scene.world.platform.addTask({ resourceCondition: { task_id: "other" }, status: "Processing" });
    expect(onlyEntry(await scene.run()).outcome).toBe("archived-deleted");
    scene.expectAllDone([id]);
  });
});
