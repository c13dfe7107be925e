import { describe, expect, test } from "vitest";
import { revisionOf } from "../../lib/domain/export-task.ts";
import { recordKey } from "../../lib/domain/key-layout.ts";
import { platformError } from "../world/port-errors.ts";
import { checkInvariants } from "../world/world.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, RequestsScene, SECOND_MS } from "./requests-scene.ts";

describe("a request", () => {
  test("leads to an export that is archived, deleted, and recorded beside it", async () => {
    const scene = new RequestsScene();
    expect(await scene.request("b1")).toBe("new");
    const first = await scene.discover();
    expect(first.requests).toMatchObject({
      created: [{ batchTaskId: "b1", exportTaskId: expect.any(String) }],
      waiting: [],
      ended: [],
    });
    await scene.runUntilEnded();
    expect(scene.outcomes("b1")).toMatchObject([
      { outcome: "archived", exportTaskId: first.requests?.created[0]?.exportTaskId, tries: 1 },
    ]);
    expect(scene.createsOf("b1")).toBe(1);
    expect(scene.world.platform.list()).toEqual([]);
    expect((await scene.discover()).requests).toBeUndefined();
    checkInvariants(scene.world);
  });

  test("that comes twice, and again a month after its end, leads to one export", async () => {
    const scene = new RequestsScene();
    const atMs = scene.nowMs();
    await scene.request("b1", atMs);
    expect(await scene.request("b1", atMs)).toBe("known");
    await scene.runUntilEnded();
    await scene.wait(30 * DAY_MS);
    expect(await scene.request("b1", atMs)).toBe("known");
    expect((await scene.discover()).requests).toBeUndefined();
    expect(scene.createsOf("b1")).toBe(1);
  });

  test("whose status is older than an export that was made is served by that one, however late it comes", async () => {
    const scene = new RequestsScene();
    await scene.wait(HOUR_MS);
    const [olderMs, newerMs] = [scene.nowMs() - 20 * MINUTE_MS, scene.nowMs()];
    await scene.wait(SECOND_MS);
    await scene.request("b1", newerMs);
    await scene.discover();
    await scene.request("b1", olderMs);
    await scene.runUntilEnded();
    await scene.request("b1", olderMs + 5 * SECOND_MS);
    await scene.runUntilEnded();
    expect(scene.createsOf("b1")).toBe(1);
    expect(scene.outcomes("b1")).toMatchObject(Array(3).fill({ outcome: "archived" }));
  });

  test("whose status is newer than the last export gets one of its own, once that one is archived", async () => {
    const scene = new RequestsScene();
    await scene.request("b1");
    await scene.discover();
    await scene.wait(2 * MINUTE_MS);
    await scene.request("b1");
    expect((await scene.discover()).requests?.waiting).toEqual([
      { batchTaskId: "b1", reason: "same-condition-unarchived" },
    ]);
    await scene.runUntilEnded();
    expect(scene.createsOf("b1")).toBe(2);
  });

  test("is served by an export that somebody made after the status, and not by one made before it", async () => {
    const scene = new RequestsScene();
    const condition = { resourceCondition: { task_id: "b1" } };
    scene.world.platform.addTask({ ...condition });
    await scene.wait(10 * SECOND_MS);
    await scene.request("b1");
    expect((await scene.discover()).requests?.waiting).toMatchObject([
      { reason: "same-condition-unarchived" },
    ]);
    await scene.wait(10 * SECOND_MS);
    const later = scene.world.platform.addTask({ ...condition });
    expect((await scene.discover()).requests?.underWay).toEqual([
      { batchTaskId: "b1", exportTaskId: later, reason: "unarchived" },
    ]);
    await scene.runUntilEnded();
    expect(scene.createsOf("b1")).toBe(0);
  });
});

describe("no export is created", () => {
  test("while 45 places are held, and the run says so", async () => {
    const scene = new RequestsScene();
    for (let n = 0; n < 45; n += 1) {
      scene.world.platform.addTask({});
    }
    await scene.request("b1");
    await scene.wait(2 * HOUR_MS);
    const { requests } = await scene.discover();
    expect(requests).toMatchObject({
      waiting: [{ batchTaskId: "b1", reason: "places-held" }],
    });
    expect(Math.round((requests?.oldestRequestAgeSeconds ?? 0) / 60)).toBe(120);
    scene.world.platform.removeTask(scene.world.platform.list()[0]?.task.exportTaskId ?? "");
    expect((await scene.discover()).requests?.created).toHaveLength(1);
  });

  test.each([
    [20, 15],
    [6, 1],
    [5, 1],
    [1, 1],
  ])("while this deployment, which may fill %i places, holds %i", async (exportPlaces, held) => {
    const scene = new RequestsScene();
    for (let n = 0; n < held; n += 1) {
      scene.world.platform.addTask({});
    }
    await scene.request("b1");
    const run = { settings: { exportPlaces } };
    expect((await scene.discover(run)).requests?.waiting).toMatchObject([{ reason: "places-held" }]);
    scene.world.platform.removeTask(scene.world.platform.list()[0]?.task.exportTaskId ?? "");
    expect((await scene.discover(run)).requests?.created).toHaveLength(1);
  });

  test("beyond five unfinished ones; the oldest statuses come first", async () => {
    const scene = new RequestsScene({ platform: { processingMs: HOUR_MS } });
    const nowMs = scene.nowMs();
    for (let n = 1; n <= 7; n += 1) {
      await scene.request(`b${n}`, nowMs - n * MINUTE_MS);
    }
    const { requests } = await scene.discover();
    expect(requests?.created.map(({ batchTaskId }) => batchTaskId)).toEqual(["b7", "b6", "b5", "b4", "b3"]);
    expect(requests?.waiting).toEqual([
      { batchTaskId: "b2", reason: "unfinished-limit" },
      { batchTaskId: "b1", reason: "unfinished-limit" },
    ]);
  });

  test.each(["Processing", "Paused"])("over one of the same batch task that is %s", async (status) => {
    const scene = new RequestsScene();
    const resourceCondition = { task_id: "b1", more: "x" };
    scene.world.platform.addTask({ resourceCondition, status, processingMs: HOUR_MS });
    await scene.request("b1");
    expect((await scene.discover()).requests?.waiting).toMatchObject([
      { reason: "same-condition-unfinished" },
    ]);
  });

  test("over an archived one whose object is gone; over one that stands, it is", async () => {
    const scene = new RequestsScene();
    const kept = { deletion: "never" } as const;
    await scene.request("b1");
    await scene.discover();
    await scene.wait(2 * MINUTE_MS);
    await scene.discover({ settings: kept });
    await scene.archive(kept);
    await scene.wait(10 * MINUTE_MS);
    await scene.request("b1");
    const [object = ""] = scene.world.store.keysUnder("exports/");
    const bytes = scene.world.store.entries.get(object)?.bytes ?? Buffer.alloc(0);
    scene.world.store.removeObject(object);
    expect((await scene.discover({ settings: kept })).requests?.waiting).toMatchObject([
      { reason: "same-condition-unarchived" },
    ]);
    scene.world.store.plantObject(object, bytes);
    expect((await scene.discover({ settings: kept })).requests?.created).toHaveLength(1);
    expect(scene.watch.violations).toEqual([]);
  });

  test("over one that was given up: the request is given up too, for a person to decide", async () => {
    const scene = new RequestsScene();
    const id = scene.world.platform.addTask({ resourceCondition: { task_id: "b1" } });
    const [listed] = scene.world.platform.list();
    const revision = revisionOf(
      listed?.task ?? { exportTaskId: id, endTime: undefined, exportCount: undefined },
    );
    const letter = recordKey(scene.world.scope, id, revision, "dead-letter", 1);
    scene.world.store.plantObject(letter, Buffer.from("{}"));
    await scene.wait(MINUTE_MS);
    await scene.request("b1");
    expect((await scene.discover()).requests?.ended).toMatchObject([
      { outcome: "given-up", reason: "same-condition-dead-lettered", tries: 0 },
    ]);
  });

  test("for a request of another project that shares the store", async () => {
    const scene = new RequestsScene();
    await scene.request("b1");
    const [key = ""] = scene.openRequests();
    const text = scene.world.store.textAt(key) ?? "";
    scene.world.store.plantObject(key, Buffer.from(text.replace("project-1", "project-2")));
    expect((await scene.discover()).requests).toMatchObject({ created: [], waiting: [] });
    expect(scene.watch.creates).toEqual([]);
  });
});

describe("an export that comes to nothing", () => {
  test("is asked for again up to the limit, then the request is given up with its reason", async () => {
    const scene = new RequestsScene({ platform: { processingMs: MINUTE_MS } });
    await scene.request("b1");
    for (let round = 0; round < 3; round += 1) {
      expect((await scene.discover()).requests?.created).toHaveLength(1);
      const [made] = scene.world.platform.list();
      scene.world.platform.removeTask(made?.task.exportTaskId ?? "");
      const resourceCondition = { task_id: "b1" };
      const exportTaskId = made?.task.exportTaskId ?? "";
      scene.world.platform.addTask({ exportTaskId, status: "Failed", resourceCondition });
      await scene.wait(HOUR_MS);
    }
    expect((await scene.discover()).requests?.ended).toEqual([
      { batchTaskId: "b1", outcome: "given-up", reason: "export-failed", tries: 3 },
    ]);
    expect((await scene.discover()).requests).toBeUndefined();
    expect(scene.createsOf("b1")).toBe(3);
  });

  test("because it vanished is asked for again once a day has passed", async () => {
    const scene = new RequestsScene({ platform: { processingMs: HOUR_MS } });
    await scene.request("b1");
    const { requests } = await scene.discover();
    scene.world.platform.removeTask(requests?.created[0]?.exportTaskId ?? "");
    await scene.wait(23 * HOUR_MS);
    expect((await scene.discover()).requests?.underWay).toMatchObject([{ reason: "absent" }]);
    await scene.wait(HOUR_MS);
    expect((await scene.discover()).requests?.created).toHaveLength(1);
  });

  test("because another deployment holds the five unfinished for an hour is not given up", async () => {
    const scene = new RequestsScene();
    await scene.request("b1");
    const error = platformError("platform-rejected-request", { httpStatus: 400 });
    const times = Number.POSITIVE_INFINITY;
    scene.world.faults.plant({ site: "platform.createExportTask", form: "not-done", error, times });
    for (let run = 0; run < 6; run += 1) {
      await scene.discover();
      await scene.wait(10 * MINUTE_MS);
    }
    scene.world.faults.clear();
    await scene.runUntilEnded();
    expect(scene.outcomes("b1")).toMatchObject([{ outcome: "archived", tries: 2 }]);
  });

  test("because the platform refuses the batch task is given up; because it lets no key in, is not", async () => {
    const scene = new RequestsScene();
    await scene.request("b1");
    const site = "platform.createExportTask";
    const denied = platformError("platform-forbidden", { httpStatus: 403 });
    scene.world.faults.plant({ site, form: "not-done", error: denied, times: 4 });
    for (let round = 0; round < 4; round += 1) {
      expect((await scene.discover()).requests?.failure).toMatchObject({ code: "platform-forbidden" });
      expect((await scene.discover()).requests?.waiting).toMatchObject([{ reason: "tried-just-now" }]);
      await scene.wait(HOUR_MS);
    }
    const refused = platformError("platform-rejected-request", { httpStatus: 400 });
    scene.world.faults.plant({ site, form: "not-done", error: refused, times: 9 });
    for (let round = 0; round < 3; round += 1) {
      expect((await scene.discover()).requests?.waiting).toMatchObject([
        { reason: "platform-rejected-request" },
      ]);
      if (round < 2) {
        await scene.wait(59 * MINUTE_MS);
        expect((await scene.discover()).requests?.waiting).toMatchObject([{ reason: "tried-just-now" }]);
        await scene.wait(MINUTE_MS);
      }
    }
    expect((await scene.discover()).requests?.ended).toMatchObject([
      { outcome: "given-up", reason: "create-refused", tries: 3 },
    ]);
  });
});

test("a failing step leaves what was enqueued, and is in the report", async () => {
  const scene = new RequestsScene();
  const id = scene.world.platform.addTask({});
  await scene.request("b1");
  const error = platformError("platform-unauthenticated");
  scene.world.faults.plant({ site: "platform.listExportTasks", occurrence: 2, form: "not-done", error });
  expect(await scene.discover()).toMatchObject({
    enqueued: [id],
    requests: { failure: { code: "platform-unauthenticated" }, created: [] },
  });
});

test("a file that is not a request waits, and holds no other up", async () => {
  const scene = new RequestsScene();
  scene.world.store.plantObject("requests/b0-20200101T000000Z.json", Buffer.from("{}"));
  await scene.request("b1");
  expect((await scene.discover()).requests).toMatchObject({
    waiting: [{ batchTaskId: "b0", reason: "request-file-unreadable" }],
    created: [{ batchTaskId: "b1" }],
  });
});
