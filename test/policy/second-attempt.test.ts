import { expect, test } from "vitest";
import { onlyEntry, Scene } from "./scene.ts";

test("a recorded copy that is still in place goes to the gate by a HEAD: not read, not archived again", async () => {
  const scene = new Scene();
  const id = scene.addTask();
  const first = await scene.run({ settings: { deletion: "never" } });
  expect(onlyEntry(first)).toMatchObject({ outcome: "archived-kept", reason: "delete-disabled" });
  expect(scene.events).toContainEqual(expect.objectContaining({ kind: "archived", adopted: false }));
  const readsBefore = scene.count("store.read");

  scene.world.queue.send(id);
  const second = await scene.run();
  expect(onlyEntry(second)).toMatchObject({ outcome: "deleted" });
  expect(second.counts).toMatchObject({ archived: 0, deleted: 1 });
  expect(scene.count("store.read")).toBe(readsBefore);
  expect(scene.count("platform.showExportTask")).toBe(1);
  scene.expectAllDone([id]);
});

test("a recorded copy whose ETag is another, though its bytes are the same, stands and is not archived again", async () => {
  const scene = new Scene();
  const id = scene.addTask();
  await scene.run({ settings: { deletion: "never" } });
  const [key = ""] = scene.objects(id);
  // As after a move to another disk.
  scene.world.store.plantObject(key, scene.world.store.entries.get(key)?.bytes ?? Buffer.of());
  scene.world.queue.send(id);
  expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "deleted" });
  expect(scene.recordNames(id)).toEqual(["archived.json", "deleted.json"]);
});

test("a recorded copy that is missing is made again: a stray object of its revision is not taken for it", async () => {
  const scene = new Scene();
  const id = scene.addTask();
  await scene.run({ settings: { deletion: "never" } });
  const [key = ""] = scene.objects(id);
  const stray = key.replace(/[0-9a-f]{6}\.zip$/, "0a1b2c.zip");
  scene.world.store.plantObject(stray, scene.world.store.entries.get(key)?.bytes ?? Buffer.of());
  scene.world.store.removeObject(key);
  scene.world.queue.send(id);
  await scene.run();
  expect(scene.count("platform.showExportTask")).toBe(2);
  expect(scene.record(id, "archived-2").object?.key).not.toBe(stray);
});

test("finishing a task leaves the upload of one whose id differs in its last character", async () => {
  const scene = new Scene();
  const id = scene.addTask();
  const neighbour = `exports/project-1/default/2026/11/22/${id.slice(0, -1)}x/e7826e9f-0a1b2c.zip`;
  scene.world.store.openUpload(neighbour, "other", {});
  expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "archived-deleted" });
  expect(scene.world.store.openUploads.map(({ key }) => key)).toEqual([neighbour]);
});
