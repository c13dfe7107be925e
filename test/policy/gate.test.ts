import { describe, expect, test } from "vitest";
import { globHoldKey, HOLDS_FOLDER, holdKey, recordKey } from "../../lib/domain/key-layout.ts";
import { exportFile } from "../world/export-file.ts";
import type { PlannedFault } from "../world/faults.ts";
import { expectKept, MINUTE_MS, onlyEntry, Scene } from "./scene.ts";

/** Something happens just before the list the gate relies on. Before it come those of preflight, look, and completing. */
function beforeGateList(act: () => void): PlannedFault {
  return { site: "platform.listExportTasks", occurrence: 4, form: "race", act };
}

/** Something happens just before the gate looks at the recorded object. */
function beforeGateHead(act: () => void): PlannedFault {
  return { site: "store.head", occurrence: 1, form: "race", act };
}

describe("keep: archived, acknowledged, counted", () => {
  test("delete-disabled", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const report = await scene.run({ settings: { deletion: "never" } });
    expect(onlyEntry(report)).toMatchObject({ outcome: "archived-kept", reason: "delete-disabled" });
    expect(report.counts).toMatchObject({ archived: 1, kept: 1, deleted: 0 });
    expect(scene.bodies()).toEqual([]);
    expect(scene.recordNames(id)).toEqual(["archived.json"]);
    expectKept(scene, id);
  });

  test("hold, also one that is set at the last moment", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const act = () => scene.world.store.plantObject(holdKey(id), Buffer.from("{}"));
    const match = ({ subject }: { subject: string }) => subject === HOLDS_FOLDER;
    scene.world.faults.plant({ site: "store.list", match, form: "race", act });
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "archived-kept", reason: "hold" });
    expect(scene.bodies()).toEqual([]);
    expectKept(scene, id);

    scene.world.store.removeObject(holdKey(id));
    scene.world.queue.send(id);
    await scene.run();
    scene.expectAllDone([id]);
    expect(scene.count("platform.showExportTask")).toBe(1);
  });

  test("a hold on a glob, and a file among the globs that is none", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.store.plantObject(globHoldKey(`${id.slice(0, 5)}*`), Buffer.from("not even JSON"));
    scene.world.store.plantObject(globHoldKey("no-such-*"), Buffer.from("{}"));
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "archived-kept", reason: "hold" });
    expectKept(scene, id);
    scene.world.store.removeObject(globHoldKey(`${id.slice(0, 5)}*`));
    scene.world.store.plantObject("holds/globs/odd.json", Buffer.from("{}"));
    scene.world.queue.send(id);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "archived-kept", reason: "hold" });
    expectKept(scene, id);
  });

  test("expired: the copy is not brought back, the task not deleted", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    await scene.run({ settings: { deletion: "never" } });
    const expired = recordKey(scene.world.scope, id, scene.revision(id), "expired", 1);
    scene.world.store.plantObject(expired, Buffer.from("{}"));
    for (const key of scene.objects(id)) {
      scene.world.store.removeObject(key);
    }
    scene.world.queue.send(id);
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "archived-kept", reason: "expired" });
    expect(scene.count("platform.showExportTask")).toBe(1);
    expectKept(scene, id);
  });

  test("expired while the attempt was on its way to the gate", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const expired = recordKey(scene.world.scope, id, scene.revision(id), "expired", 1);
    scene.world.faults.plant({
      site: "store.list",
      match: ({ subject }) => subject.startsWith("records/"),
      occurrence: 2,
      form: "race",
      act: () => scene.world.store.plantObject(expired, Buffer.from("{}")),
    });
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "archived-kept", reason: "expired" });
    expectKept(scene, id);
  });

  test("keeping ends uploads that a dead runner left open", async () => {
    const scene = new Scene();
    scene.addTask();
    scene.world.faults.plant({ site: "store.openUpload", form: "crash", when: "after" });
    await scene.crash();
    expect(scene.world.store.openUploads).toHaveLength(1);
    await scene.wait(2 * MINUTE_MS);
    await scene.run({ settings: { deletion: "never" } });
    expect(scene.world.store.openUploads).toEqual([]);
  });
});

describe("wait: step 2 archives again", () => {
  /** Archives and keeps, so that the next run begins with a standing record. */
  async function archivedScene(): Promise<{ scene: Scene; id: string; key: string }> {
    const scene = new Scene();
    const id = scene.addTask();
    await scene.run({ settings: { deletion: "never" } });
    const [key = ""] = scene.objects(id);
    scene.world.queue.send(id);
    await scene.wait(MINUTE_MS);
    return { scene, id, key };
  }

  test("the object vanishes before the gate's HEAD", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant(
      beforeGateHead(() => scene.world.store.removeObject(scene.objects(id)[0] ?? "")),
    );
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "copy-missing" });
    expectKept(scene, id);
    await scene.wait(6 * MINUTE_MS);
    await scene.run();
    expect(scene.recordNames(id)).toEqual(["archived-2.json", "archived.json", "deleted.json"]);
    expect(scene.world.platform.has(id)).toBe(false);
    expect(scene.count("platform.showExportTask")).toBe(2);
  });

  test.each([
    ["of another size", (bytes: Uint8Array) => bytes.subarray(1)],
    ["of the same size", (bytes: Uint8Array) => Buffer.from(bytes).fill(7, 100, 120)],
  ])("the object is replaced by one %s before the gate's HEAD", async (_name, damage) => {
    const scene = new Scene();
    const id = scene.addTask();
    const replace = () => {
      const [key = ""] = scene.objects(id);
      scene.world.store.plantObject(key, damage(scene.world.store.entries.get(key)?.bytes ?? Buffer.of()));
    };
    scene.world.faults.plant(beforeGateHead(replace));
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "copy-missing" });
    expectKept(scene, id);
    await scene.wait(6 * MINUTE_MS);
    await scene.run();
    expect(scene.recordNames(id)).toContain("archived-2.json");
    expect(scene.world.platform.has(id)).toBe(false);
  });

  test.each(["missing", "damaged"])("the recorded object is %s when the attempt begins", async (how) => {
    const { scene, id, key } = await archivedScene();
    const bytes = Buffer.from(scene.world.store.entries.get(key)?.bytes ?? Buffer.of());
    scene.world.store.removeObject(key);
    if (how === "damaged") {
      scene.world.store.plantObject(key, bytes.fill(7, 100, 120));
    }
    await scene.run();
    expect(scene.recordNames(id)).toEqual(["archived-2.json", "archived.json", "deleted.json"]);
    expect(scene.record(id, "archived-2").object?.key).not.toBe(key);
    expect(scene.count("platform.showExportTask")).toBe(2);
  });

  test("the recorded object was moved, its bytes are the same: read back once, no download", async () => {
    const { scene, id, key } = await archivedScene();
    const bytes = scene.world.store.entries.get(key)?.bytes ?? Buffer.of();
    scene.world.store.plantObject(key, bytes);
    const readsBefore = scene.count("store.read");
    await scene.run();
    scene.expectAllDone([id]);
    expect(scene.count("store.read") - readsBefore).toBe(1);
    expect(scene.count("platform.showExportTask")).toBe(1);
  });

  test("the record is damaged: the object is adopted under the next number", async () => {
    const { scene, id, key } = await archivedScene();
    const revision = scene.revision(id);
    const recordAt = recordKey(scene.world.scope, id, revision, "archived", 1);
    scene.world.store.plantObject(recordAt, Buffer.from('{"schemaVersion":1,'));
    await scene.run();
    const second = recordKey(scene.world.scope, id, revision, "archived", 2);
    expect(JSON.parse(scene.world.store.textAt(second) ?? "{}")).toMatchObject({
      object: { key },
      verification: { adopted: true },
    });
    expect(scene.world.platform.has(id)).toBe(false);
    expect(scene.count("platform.showExportTask")).toBe(1);
  });

  test("the record is damaged before the gate reads it again: nothing is deleted on it", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const recordAt = recordKey(scene.world.scope, id, scene.revision(id), "archived", 1);
    scene.world.faults.plant({
      site: "store.list",
      match: ({ subject }) => subject.startsWith("records/"),
      occurrence: 2,
      form: "race",
      act: () => scene.world.store.plantObject(recordAt, Buffer.from("{}")),
    });
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "copy-missing" });
    expectKept(scene, id);
  });

  test("the revision changes before the gate's list", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const before = scene.revision(id);
    scene.world.faults.plant(beforeGateList(() => scene.world.platform.overwriteTask(id, exportFile(99))));
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "revision-changed" });
    expectKept(scene, id);
    const after = scene.revision(id);
    expect(after).not.toBe(before);
    await scene.wait(6 * MINUTE_MS);
    await scene.run();
    expect(Object.keys(scene.records(id)).sort()).toEqual(
      [`${before}/archived.json`, `${after}/archived.json`, `${after}/deleted.json`].sort(),
    );
    expect(scene.world.platform.has(id)).toBe(false);
  });

  test.each(["Failed", "Paused"])("the same revision is suddenly %s when the gate lists", async (status) => {
    const scene = new Scene();
    const id = scene.addTask();
    const { platform } = scene.world;
    const listAll = platform.list.bind(platform);
    const becomeOdd = () => {
      platform.list = () => listAll().map(({ task, ...file }) => ({ ...file, task: { ...task, status } }));
    };
    scene.world.faults.plant(beforeGateList(becomeOdd));
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "revision-changed" });
    expectKept(scene, id);
  });

  test("the task is being made again when the gate lists", async () => {
    const scene = new Scene({ platform: { sameCondition: "keeps-id", processingMs: 60_000 } });
    const id = scene.addTask({ resourceCondition: { task_id: "same" } });
    scene.world.faults.plant(
      beforeGateList(() => scene.world.platform.create({ resourceCondition: { task_id: "same" } }, 60_000)),
    );
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "revision-changed" });
    expectKept(scene, id);
  });
});

describe("gone and delete", () => {
  test("somebody else deleted it before the gate's list: `already-gone`, no delete request", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant(beforeGateList(() => scene.world.platform.removeTask(id)));
    const report = await scene.run();
    scene.expectAllDone([id]);
    expect(scene.record(id, "deleted").outcome).toBe("already-gone");
    expect(onlyEntry(report).outcome).toBe("archived-deleted");
    expect(scene.world.effects.at("platform.deleteExportTask")).toEqual([]);
  });

  test("somebody else deleted it before our delete: 404, confirmed by the list, `already-gone`", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const act = () => scene.world.platform.removeTask(id);
    scene.world.faults.plant({ site: "platform.deleteExportTask", form: "race", act });
    await scene.run();
    scene.expectAllDone([id]);
    expect(scene.record(id, "deleted").outcome).toBe("already-gone");
  });

  test("the gate's list may not be older than 5 s: a slow sibling check asks again", async () => {
    const scene = new Scene();
    const condition = { task_id: "same" };
    const id = scene.addTask({ resourceCondition: condition });
    const siblingId = scene.addTask({ resourceCondition: condition });
    await scene.run({ settings: { deletion: "never" } });
    scene.world.queue.send(id);
    const listsOfSibling = ({ subject }: { subject: string }) => subject.includes(`/${siblingId}/`);
    scene.world.faults.plant({ site: "store.list", match: listsOfSibling, form: "slow", extraMs: 6_000 });
    const listsBefore = scene.count("platform.listExportTasks");
    await scene.run();
    expect(scene.world.platform.has(id)).toBe(false);
    // preflight, look, the gate twice, confirmation
    expect(scene.count("platform.listExportTasks") - listsBefore).toBe(5);
  });

  test("siblings found archived are not asked for again: the check is slow once", async () => {
    const scene = new Scene();
    const condition = { task_id: "same" };
    const id = scene.addTask({ resourceCondition: condition });
    const siblingId = scene.addTask({ resourceCondition: condition });
    await scene.run({ settings: { deletion: "never" } });
    scene.world.queue.send(id);
    scene.world.faults.plant({
      site: "store.list",
      match: ({ subject }) => subject.includes(`/${siblingId}/`),
      times: Number.POSITIVE_INFINITY,
      form: "slow",
      extraMs: 6_000,
    });
    expect(onlyEntry(await scene.run()).outcome).toBe("deleted");
    expect(scene.world.platform.has(id)).toBe(false);
  });

  test("a connection that always takes longer than the list is fresh postpones", async () => {
    const scene = new Scene({ platform: { connectLatency: 6_000 } });
    const id = scene.addTask();
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "gate-too-slow" });
    expect(scene.count("platform.deleteExportTask")).toBe(0);
    expectKept(scene, id);
  });

  test("a list that always takes too long to be fresh postpones", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant({
      site: "platform.listExportTasks",
      times: Number.POSITIVE_INFINITY,
      form: "slow",
      extraMs: 6_000,
    });
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "gate-too-slow" });
    expectKept(scene, id);
  });
});
