import { describe, expect, test } from "vitest";
import { revisionOf } from "../../lib/domain/export-task.ts";
import { exportFolder, recordKey } from "../../lib/domain/key-layout.ts";
import { ALWAYS, drainCarelessly } from "./example-archiver.ts";
import { exportFile, sha256Hex } from "./export-file.ts";
import { checkInvariants, InvariantViolation, type Runner, World } from "./world.ts";

/** A world with one task that has been archived by hand: object and record, no delete yet. */
function archivedByHand(file = exportFile(1)): { world: World; runner: Runner; id: string; key: string } {
  const world = new World();
  const id = world.platform.addTask({ file });
  const task = world.platform.list()[0]?.task;
  if (task === undefined) {
    throw new Error("the task just added is not listed");
  }
  const key = `${exportFolder(world.scope, task)}${revisionOf(task)}-abcdef.zip`;
  world.store.plantObject(key, file.bytes);
  const record = JSON.stringify({ object: { key, sha256: file.sha256 } });
  world.store.plantObject(recordKey(world.scope, id, revisionOf(task), "archived", 1), Buffer.from(record));
  return { world, runner: world.startRunner("a"), id, key };
}

async function listAndDelete(
  { world, runner, id }: ReturnType<typeof archivedByHand>,
  betweenMs = 0,
): Promise<void> {
  await world.run(async () => {
    await runner.platform.listExportTasks(ALWAYS);
    await runner.clock.sleep(betweenMs);
    await runner.platform.deleteExportTask(id, ALWAYS);
  });
}

describe("a good story", () => {
  test("breaks no promise", async () => {
    const world = new World();
    for (let task = 0; task < 5; task += 1) {
      world.queue.send(world.platform.addTask());
    }
    await world.runAlone(world.startRunner("a"), (runner) => drainCarelessly(world, runner));
    checkInvariants(world);
    expect(world.platform.list()).toEqual([]);
    const siteOrder = world.effects
      .at("store.complete", "store.putDocument", "platform.deleteExportTask", "queue.acknowledge")
      .map(({ site }) => site);
    expect(siteOrder.slice(0, 4)).toEqual([
      "store.complete",
      "store.putDocument",
      "platform.deleteExportTask",
      "queue.acknowledge",
    ]);
    expect(siteOrder).toHaveLength(20);
  });

  test("is decided by its seed", async () => {
    const tell = async (seed: number) => {
      const world = new World({ seed, queue: { receiveWindow: 4 }, platform: { minSpacingMs: 0 } });
      for (let task = 0; task < 4; task += 1) {
        world.queue.send(world.platform.addTask());
      }
      const runners = [world.startRunner("a", { skewMs: 3_000 }), world.startRunner("b")];
      await world.run(() =>
        Promise.all(runners.map((runner) => runner.process.execute(() => drainCarelessly(world, runner)))),
      );
      return world.effects.toLines();
    };
    const story = await tell(11);
    expect(story.length).toBeGreaterThan(20);
    expect(await tell(11)).toEqual(story);
    expect(await tell(12)).not.toEqual(story);
  });
});

describe("I1", () => {
  test("a proven delete passes", async () => {
    const archived = archivedByHand();
    await listAndDelete(archived, 4_000);
    checkInvariants(archived.world);
  });

  test("a stale list, or none", async () => {
    const stale = archivedByHand();
    await listAndDelete(stale, 5_001);
    expect(() => checkInvariants(stale.world)).toThrow(InvariantViolation);
    const none = archivedByHand();
    await none.world.run(() => none.runner.platform.deleteExportTask(none.id, ALWAYS));
    expect(none.world.findViolations()).toEqual([expect.stringContaining("without a list")]);
  });

  test("a missing or rotten object", async () => {
    const missing = archivedByHand();
    missing.world.store.removeObject(missing.key);
    await listAndDelete(missing);
    expect(missing.world.findViolations()).toEqual([
      expect.stringContaining("missing or not what the record says"),
    ]);
    const rotten = archivedByHand();
    rotten.world.store.plantObject(rotten.key, Buffer.from("rotten"));
    await listAndDelete(rotten);
    expect(rotten.world.findViolations()).toEqual([
      expect.stringContaining("missing or not what the record says"),
    ]);
  });

  test("no record, or one of another revision", async () => {
    const none = archivedByHand();
    for (const key of none.world.store.keysUnder("records/")) {
      none.world.store.removeObject(key);
    }
    await listAndDelete(none);
    expect(none.world.findViolations()).toEqual([expect.stringContaining("no readable archived record")]);
    const overwritten = archivedByHand();
    overwritten.world.platform.overwriteTask(overwritten.id, exportFile(77));
    await listAndDelete(overwritten);
    expect(overwritten.world.findViolations()).toEqual([
      expect.stringContaining("no readable archived record"),
    ]);
  });

  test("a record whose object is intact but not what the platform had", async () => {
    const archived = archivedByHand();
    const { world, id, key } = archived;
    const other = Buffer.from("something else");
    world.store.plantObject(key, other);
    const [recordAt = ""] = world.store.keysUnder("records/");
    const record = JSON.stringify({ object: { key, sha256: sha256Hex(other) } });
    world.store.plantObject(recordAt, Buffer.from(record));
    await listAndDelete(archived);
    expect(world.findViolations()).toEqual([
      expect.stringContaining(`I1: ${id} was deleted, but ${key} holds bytes`),
    ]);
  });

  test("a sibling's unarchived file is destroyed with it", async () => {
    const archived = archivedByHand();
    const { world, runner, id } = archived;
    const [older] = world.platform.list();
    // The list saw the old file once; then a sibling of the same condition overwrote it.
    await world.run(() => runner.platform.listExportTasks(ALWAYS));
    world.platform.addTask({ resourceCondition: { task_id: "batch-1" }, file: exportFile(88) });
    expect(world.platform.fileOf(id)?.sha256).not.toBe(older?.fileSha256);
    await world.run(() => runner.clock.sleep(6_000));
    await listAndDelete(archived);
    expect(world.findViolations()).toEqual([
      expect.stringContaining("the file it showed then is in no recorded object"),
    ]);
  });
});

describe("I2, I3, I4 and I6", () => {
  test("I6: bytes that are not a file of the platform", async () => {
    const world = new World();
    const { store } = world.startRunner("a");
    const bytes = Buffer.from("<html>");
    await world.run(async () => {
      const upload = await store.openUpload("exports/x.zip", {
        ...ALWAYS,
        metadata: {},
        expectedSizeBytes: 6,
      });
      await upload.write(bytes);
      await upload.complete({ sizeBytes: bytes.length, sha256: sha256Hex(bytes) });
    });
    expect(world.findViolations()).toEqual([expect.stringContaining("I6: exports/x.zip")]);
  });

  test("I2: a record written twice, or another object recorded while the first is intact", async () => {
    const { world, runner, id, key } = archivedByHand();
    const [firstKey = ""] = world.store.keysUnder("records/");
    const secondKey = firstKey.replace("archived.json", "archived-2.json");
    const text = JSON.stringify({ object: { key: `${key}.other`, sha256: "0".repeat(64) } });
    await world.run(() => runner.store.putDocument(secondKey, text, { kind: "if-absent" }, ALWAYS));
    expect(world.oracle.violations).toEqual([expect.stringContaining(`I2: ${secondKey} was written while`)]);
    await world.run(() => runner.store.putDocument(secondKey, text, { kind: "always" }, ALWAYS));
    expect(world.oracle.violations).toContainEqual(expect.stringContaining("was written twice"));
    expect(secondKey).toContain(id);
  });

  test("I2: a second record is right once the first object is gone", async () => {
    const { world, runner, key } = archivedByHand();
    const [firstKey = ""] = world.store.keysUnder("records/");
    world.store.removeObject(key);
    const secondKey = firstKey.replace("archived.json", "archived-2.json");
    const text = JSON.stringify({ object: { key: `${key}.other`, sha256: "0".repeat(64) } });
    await world.run(() => runner.store.putDocument(secondKey, text, { kind: "if-absent" }, ALWAYS));
    checkInvariants(world);
  });

  test("I3: an id acknowledged without any trace", async () => {
    const world = new World();
    const { queue } = world.startRunner("a");
    world.queue.send("task-1");
    checkInvariants(world);
    await world.run(async () => {
      const received = await queue.receive(ALWAYS);
      if (received !== undefined) {
        await queue.acknowledge(received, ALWAYS);
      }
    });
    expect(world.findViolations()).toEqual([expect.stringContaining("I3: task-1")]);
  });

  test.each([
    [true, 1],
    [false, 0],
  ])("I4: two runners too close, with compare-and-swap %s", async (compareAndSwap, violations) => {
    const world = new World({ store: { compareAndSwap }, platform: { minSpacingMs: 0 } });
    const id = world.platform.addTask();
    const [a, b] = [world.startRunner("a"), world.startRunner("b")];
    await world.run(async () => {
      await a.platform.showExportTask(id, ALWAYS);
      await b.clock.sleep(25_000);
      await b.platform.showExportTask(id, ALWAYS);
    });
    expect(world.findViolations()).toHaveLength(violations);
  });
});
