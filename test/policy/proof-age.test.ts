import { describe, expect, test } from "vitest";
import { inventoryStateKey } from "../../lib/domain/key-layout.ts";
import { storeError } from "../world/port-errors.ts";
import { onlyEntry, Scene } from "./scene.ts";

const HOUR_MS = 3_600_000;

/** An export that was archived and kept, and whose deletion is allowed `laterMs` later. */
async function archivedBefore(laterMs: number, scene = new Scene()) {
  const id = scene.addTask();
  await scene.run({ settings: { deletion: "never" } });
  await scene.world.run(() => scene.world.clock.sleep(laterMs));
  scene.world.queue.send(id);
  const [key = ""] = scene.objects(id);
  return { scene, id, key, readsBefore: scene.count("store.read") };
}

describe("before a task is deleted, its copy", () => {
  test("is read again when it was read longer than an hour ago", async () => {
    const { scene, id, readsBefore } = await archivedBefore(HOUR_MS);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "deleted" });
    expect(scene.count("store.read") - readsBefore).toBe(1);
    expect(scene.count("platform.showExportTask")).toBe(1);
    scene.expectAllDone([id]);
  });

  test("is not read again within the hour", async () => {
    const { scene, readsBefore } = await archivedBefore(HOUR_MS - 60_000);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "deleted" });
    expect(scene.count("store.read")).toBe(readsBefore);
  });

  test("is not read again where the store scrubs checksums of its own", async () => {
    const world = new Scene({ store: { verification: "stored" } });
    const { scene, readsBefore } = await archivedBefore(24 * HOUR_MS, world);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "deleted" });
    expect(scene.count("store.read")).toBe(readsBefore);
  });

  test("is read again when its record claims a proof in the future", async () => {
    const { scene, readsBefore } = await archivedBefore(0);
    scene.world.clock.schedule(0, () => undefined);
    const report = await scene.run({ runner: { skewMs: -60_000 } });
    expect(onlyEntry(report)).toMatchObject({ outcome: "deleted" });
    expect(scene.count("store.read") - readsBefore).toBe(1);
  });

  test("is not read while the task is kept anyway", async () => {
    const { scene, readsBefore } = await archivedBefore(24 * HOUR_MS);
    await scene.run({ settings: { deletion: "never" } });
    expect(scene.count("store.read")).toBe(readsBefore);
  });
});

describe("a copy whose bytes rotted, with the size, ETag and time it had", () => {
  test("keeps its task, and the export is archived again in the same run", async () => {
    const { scene, id, key } = await archivedBefore(HOUR_MS);
    scene.world.store.rotObject(key);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "archived-deleted" });
    expect(scene.events).toContainEqual(
      expect.objectContaining({ kind: "verification-failed", exportTaskId: id }),
    );
    expect(scene.recordNames(id)).toEqual(["archived-2.json", "archived.json", "deleted.json"]);
    expect(scene.record(id, "archived-2").object?.key).not.toBe(key);
    expect(scene.count("platform.showExportTask")).toBe(2);
  });

  test("keeps its task while the platform does not give the file", async () => {
    const { scene, id, key } = await archivedBefore(HOUR_MS);
    scene.world.store.rotObject(key);
    const error = storeError("store-unavailable");
    scene.world.faults.plant({ site: "store.openUpload", times: 100, form: "not-done", error });
    await scene.run();
    expect(scene.world.platform.has(id)).toBe(true);
    expect(scene.count("platform.deleteExportTask")).toBe(0);
  });
});

describe.each([
  { verification: "stored", laterMs: 24 * HOUR_MS },
  { verification: "read-back", laterMs: HOUR_MS / 2 },
] as const)("a copy that the last inventory names, on a store that proves by $verification", (store) => {
  const { verification, laterMs } = store;

  /** What an inventory leaves when it found the bytes of this copy changed. */
  function nameDamaged({ world }: Scene, id: string, key: string): void {
    const damage = [{ exportTaskId: id, revision: "fe8e44f7", kind: "changed", key }];
    const startedAt = new Date(world.clock.wallMs()).toISOString();
    const report = { schemaVersion: 1, startedAt, stopReason: "done", counts: { exports: 1 }, damage };
    world.store.plantObject(inventoryStateKey(world.scope), Buffer.from(JSON.stringify(report)));
  }

  test("is read before its task is deleted, and archived again when its bytes changed", async () => {
    const { scene, id, key } = await archivedBefore(laterMs, new Scene({ store: { verification } }));
    scene.world.store.rotObject(key);
    nameDamaged(scene, id, key);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "archived-deleted" });
    const { key: newKey = "", sha256 } = scene.record(id, "archived-2").object ?? {};
    expect(newKey).not.toBe(key);
    expect(scene.world.store.entries.get(newKey)?.sha256).toBe(sha256);
  });

  test("is read once, and enough for a delete when its bytes are in order", async () => {
    const { scene, id, key, readsBefore } = await archivedBefore(
      laterMs,
      new Scene({ store: { verification } }),
    );
    nameDamaged(scene, id, key);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "deleted" });
    expect(scene.count("store.read") - readsBefore).toBe(1);
    scene.expectAllDone([id]);
  });

  test("is trusted as before when the inventory names another one", async () => {
    const { scene, id, key, readsBefore } = await archivedBefore(
      laterMs,
      new Scene({ store: { verification } }),
    );
    nameDamaged(scene, id, `${key}.other`);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "deleted" });
    expect(scene.count("store.read")).toBe(readsBefore);
  });
});

test("a copy that cannot be read any more keeps its task for that reason", async () => {
  const { scene, id } = await archivedBefore(HOUR_MS);
  const error = storeError("store-object-cold");
  scene.world.faults.plant({ site: "store.read", times: 100, form: "not-done", error });
  expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "archived-kept", reason: "copy-cold" });
  expect(scene.world.platform.has(id)).toBe(true);
});
