import { describe, expect, test } from "vitest";
import { ENQUEUE_AGAIN_AFTER_MS, wasEnqueuedRecently } from "../../lib/discovery/discovered-state.ts";
import { DISCOVERED_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { MAX_DOCUMENT_BYTES } from "../../lib/ports/object-store.ts";
import { storeError } from "../world/port-errors.ts";
import { DiscoveryScene, HOUR_MS } from "./discovery-scene.ts";

test.each([
  [undefined, false],
  [1_000_000_000, true],
  [1_000_000_000 - 6 * HOUR_MS + 1, true],
  [1_000_000_000 - 6 * HOUR_MS, false],
  [0, false],
  // From a clock that runs ahead.
  [1_000_000_001, false],
])("enqueued at %s is recent at 1000000000: %s", (atMs, isRecent) => {
  expect(ENQUEUE_AGAIN_AFTER_MS).toBe(6 * HOUR_MS);
  expect(wasEnqueuedRecently(atMs, 1_000_000_000)).toBe(isRecent);
});

describe("what was enqueued less than 6 h ago", () => {
  test("is skipped, and enqueued again after that while it still needs work", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    await scene.discover();
    await scene.wait(6 * HOUR_MS - 60_000);
    expect(await scene.discover()).toMatchObject({
      enqueued: [],
      skipped: [{ exportTaskId: id, reason: "enqueued-recently" }],
    });
    await scene.wait(60_000);
    expect((await scene.discover()).enqueued).toEqual([id]);
  });

  test("is the revision, not the task: an overwritten export is enqueued at once", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    await scene.discover();
    scene.world.platform.removeTask(id);
    scene.world.platform.addTask({ exportTaskId: id, exportCount: 999 });
    expect((await scene.discover()).enqueued).toEqual([id]);
  });

  test("stays remembered when others are enqueued, and is forgotten when it is too old to matter", async () => {
    const scene = new DiscoveryScene();
    const first = scene.world.platform.addTask();
    await scene.discover();
    const firstKey = `${first}:${scene.revision(first)}`;
    await scene.wait(5 * HOUR_MS);
    scene.world.platform.addTask();
    await scene.discover();
    expect(Object.keys((scene.hint() as { enqueuedAt: object }).enqueuedAt)).toHaveLength(2);
    expect(scene.hint()).toHaveProperty(["enqueuedAt", firstKey]);
    scene.world.platform.removeTask(first);
    await scene.wait(2 * HOUR_MS);
    const last = scene.world.platform.addTask();
    expect((await scene.discover()).enqueued).toEqual([last]);
    expect(scene.hint()).not.toHaveProperty(["enqueuedAt", firstKey]);
  });
});

describe("what was enqueued while deletion was off", () => {
  test("is enqueued again as soon as deletion is on and it is archived, and then no more", async () => {
    const scene = new DiscoveryScene();
    const [archived, other] = [scene.world.platform.addTask(), scene.world.platform.addTask()];
    await scene.discover({ deletion: "never" });
    scene.plantArchived(archived);
    expect((await scene.discover({ deletion: "never" })).enqueued).toEqual([]);
    expect(await scene.discover()).toMatchObject({
      enqueued: [archived],
      skipped: [{ exportTaskId: other, reason: "enqueued-recently" }],
    });
    expect((await scene.discover()).enqueued).toEqual([]);
    // Archived by a run that did not know of the change yet.
    scene.plantArchived(other);
    expect((await scene.discover()).enqueued).toEqual([other]);
    expect((await scene.discover()).enqueued).toEqual([]);
  });

  test("may be all that a hint of an older version names", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    scene.plantArchived(id);
    const enqueuedAt = { [`${id}:${scene.revision(id)}`]: scene.world.clock.wallMs() - HOUR_MS };
    scene.plant(DISCOVERED_STATE_KEY, { enqueuedAt });
    expect((await scene.discover()).enqueued).toEqual([id]);
  });

  test("stays for a reason that still keeps it", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    await scene.discover({ deletion: "never" });
    scene.plantArchived(id);
    scene.plant(`holds/${id}.json`, "{}");
    expect((await scene.discover()).skipped).toEqual([{ exportTaskId: id, reason: "kept:hold" }]);
  });
});

describe("a hint is never a reason to leave a task out", () => {
  const hintAt = (scene: DiscoveryScene, id: string, aheadMs: number) => ({
    enqueuedAt: { [`${id}:${scene.revision(id)}`]: scene.world.clock.wallMs() + aheadMs },
  });

  test("a time in the future comes from a wrong clock; it is believed no more and replaced", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    scene.plant(DISCOVERED_STATE_KEY, hintAt(scene, id, HOUR_MS));
    expect((await scene.discover()).enqueued).toEqual([id]);
    expect((await scene.discover()).skipped).toEqual([{ exportTaskId: id, reason: "enqueued-recently" }]);
  });

  test("while one from the past is believed", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    scene.plant(DISCOVERED_STATE_KEY, hintAt(scene, id, -HOUR_MS));
    expect((await scene.discover()).enqueued).toEqual([]);
  });

  test.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["another shape", "[]"],
    ["a list for a map", '{"enqueuedAt":[1]}'],
    ["texts for times", '{"enqueuedAt":{"a:b":"2026-11-22T01:00:00Z"}}'],
    ["more than any document", " ".repeat(MAX_DOCUMENT_BYTES + 1)],
    ["no text", Uint8Array.of(0xff)],
  ])("that holds %s is as good as none, and is written again", async (_what, content) => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    scene.world.store.plantObject(DISCOVERED_STATE_KEY, Buffer.from(content));
    expect((await scene.discover()).enqueued).toEqual([id]);
    expect(scene.hint()).toEqual({
      enqueuedAt: { [`${id}:${scene.revision(id)}`]: expect.any(Number) },
      whileKeeping: [],
    });
  });

  test("but a store that fails is a failure, not an empty hint", async () => {
    const scene = new DiscoveryScene();
    scene.world.platform.addTask();
    const error = storeError("store-forbidden");
    scene.world.faults.plant({ site: "store.getDocument", form: "not-done", error });
    await expect(scene.discover()).rejects.toBe(error);
    expect(scene.queued()).toEqual([]);
  });
});
