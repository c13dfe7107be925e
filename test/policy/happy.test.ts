import { describe, expect, test } from "vitest";
import { exportFile } from "../world/export-file.ts";
import { onlyEntry, Scene } from "./scene.ts";

describe("a run in which nothing goes wrong", () => {
  test("archives, deletes, records, reports", async () => {
    const scene = new Scene();
    const file = exportFile(7);
    const id = scene.addTask({ file });
    const revision = scene.revision(id);

    const report = await scene.run();

    scene.expectAllDone([id]);
    const archived = scene.record(id, "archived");
    expect(archived).toMatchObject({
      schemaVersion: 1,
      idempotencyKey: `iotda:project-1:default:${id}:${revision}`,
      instanceId: null,
      revision,
      verification: { level: "read-back", container: "members" },
      runId: report.runId,
      attempts: 0,
      object: { sizeBytes: file.bytes.length, sha256: file.sha256 },
      source: { export_task_id: id, status: "Success" },
    });
    expect(archived.object?.key).toMatch(
      new RegExp(`^exports/project-1/default/2026/11/22/${id}/${revision}-[0-9a-f]{6}\\.zip$`),
    );
    expect(scene.record(id, "deleted")).toMatchObject({ outcome: "deleted", runId: report.runId });
    expect(report).toMatchObject({
      stopReason: "drained",
      counts: { received: 1, archived: 1, deleted: 1, kept: 0, postponed: 0, retried: 0 },
      bytes: file.bytes.length,
      pacing: "shared",
      platform: { held: 0, limit: 50 },
    });
    expect(onlyEntry(report)).toMatchObject({ exportTaskId: id, revision, outcome: "archived-deleted" });
    const [stored] = scene.world.store.keysUnder("runs/");
    expect(stored).toBe(`runs/2026/11/22/${report.runId}.json`);
    expect(JSON.parse(scene.world.store.textAt(stored ?? "") ?? "")).toEqual(report);
  });

  test("the object carries the work's name", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const revision = scene.revision(id);
    await scene.run();
    const [key = ""] = scene.objects(id);
    expect(scene.world.store.entries.get(key)?.metadata).toEqual({
      "idempotency-key": `iotda:project-1:default:${id}:${revision}`,
      "export-task-id": id,
    });
  });

  test("tells what it does, in order", async () => {
    const scene = new Scene();
    scene.addTask();
    await scene.run();
    const kinds = scene.events
      .map(({ kind }) => kind)
      .filter((kind) => kind !== "listed" && kind !== "bytes");
    expect(kinds).toEqual([
      "run-started",
      "task-started",
      "download-started",
      "verifying",
      "archived",
      "deleted",
      "task-ended",
      "run-ended",
    ]);
  });

  test("an empty queue is a drained run", async () => {
    const scene = new Scene();
    scene.world.platform.addTask();
    const report = await scene.run();
    expect(report).toMatchObject({ stopReason: "drained", tasks: [], platform: { held: 1 } });
    expect(report.platform.oldestUnarchived).toBeDefined();
  });

  test("a file over the members limit is checked by its structure", async () => {
    const scene = new Scene();
    const id = scene.addTask({ file: exportFile(3, 20_000) });
    await scene.run({ settings: { membersLimitBytes: 10_000 } });
    scene.expectAllDone([id]);
    expect(scene.record(id, "archived").verification).toEqual({ level: "read-back", container: "structure" });
  });

  test("a store that keeps a digest is asked for it and nothing is read back", async () => {
    const scene = new Scene({ store: { verification: "stored" } });
    const id = scene.addTask();
    await scene.run();
    scene.expectAllDone([id]);
    expect(scene.record(id, "archived").verification?.level).toBe("stored");
    expect([scene.count("store.confirmStored"), scene.count("store.read")]).toEqual([1, 0]);
  });

  test("duplicates of a message are acknowledged without a second download", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.queue.send(id);
    scene.world.queue.send(id);
    await scene.runUntilQueueIsEmpty(3);
    scene.expectAllDone([id]);
    expect(scene.objects(id)).toHaveLength(1);
  });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])("the oldest export gets the first slot (seed %i)", async (seed) => {
  const scene = new Scene({ seed });
  const ids = scene.addTasks(3);
  await scene.run();
  expect(scene.world.effects.at("platform.showExportTask").map(({ subject }) => subject)).toEqual(ids);
});
