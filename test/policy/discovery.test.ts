import { describe, expect, test } from "vitest";
import { DISCOVERED_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { SystemFailure } from "../../lib/run/errors.ts";
import { archiveRun } from "../world/archive-run.ts";
import { platformError, queueError, storeError } from "../world/port-errors.ts";
import { checkInvariants } from "../world/world.ts";
import { DiscoveryScene, HOUR_MS } from "./discovery-scene.ts";

const aboutTask =
  (exportTaskId: string) =>
  ({ subject }: { readonly subject: string }) =>
    subject.includes(exportTaskId);

function plantLetter(scene: DiscoveryScene, exportTaskId: string, atMs: number): void {
  const deadLetteredAt = new Date(atMs).toISOString();
  const facts = { reason: "max-attempts", detail: "", attempts: 5, runId: "run-0", body: exportTaskId };
  scene.plantRecord(exportTaskId, "dead-letter", {
    schemaVersion: 1,
    exportTaskId,
    deadLetteredAt,
    ...facts,
  });
}

test("odd items are named, hold places and are not enqueued; the others are", async () => {
  const scene = new DiscoveryScene();
  const { platform } = scene.world;
  platform.addTask({ exportTaskId: "healthy" });
  platform.addTask({ exportTaskId: "odd" });
  const item = { field: "export_count", problem: "is not a number", id: "odd", condition: undefined };
  platform.distorted.set("odd", item);
  platform.oddItems.push({ ...item, id: "a.b" });
  const { held, enqueued, leftAlone } = await scene.discover();
  expect({ held, enqueued }).toEqual({ held: 3, enqueued: ["healthy"] });
  const { kind, field, problem } = { kind: "list-item", ...item };
  expect(leftAlone).toEqual({
    count: 2,
    items: [
      { kind, index: 0, field, problem, exportTaskId: "odd" },
      { kind, index: 2, field, problem },
    ],
  });
});

describe("what is enqueued", () => {
  test("every Success and Failed task, the oldest creation first, with its revision", async () => {
    const scene = new DiscoveryScene();
    const { platform, clock } = scene.world;
    const createdAtMs = (hoursAgo: number) => clock.wallMs() - hoursAgo * HOUR_MS;
    platform.addTask({ exportTaskId: "middle", createdAtMs: createdAtMs(2) });
    platform.addTask({ exportTaskId: "oldest", createdAtMs: createdAtMs(3), status: "Failed" });
    platform.addTask({ exportTaskId: "newest", createdAtMs: createdAtMs(1) });
    const report = await scene.discover();
    expect(report).toEqual({
      runId: expect.stringMatching(/^20261122T010000000Z-[0-9a-f]{8}$/),
      held: 3,
      limit: 50,
      unfinished: 0,
      enqueued: ["oldest", "middle", "newest"],
      skipped: [],
    });
    expect(scene.queued()).toEqual(
      ["oldest", "middle", "newest"].map((exportTaskId) => ({
        exportTaskId,
        revision: scene.revision(exportTaskId),
        source: "discover",
      })),
    );
  });

  test("not those still being made, which are counted, nor those of an unknown status, which are named", async () => {
    const scene = new DiscoveryScene();
    const { platform } = scene.world;
    platform.addTask({ exportTaskId: "made", status: "Processing", processingMs: HOUR_MS });
    platform.addTask({ exportTaskId: "odd", status: "Stopping" });
    platform.addTask({ exportTaskId: "done" });
    expect(await scene.discover()).toMatchObject({
      held: 3,
      unfinished: 1,
      enqueued: ["done"],
      skipped: [{ exportTaskId: "odd", reason: "unknown-status" }],
    });
    await scene.wait(2 * HOUR_MS);
    expect(await scene.discover()).toMatchObject({ unfinished: 0, enqueued: ["made"] });
  });

  test("nothing from an empty list, and then no hint is written", async () => {
    const scene = new DiscoveryScene();
    expect(await scene.discover()).toMatchObject({ held: 0, unfinished: 0, enqueued: [], skipped: [] });
    expect(scene.world.store.entries.size).toBe(0);
    expect(scene.queued()).toEqual([]);
  });

  test("nothing when the list fails: an error is not an empty list", async () => {
    const scene = new DiscoveryScene();
    scene.world.platform.addTask();
    const error = platformError("platform-unavailable");
    scene.world.faults.plant({
      site: "platform.listExportTasks",
      times: Number.POSITIVE_INFINITY,
      form: "not-done",
      error,
    });
    await expect(scene.discover()).rejects.toBeInstanceOf(SystemFailure);
    expect(scene.queued()).toEqual([]);
    expect(scene.world.store.entries.size).toBe(0);
    scene.world.faults.clear();
    expect((await scene.discover()).enqueued).toHaveLength(1);
  });

  test.each(["store.list", "store.getDocument", "store.head"] as const)(
    "nothing when %s fails: what is not known is not decided",
    async (site) => {
      const scene = new DiscoveryScene();
      const id = scene.world.platform.addTask();
      scene.plantArchived(id);
      const error = storeError("store-unavailable");
      scene.world.faults.plant({ site, form: "not-done", error });
      await expect(scene.discover()).rejects.toBe(error);
      expect(scene.queued()).toEqual([]);
    },
  );

  test("a task whose record is not text, and all the others", async () => {
    const scene = new DiscoveryScene();
    const ids = [scene.world.platform.addTask(), scene.world.platform.addTask()];
    const key = `records/project-1/default/${ids[0]}/${scene.revision(ids[0] ?? "")}/archived.json`;
    scene.world.store.plantObject(key, Uint8Array.of(0x7b, 0xff));
    expect((await scene.discover()).enqueued).toEqual(ids);
  });

  test("a task whose record was moved to an archive class, and all the others", async () => {
    const scene = new DiscoveryScene();
    const [cold = "", other] = [scene.world.platform.addTask(), scene.world.platform.addTask()];
    scene.plantArchived(cold);
    const error = storeError("store-object-cold");
    scene.world.faults.plant({ site: "store.getDocument", form: "not-done", error, match: aboutTask(cold) });
    expect((await scene.discover()).enqueued).toEqual([cold, other]);
  });

  test("a task whose records folder is overcrowded, and all the others", async () => {
    const scene = new DiscoveryScene();
    const [crowded, other] = [scene.world.platform.addTask(), scene.world.platform.addTask()];
    for (let number = 0; number <= 2_000; number += 1) {
      scene.plant(`records/project-1/default/${crowded}/file-${number}`, "");
    }
    expect((await scene.discover()).enqueued).toEqual([crowded, other]);
  });
});

describe("what is settled and skipped", () => {
  test("a dead-lettered revision, until the task has another one", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    scene.plantRecord(id, "dead-letter", {});
    expect(await scene.discover()).toMatchObject({
      enqueued: [],
      skipped: [{ exportTaskId: id, reason: "dead-lettered" }],
    });
    scene.world.platform.removeTask(id);
    scene.world.platform.addTask({ exportTaskId: id, exportCount: 999 });
    expect((await scene.discover()).enqueued).toEqual([id]);
  });

  test("a dead-lettered revision that was never archived, and an archived one whose letter tells no time", async () => {
    const scene = new DiscoveryScene();
    const [never, timeless] = [scene.world.platform.addTask(), scene.world.platform.addTask()];
    plantLetter(scene, never, scene.world.clock.wallMs());
    scene.plantArchived(timeless, HOUR_MS);
    scene.plantRecord(timeless, "dead-letter", {});
    expect((await scene.discover()).skipped).toEqual([
      { exportTaskId: never, reason: "dead-lettered" },
      { exportTaskId: timeless, reason: "dead-lettered" },
    ]);
  });

  test("a dead-lettered revision, but not one that was redriven and archived after that", async () => {
    const scene = new DiscoveryScene();
    const [before, after] = [scene.world.platform.addTask(), scene.world.platform.addTask()];
    for (const id of [before, after]) {
      scene.plantArchived(id, HOUR_MS);
    }
    const nowMs = scene.world.clock.wallMs();
    plantLetter(scene, before, nowMs);
    plantLetter(scene, after, nowMs - 2 * HOUR_MS);
    expect(await scene.discover()).toMatchObject({
      enqueued: [after],
      skipped: [{ exportTaskId: before, reason: "dead-lettered" }],
    });
  });

  test("one that was enqueued a moment ago and dead-lettered since", async () => {
    const scene = new DiscoveryScene();
    const [lettered, odd, pending] = Array.from({ length: 3 }, () => scene.world.platform.addTask());
    const ids = [lettered, odd, pending].map((id) => id ?? "");
    expect((await scene.discover()).enqueued).toEqual(ids);
    plantLetter(scene, lettered ?? "", scene.world.clock.wallMs());
    scene.plantRecord(odd ?? "", "dead-letter", "no JSON");
    expect((await scene.discover()).skipped).toEqual([
      { exportTaskId: lettered, reason: "dead-lettered" },
      { exportTaskId: odd, reason: "dead-lettered" },
      { exportTaskId: pending, reason: "enqueued-recently" },
    ]);
  });

  test("an archived revision, but only for a reason that keeps it on the platform", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    scene.plantArchived(id);
    expect((await scene.discover()).enqueued).toEqual([id]);
  });

  test("`delete-disabled`, until deletion is enabled", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    scene.plantArchived(id);
    expect(await scene.discover({ deletion: "never" })).toMatchObject({
      enqueued: [],
      skipped: [{ exportTaskId: id, reason: "kept:delete-disabled" }],
    });
    expect((await scene.discover()).enqueued).toEqual([id]);
  });

  test("`hold`, until it is lifted", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    scene.plantArchived(id);
    scene.plant(`holds/${id}.json`, "{}");
    expect((await scene.discover()).skipped).toEqual([{ exportTaskId: id, reason: "kept:hold" }]);
    scene.world.store.removeObject(`holds/${id}.json`);
    expect((await scene.discover()).enqueued).toEqual([id]);
  });

  test("`sibling`, once it was waited for 24 h, until the sibling is archived", async () => {
    const scene = new DiscoveryScene();
    const { platform } = scene.world;
    const resourceCondition = { task_id: "batch-1" };
    const id = platform.addTask({ resourceCondition });
    const other = platform.addTask({
      resourceCondition,
      status: "Processing",
      processingMs: 3 * HOUR_MS,
    });
    scene.plantArchived(id, 24 * HOUR_MS + 60_000);
    expect((await scene.discover()).skipped).toEqual([{ exportTaskId: id, reason: "kept:sibling" }]);
    await scene.wait(4 * HOUR_MS);
    // Finished, but not archived: it still stands in the way.
    expect(await scene.discover()).toMatchObject({
      enqueued: [other],
      skipped: [{ exportTaskId: id, reason: "kept:sibling" }],
    });
    scene.plantArchived(other);
    expect((await scene.discover()).enqueued).toEqual([id]);
  });

  test("not before: until then its message waits for the sibling, and may have been lost", async () => {
    const scene = new DiscoveryScene();
    const resourceCondition = { task_id: "batch-1" };
    const id = scene.world.platform.addTask({ resourceCondition });
    scene.world.platform.addTask({ resourceCondition, status: "Processing", processingMs: HOUR_MS });
    scene.plantArchived(id, 23 * HOUR_MS);
    expect((await scene.discover()).enqueued).toEqual([id]);
  });

  test("`expired`: its object went by retention", async () => {
    const scene = new DiscoveryScene();
    const id = scene.world.platform.addTask();
    scene.world.store.removeObject(scene.plantArchived(id));
    scene.plantRecord(id, "expired", {});
    expect((await scene.discover()).skipped).toEqual([{ exportTaskId: id, reason: "kept:expired" }]);
  });

  test("never one whose object is missing, or whose record cannot be read, whatever would keep it", async () => {
    const scene = new DiscoveryScene();
    const [gone, unread] = [scene.world.platform.addTask(), scene.world.platform.addTask()];
    scene.world.store.removeObject(scene.plantArchived(gone));
    scene.plantArchived(unread);
    scene.plantRecord(unread, "archived", "{", 2);
    scene.plant(`holds/${gone}.json`, "{}");
    expect((await scene.discover({ deletion: "never" })).enqueued).toEqual([gone, unread]);
  });
});

describe("a run that fails between its steps repeats messages and loses none", () => {
  test.each([
    ["after some messages", { site: "queue.send", occurrence: 2, form: "crash", when: "after" }, 2 + 3],
    ["before the hint", { site: "store.putDocument", form: "crash", when: "before" }, 3 + 3],
    ["after the hint", { site: "store.putDocument", form: "crash", when: "after" }, 3],
  ] as const)("killed %s", async (_when, fault, messages) => {
    const scene = new DiscoveryScene();
    const { world } = scene;
    const ids = [1, 2, 3].map(() => world.platform.addTask());
    world.faults.plant(fault);
    await world.run(async () => {
      // A frozen run never settles; another one starts after a while.
      const frozen = scene.startDiscover();
      await Promise.race([frozen, world.clock.sleep(60_000)]);
    });
    world.faults.clear();
    await scene.discover();
    expect(scene.queued()).toHaveLength(messages);
    expect(new Set(scene.queuedIds())).toEqual(new Set(ids));
  });

  test("a queue that refuses leaves no hint behind", async () => {
    const scene = new DiscoveryScene();
    const ids = [scene.world.platform.addTask(), scene.world.platform.addTask()];
    const error = queueError("queue-unavailable");
    scene.world.faults.plant({ site: "queue.send", occurrence: 2, form: "not-done", error });
    await expect(scene.discover()).rejects.toBe(error);
    expect(scene.world.store.textAt(DISCOVERED_STATE_KEY)).toBeUndefined();
    expect((await scene.discover()).enqueued).toEqual(ids);
  });
});

test("with archive runs: kept while deletion is off, deleted when it is on, and then nothing is left", async () => {
  const scene = new DiscoveryScene();
  const { world } = scene;
  const ids = [1, 2, 3].map(() => world.platform.addTask());
  await scene.discover({ deletion: "never" });
  await world.run(() => archiveRun(world, world.startRunner("first"), { settings: { deletion: "never" } }));
  await scene.wait(7 * HOUR_MS);
  const kept = await scene.discover({ deletion: "never" });
  expect(kept.skipped).toEqual(ids.map((exportTaskId) => ({ exportTaskId, reason: "kept:delete-disabled" })));
  expect((await scene.discover()).enqueued).toEqual(ids);
  await world.run(() => archiveRun(world, world.startRunner("second")));
  expect(await scene.discover()).toMatchObject({ held: 0, enqueued: [], skipped: [] });
  expect(world.effects.at("platform.showExportTask")).toHaveLength(ids.length);
  checkInvariants(world);
});

test("45 used export slots are reported with the task that goes next, archived or not", async () => {
  const scene = new DiscoveryScene();
  const ids = Array.from({ length: 44 }, () => scene.world.platform.addTask());
  expect(await scene.discover({ deletion: "never" })).not.toHaveProperty("nextToGo");
  scene.world.platform.addTask();
  const [exportTaskId = ""] = ids;
  expect((await scene.discover({ deletion: "never" })).nextToGo).toEqual({ exportTaskId, archived: false });
  scene.plantArchived(exportTaskId);
  expect((await scene.discover({ deletion: "never" })).nextToGo).toEqual({ exportTaskId, archived: true });
});
