import { describe, expect, test } from "vitest";
import { call, create, download, idsOf, jsonOf, list, PROJECT, sandboxWith } from "./testing/client.ts";

const HOUR_MS = 3_600_000;

describe("limits", () => {
  test("the 51st task evicts the oldest", async () => {
    const { endpoint, control } = await sandboxWith();
    await control.addTasks(Array.from({ length: 50 }, (_, index) => ({ exportTaskId: `t${index}` })));
    expect(idsOf(await list(endpoint, { limit: "50" }))).toHaveLength(50);
    expect((await create(endpoint, "one-more")).status).toBe(201);
    const ids = idsOf(await list(endpoint, { limit: "50" }));
    expect(ids).toHaveLength(50);
    expect(ids).not.toContain("t0");
    expect(ids).toContain("t1");
    expect((await control.state()).removals).toMatchObject([{ exportTaskId: "t0", reason: "evicted" }]);
    expect((await download(endpoint, "t0")).status).toBe(404);
  });

  test("the oldest is the one created first, whatever the order of adding", async () => {
    const { endpoint, control } = await sandboxWith({ maxTasks: 2 });
    await control.addTask({ exportTaskId: "younger", createTime: "20261121T000000Z" });
    await control.addTask({ exportTaskId: "older", createTime: "2026-11-20T00:00:00.000Z" });
    expect(idsOf(await list(endpoint))).toEqual(["younger", "older"]);
    await control.addTask({ exportTaskId: "newest" });
    expect(idsOf(await list(endpoint))).toEqual(["newest", "younger"]);
  });

  test("five unfinished tasks, also against creates at the same time", async () => {
    const { endpoint } = await sandboxWith({ processingMs: HOUR_MS });
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => create(endpoint, `batch-${i}`)));
    const statuses = answers.map((answer) => answer.status).sort();
    expect(statuses).toEqual([201, 201, 201, 201, 201, 403, 403, 403]);
  });

  test("create answers with the task and refuses nonsense", async () => {
    const { endpoint } = await sandboxWith({ processingMs: HOUR_MS });
    expect(jsonOf(await create(endpoint, "batch"))).toMatchObject({
      status: "Processing",
      resource_condition: { task_id: "batch" },
      app_type: "GLOBAL",
    });
    const nonsense = await call(endpoint, { method: "POST", json: { resource_type: "Device" } });
    expect(nonsense.status).toBe(400);
  });

  test("the same condition again: a new id by default, the old task and file are gone", async () => {
    const { endpoint, control } = await sandboxWith();
    const before = await control.addTask({ condition: { task_id: "batch" } });
    const created = jsonOf(await create(endpoint, "batch"));
    expect(created.export_task_id).not.toBe(before.exportTaskId);
    expect(idsOf(await list(endpoint))).toEqual([created.export_task_id]);
    expect((await control.state()).removals).toMatchObject([{ reason: "overwritten", generation: 1 }]);
  });

  test("the same condition again: the same id by switch, with another file, time and count", async () => {
    const { endpoint, control } = await sandboxWith({ sameCondition: "same-id", processingMs: HOUR_MS });
    const before = await control.addTask({
      condition: { task_id: "batch" },
      endTime: "2026-11-20T00:00:00.000Z",
    });
    const created = jsonOf(await create(endpoint, "batch"));
    expect(created).toMatchObject({ export_task_id: before.exportTaskId, status: "Processing" });
    const { tasks, files } = await control.state();
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toMatchObject({ generation: 2, exportCount: 4, createTime: before.createTime });
    expect(tasks[0]?.endTime).not.toBe(before.endTime);
    expect(files.map((file) => file.sha256)).toHaveLength(2);
    expect(files[1]?.sha256).not.toBe(before.sha256);
  });

  test("another app is another condition", async () => {
    const { endpoint, control } = await sandboxWith();
    await control.addTask({ condition: { task_id: "batch" }, appType: "APP", appId: "app-1" });
    await create(endpoint, "batch");
    expect(idsOf(await list(endpoint))).toHaveLength(2);
  });
});

describe("the pace of downloads", () => {
  const slow = { downloadIntervalMs: 3_100_000 };

  test("a second one is refused with 403 and counted apart in the log", async () => {
    const { endpoint, control } = await sandboxWith(slow);
    const { exportTaskId } = await control.addTask();
    expect((await download(endpoint, exportTaskId)).status).toBe(200);
    const refused = await download(endpoint, exportTaskId);
    expect(refused.status).toBe(403);
    expect(jsonOf(refused).error_code).toBe("IOTDA.021101");
    expect(await control.requests()).toMatchObject([
      { n: 1, operation: "showExportTask", exportTaskId, status: 200, outcome: "answered" },
      { n: 2, status: 403, code: "IOTDA.021101", throttled: true },
    ]);
  });

  test("by switch 429 with Retry-After, or another code", async () => {
    const { endpoint, control } = await sandboxWith({
      ...slow,
      throttleStatus: 429,
      throttleRetryAfterSeconds: 7,
    });
    await download(endpoint, "any");
    const refused = await download(endpoint, "any");
    expect(refused.status).toBe(429);
    expect(refused.headers["retry-after"]).toBe("7");
    expect(jsonOf(refused).error_code).toBe("APIGW.0308");
    await control.changeSettings({ throttleCode: "IOTDA.021102", throttleStatus: 403 });
    expect(jsonOf(await download(endpoint, "any")).error_code).toBe("IOTDA.021102");
  });

  test("an unknown id and a fault use the slot, a wrong signature does not", async () => {
    const first: ((endpoint: string) => Promise<unknown>)[] = [
      (endpoint) => download(endpoint, "no-such-task"),
      (endpoint) => download(endpoint, "faulty"),
    ];
    for (const attempt of first) {
      const { endpoint, control } = await sandboxWith(slow);
      const reset = {
        operation: "showExportTask",
        exportTaskId: "faulty",
        fault: { kind: "reset" },
      } as const;
      await control.scriptFaults(reset);
      await attempt(endpoint);
      expect((await download(endpoint, "no-such-task")).status).toBe(403);
    }
    const { endpoint } = await sandboxWith(slow);
    await download(endpoint, "no-such-task", { signing: "none" });
    expect((await download(endpoint, "no-such-task")).status).toBe(404);
  });

  test("lists and deletes are not paced", async () => {
    const { endpoint } = await sandboxWith(slow);
    await download(endpoint, "no-such-task");
    expect((await list(endpoint)).status).toBe(200);
    expect((await list(endpoint)).status).toBe(200);
  });

  test("the project of the path is the one that was configured", async () => {
    const { endpoint } = await sandboxWith({ projectId: "p2" });
    expect((await list(endpoint, {}, { path: "/v5/iot/p2/export-tasks" })).status).toBe(200);
    expect((await list(endpoint, {}, { path: `/v5/iot/${PROJECT}/export-tasks` })).status).toBe(403);
  });
});
