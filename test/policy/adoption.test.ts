import { describe, expect, test } from "vitest";
import { exportFile } from "../world/export-file.ts";
import { storeError } from "../world/port-errors.ts";
import { MINUTE_MS, onlyEntry, Scene } from "./scene.ts";

const FILE = exportFile(1);
const KEY_NONCE = "0a1b2c";

/** One task, and objects lying in its folder that no record names. */
function sceneWithObjects(objects: readonly { revision?: string; nonce?: string; bytes: Uint8Array }[]) {
  const scene = new Scene();
  const id = scene.addTask({ file: FILE });
  const folder = `exports/project-1/default/2026/11/22/${id}/`;
  const keys = objects.map(({ revision = scene.revision(id), nonce = KEY_NONCE, bytes }) => {
    const key = `${folder}${revision}-${nonce}.zip`;
    scene.world.store.plantObject(key, bytes);
    return key;
  });
  return { scene, id, keys };
}

function flipped(atByte: number): Uint8Array {
  const bytes = FILE.bytes.slice();
  bytes[atByte] = (bytes[atByte] ?? 0) ^ 1;
  return bytes;
}

describe("an object of this revision without a record", () => {
  test("is adopted when every member checks out: no slot, no download", async () => {
    const { scene, id, keys } = sceneWithObjects([{ bytes: FILE.bytes }]);
    const report = await scene.run();
    scene.expectAllDone([id]);
    expect(scene.record(id, "archived")).toMatchObject({
      object: { key: keys[0], sha256: FILE.sha256, sizeBytes: FILE.bytes.length },
      verification: { level: "read-back", container: "members", adopted: true },
    });
    expect(scene.world.effects.at("platform.showExportTask")).toEqual([]);
    expect(report.bytes).toBe(FILE.bytes.length);
    expect(scene.events).toContainEqual(expect.objectContaining({ kind: "archived", adopted: true }));
  });

  test.each([
    ["a flipped byte in a member", flipped(800)],
    ["a cut end", FILE.bytes.subarray(0, FILE.bytes.length - 10)],
    ["no archive", Buffer.from("rows")],
    ["nothing", Buffer.of()],
  ])("with %s is ignored and stays; the task is downloaded", async (_name, bytes) => {
    const { scene, id, keys } = sceneWithObjects([{ bytes }]);
    await scene.run();
    expect(scene.record(id, "archived").object?.key).not.toBe(keys[0]);
    expect(scene.world.store.entries.has(keys[0] ?? "")).toBe(true);
    expect(scene.count("platform.showExportTask")).toBe(1);
    expect(scene.world.platform.has(id)).toBe(false);
  });

  test("that is larger than its tail is read in parts, and adopted", async () => {
    const scene = new Scene();
    const file = exportFile(3, 300 * 1024);
    const id = scene.addTask({ file });
    const key = `exports/project-1/default/2026/11/22/${id}/${scene.revision(id)}-${KEY_NONCE}.zip`;
    scene.world.store.plantObject(key, file.bytes);
    await scene.run();
    expect(scene.record(id, "archived")).toMatchObject({ object: { key, sha256: file.sha256 } });
    expect(scene.count("platform.showExportTask")).toBe(0);
  });

  test("that changes while it is read for its hash is not adopted", async () => {
    const quiet = sceneWithObjects([{ bytes: FILE.bytes }]);
    await quiet.scene.run();
    const { scene, id, keys } = sceneWithObjects([{ bytes: FILE.bytes }]);
    const [key = ""] = keys;
    scene.world.faults.plant({
      site: "store.read",
      // Its members have been checked; the last read is the one for the hash.
      occurrence: quiet.scene.count("store.read"),
      form: "race",
      act: () => scene.world.store.plantObject(key, exportFile(2, 9_000).bytes),
    });
    await scene.run();
    expect(scene.record(id, "archived").object?.key).not.toBe(key);
    expect(scene.count("platform.showExportTask")).toBe(1);
  });

  test("the newest good one of several is taken", async () => {
    const scene = new Scene();
    const id = scene.addTask({ file: FILE });
    const key = (nonce: string) =>
      `exports/project-1/default/2026/11/22/${id}/${scene.revision(id)}-${nonce}.zip`;
    scene.world.store.plantObject(key("000001"), FILE.bytes);
    await scene.wait(MINUTE_MS);
    scene.world.store.plantObject(key("000002"), FILE.bytes);
    const second = key("000002");
    await scene.wait(MINUTE_MS);
    scene.world.store.plantObject(key("000003"), flipped(700));
    await scene.run();
    expect(scene.record(id, "archived").object?.key).toBe(second);
    expect(scene.count("platform.showExportTask")).toBe(0);
  });

  test.each([
    ["first read", () => 1],
    ["last read, the one for its hash,", (reads: number) => reads],
  ])(
    "that says at the %s that it lies in an archive class is passed over for the next one",
    async (_what, at) => {
      const quiet = sceneWithObjects([{ bytes: FILE.bytes }]);
      await quiet.scene.run();
      const scene = new Scene();
      const id = scene.addTask({ file: FILE });
      const folder = `exports/project-1/default/2026/11/22/${id}/${scene.revision(id)}-`;
      const [older, newer] = [`${folder}000001.zip`, `${folder}000002.zip`];
      scene.world.store.plantObject(older, FILE.bytes);
      await scene.wait(MINUTE_MS);
      scene.world.store.plantObject(newer, FILE.bytes);
      scene.world.faults.plant({
        site: "store.read",
        match: ({ subject }) => subject === newer,
        occurrence: at(quiet.scene.count("store.read")),
        form: "not-done",
        error: storeError("store-object-cold"),
      });
      const report = await scene.run();
      expect(scene.world.faults.hits).toHaveLength(1);
      expect(scene.record(id, "archived").object?.key).toBe(older);
      expect(scene.count("platform.showExportTask")).toBe(0);
      expect(report.counts).toMatchObject({ retried: 0, deleted: 1 });
    },
  );

  test("that is in an archive class stays there, and the task is downloaded", async () => {
    const { scene, id, keys } = sceneWithObjects([{ bytes: FILE.bytes }]);
    scene.world.faults.plant({
      site: "store.read",
      match: ({ subject }) => subject === keys[0],
      times: Number.POSITIVE_INFINITY,
      form: "not-done",
      error: storeError("store-object-cold"),
    });
    await scene.run();
    expect(scene.record(id, "archived").object?.key).not.toBe(keys[0]);
    expect(scene.count("platform.showExportTask")).toBe(1);
    expect(scene.world.platform.has(id)).toBe(false);
  });

  test("that the store cannot give just now is waited for: a second download would be a second object", async () => {
    const { scene, id, keys } = sceneWithObjects([{ bytes: FILE.bytes }]);
    scene.world.faults.plant({
      site: "store.read",
      match: ({ subject }) => subject === keys[0],
      form: "not-done",
      error: storeError("store-unavailable"),
    });
    expect((await scene.run()).counts).toMatchObject({ retried: 1, archived: 0 });
    expect(scene.count("platform.showExportTask")).toBe(0);
    await scene.wait(2 * MINUTE_MS);
    await scene.run();
    expect(scene.record(id, "archived").object?.key).toBe(keys[0]);
    expect(scene.count("platform.showExportTask")).toBe(0);
  });

  test("only the three newest are read: one damaged time after time costs no endless reading", async () => {
    const scene = new Scene();
    const id = scene.addTask({ file: FILE });
    const keys = ["000001", "000002", "000003", "000004"].map(
      (nonce) => `exports/project-1/default/2026/11/22/${id}/${scene.revision(id)}-${nonce}.zip`,
    );
    for (const [nth, key] of keys.entries()) {
      scene.world.store.plantObject(key, nth === 0 ? FILE.bytes : flipped(700));
      await scene.wait(MINUTE_MS);
    }
    await scene.run();
    expect(keys).not.toContain(scene.record(id, "archived").object?.key);
    expect(scene.count("platform.showExportTask")).toBe(1);
  });

  test("of another revision, or with another name, is none of this revision's", async () => {
    const { scene, id, keys } = sceneWithObjects([
      { revision: "00000000", bytes: FILE.bytes },
      { nonce: "0a1b2c.bak", bytes: FILE.bytes },
    ]);
    await scene.run();
    expect(keys).not.toContain(scene.record(id, "archived").object?.key);
    expect(scene.count("platform.showExportTask")).toBe(1);
  });

  test("that vanishes between list and HEAD is passed over", async () => {
    const { scene, id, keys } = sceneWithObjects([{ bytes: FILE.bytes }]);
    const act = () => scene.world.store.removeObject(keys[0] ?? "");
    scene.world.faults.plant({ site: "store.head", form: "race", act });
    await scene.run();
    scene.expectAllDone([id]);
    expect(scene.count("platform.showExportTask")).toBe(1);
  });
});

describe("the revision", () => {
  test("listed is worked on, whatever the message says", async () => {
    const scene = new Scene();
    const id = scene.world.platform.addTask();
    scene.send({ exportTaskId: id, revision: "00000000" });
    await scene.run();
    scene.expectAllDone([id]);
    expect(Object.keys(scene.records(id))[0]).not.toContain("00000000");
  });

  test("changed while the body came: nothing is completed, the new one is archived later", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const before = scene.revision(id);
    const act = () => scene.world.platform.overwriteTask(id, exportFile(55));
    scene.world.faults.plant({ site: "store.write", occurrence: 2, form: "race", act });
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "revision-changed" });
    expect(scene.objects(id)).toEqual([]);
    expect(scene.world.store.openUploads).toEqual([]);
    await scene.wait(6 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
    expect(Object.keys(scene.records(id)).some((key) => key.startsWith(before))).toBe(false);
    expect(scene.record(id, "archived").object?.sha256).toBe(exportFile(55).sha256);
  });

  test("removed while the body came: nothing is completed", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const act = () => scene.world.platform.removeTask(id);
    scene.world.faults.plant({ site: "store.write", occurrence: 2, form: "race", act });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "revision-changed" });
    expect(scene.objects(id)).toEqual([]);
  });
});
