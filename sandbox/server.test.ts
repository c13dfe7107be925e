import { describe, expect, test } from "vitest";
import { type Call, call, download, idsOf, jsonOf, list, sandboxWith } from "./testing/client.ts";
import { stopTimers } from "./testing/stopped-timers.ts";

describe("routes", () => {
  test.each<Call & { why: string }>([
    { why: "another API", path: "/v5/iot/p/devices" },
    { why: "one task without /file", path: "/some-id" },
    { why: "an unknown method", method: "PUT", path: "/some-id" },
    { why: "no path at all", path: "/other" },
  ])("an unknown API is the gateway's 404: $why", async (asked) => {
    const { endpoint } = await sandboxWith();
    const answer = await call(endpoint, asked);
    expect(answer.status).toBe(404);
    expect(jsonOf(answer).error_code).toBe("APIGW.0101");
  });

  test("a wrong signature, a wrong project, a wrong or missing instance", async () => {
    const { endpoint } = await sandboxWith({ instanceId: "abc-1" });
    const right = { "instance-id": "abc-1" };
    const tamper = (headers: Record<string, string>) => ({ ...headers, "instance-id": "abc-2" });
    const codeOf = async (asked: Call) => jsonOf(await list(endpoint, {}, asked)).error_code;
    expect(await codeOf({ headers: right })).toBeUndefined();
    expect(await codeOf({ headers: right, signing: "derived" })).toBeUndefined();
    expect(await codeOf({ headers: right, tamper })).toBe("APIGW.0301");
    expect(await codeOf({ headers: right, signing: "none" })).toBe("APIGW.0301");
    expect(await codeOf({ headers: { "instance-id": "abc-2" } })).toBe("IOTDA.000021");
    expect(await codeOf({})).toBe("IOTDA.000021");
    expect(await codeOf({ headers: right, path: "/v5/iot/other/export-tasks" })).toBe("IOTDA.000021");
  });

  test("a platform whose clock is off shows it and judges by it", async () => {
    const hourMs = 3_600_000;
    const { endpoint } = await sandboxWith({ dateSkewMs: hourMs });
    const beforeMs = Date.now();
    const refused = await list(endpoint);
    const afterMs = Date.now();
    expect(refused.status).toBe(401);
    expect(jsonOf(refused).error_code).toBe("APIGW.0303");
    const shownMs = Date.parse(refused.headers.date ?? "");
    // The header has whole seconds.
    expect(shownMs).toBeGreaterThan(beforeMs + hourMs - 1_000);
    expect(shownMs).toBeLessThanOrEqual(afterMs + hourMs);
    expect((await list(endpoint, {}, { dateMs: shownMs })).status).toBe(200);
  });
});

describe("list", () => {
  test("newest first, ten by default, paged by marker and offset", async () => {
    const { endpoint, control } = await sandboxWith();
    const added = await control.addTasks(Array.from({ length: 12 }, () => ({})));
    const newestFirst = added.map((task) => task.exportTaskId).reverse();

    const first = await list(endpoint);
    expect(idsOf(first)).toEqual(newestFirst.slice(0, 10));
    const page = jsonOf(first).page as { count: number; marker: string };
    expect(page.count).toBe(12);
    expect(newestFirst).not.toContain(page.marker);

    const second = await list(endpoint, { marker: page.marker });
    expect(idsOf(second)).toEqual(newestFirst.slice(10));
    expect(idsOf(await list(endpoint, { limit: "3", offset: "2" }))).toEqual(newestFirst.slice(2, 5));
    const { marker } = jsonOf(second).page as { marker: string };
    const empty = jsonOf(await list(endpoint, { marker }));
    expect(empty).toEqual({ export_tasks: [], page: { count: 12 } });
  });

  test("shows a task as documented", async () => {
    const { endpoint, control } = await sandboxWith();
    await control.addTask({
      exportTaskId: "task_A-1",
      condition: { task_id: "batch" },
      createTime: "2026-11-20T01:02:03.004Z",
      endTime: "20261120T010305Z",
      exportCount: 7,
      appType: "APP",
      appId: "app-1",
    });
    expect(jsonOf(await list(endpoint)).export_tasks).toEqual([
      {
        export_task_id: "task_A-1",
        resource_type: "BatchTask",
        resource_condition: { task_id: "batch" },
        app_type: "APP",
        app_id: "app-1",
        export_format: "xls",
        status: "Success",
        export_count: 7,
        progress: 100,
        create_time: "2026-11-20T01:02:03.004Z",
        end_time: "20261120T010305Z",
      },
    ]);
  });

  test("an unfinished task has no end time; it finishes in its time", async () => {
    const { endpoint, control } = await sandboxWith();
    const { exportTaskId } = await control.addTask({ status: "Processing" });
    const item = async () => (jsonOf(await list(endpoint)).export_tasks as Record<string, unknown>[])[0];
    expect(await item()).toMatchObject({ status: "Processing", progress: 1 });
    expect(await item()).not.toHaveProperty("end_time");
    await control.patchTask(exportTaskId, { status: "Success" });
    expect(await item()).toMatchObject({ status: "Success", end_time: expect.any(String) });
    await control.overwriteTask(exportTaskId, { finishesAfterMs: 3_600_000 });
    expect(await item()).toMatchObject({ status: "Processing" });
    await control.overwriteTask(exportTaskId, { finishesAfterMs: 1 });
    await expect.poll(item, { interval: 10 }).toMatchObject({ status: "Success", export_count: 5 });
  });

  test("filters by condition, whatever the order of its keys, and by app", async () => {
    const { endpoint, control } = await sandboxWith();
    await control.addTasks([
      { exportTaskId: "a", condition: { x: 1, y: { b: 1, a: 2 } } },
      { exportTaskId: "b", condition: { x: 2 }, appType: "APP", appId: "app-1" },
    ]);
    const ids = async (query: Record<string, string>) => idsOf(await list(endpoint, query));
    expect(await ids({ resource_condition: '{"y":{"a":2,"b":1},"x":1}' })).toEqual(["a"]);
    expect(await ids({ app_type: "APP" })).toEqual(["b"]);
    expect(await ids({ app_id: "app-2" })).toEqual([]);
  });

  test.each([
    { query: { limit: "51" }, code: "IOTDA.000017" },
    { query: { limit: "0" }, code: "IOTDA.000017" },
    { query: { offset: "501" }, code: "IOTDA.000018" },
    { query: { marker: "abc" }, code: "IOTDA.000006" },
    { query: { resource_type: "Device" }, code: "IOTDA.000006" },
    { query: { resource_condition: "not json" }, code: "IOTDA.000006" },
  ])("refuses $query", async ({ query, code }) => {
    const { endpoint } = await sandboxWith();
    const answer = await list(endpoint, query as Record<string, string>);
    expect(answer.status).toBe(400);
    expect(jsonOf(answer).error_code).toBe(code);
  });
});

describe("download and delete", () => {
  test("serves the bytes of the file under their length", async () => {
    const { endpoint, control } = await sandboxWith();
    const task = await control.addTask({ fillerBytes: 600_000 });
    const answer = await download(endpoint, task.exportTaskId);
    expect(answer.status).toBe(200);
    expect(answer.headers["content-length"]).toBe(String(task.sizeBytes));
    expect(answer.body.length).toBe(task.sizeBytes);
    const { served } = await control.state();
    expect(served).toEqual([
      {
        n: 1,
        exportTaskId: task.exportTaskId,
        generation: 1,
        bytesSent: task.sizeBytes,
        sha256: task.sha256,
        outcome: "answered",
      },
    ]);
  });

  test("by switch without a length", async () => {
    const { endpoint, control } = await sandboxWith({ fileContentLength: false });
    const task = await control.addTask();
    const answer = await download(endpoint, task.exportTaskId);
    expect(answer.headers["content-length"]).toBeUndefined();
    expect(answer.headers["transfer-encoding"]).toBe("chunked");
    expect(answer.body.length).toBe(task.sizeBytes);
  });

  test("an unknown id is an IOTDA 404, an unfinished or failed task has no file", async () => {
    const { endpoint, control } = await sandboxWith();
    await control.addTasks([
      { exportTaskId: "running", status: "Processing" },
      { exportTaskId: "failed", status: "Failed" },
    ]);
    expect(jsonOf(await download(endpoint, "no-such-task")).error_code).toMatch(/^IOTDA\./);
    expect((await download(endpoint, "no-such-task")).status).toBe(404);
    expect((await download(endpoint, "running")).status).toBe(400);
    expect((await download(endpoint, "failed")).status).toBe(400);
  });

  test("delete answers 204 once, 404 after", async () => {
    const { endpoint, control } = await sandboxWith();
    const { exportTaskId } = await control.addTask();
    const first = await call(endpoint, { method: "DELETE", path: `/${exportTaskId}` });
    expect(first).toMatchObject({ status: 204, body: Buffer.alloc(0) });
    expect((await call(endpoint, { method: "DELETE", path: `/${exportTaskId}` })).status).toBe(404);
    expect(idsOf(await list(endpoint))).toEqual([]);
    expect((await control.state()).removals).toMatchObject([{ exportTaskId, reason: "deleted" }]);
  });
});

describe("control", () => {
  test("refuses what it does not know, and says where", async () => {
    const { endpoint, control } = await sandboxWith();
    await expect(control.addTask({ exportTaskId: "a/b" })).rejects.toThrow(/0\.exportTaskId/);
    // @ts-expect-error the name is misspelt on purpose
    await expect(control.changeSettings({ downloadIntervallMs: 1 })).rejects.toThrow(/downloadIntervallMs/);
    await expect(control.overwriteTask("no-such-task")).rejects.toMatchObject({ status: 404 });
    expect((await fetch(`${endpoint}/__sandbox/nothing`)).status).toBe(404);
    expect((await fetch(`${endpoint}/__sandbox/tasks`, { method: "POST", body: "{" })).status).toBe(400);
  });

  test("a change of settings leaves the others as they are", async () => {
    const { endpoint, control } = await sandboxWith({ projectId: "p2", downloadIntervalMs: 1_000_000 });
    await control.changeSettings({ throttleStatus: 429 });
    const path = "/v5/iot/p2/export-tasks/no-such-task/file";
    await call(endpoint, { path });
    expect((await call(endpoint, { path })).status).toBe(429);
  });

  test("evicts and overwrites behind the client's back", async () => {
    const { endpoint, control } = await sandboxWith();
    const one = await control.addTask();
    const two = await control.addTask();
    expect(await control.removeTask(one.exportTaskId, "evicted")).toBe(true);
    expect(await control.removeTask(one.exportTaskId)).toBe(false);
    const again = await control.overwriteTask(two.exportTaskId, { fillerBytes: 1000 });
    expect(again).toMatchObject({ generation: 2, status: "Success" });
    expect((await download(endpoint, two.exportTaskId)).body.length).toBe(again.sizeBytes);
    expect((await control.state()).removals).toMatchObject([
      { reason: "evicted" },
      { reason: "overwritten" },
    ]);
  });

  test("a download under way reads the file it began with", async () => {
    const { endpoint, control } = await sandboxWith();
    const before = await control.addTask({ fillerBytes: 300_000 });
    const stall = { kind: "stall", afterBytes: 1000, releaseAfterMs: 60_000 } as const;
    await control.scriptFaults({ operation: "showExportTask", fault: stall });
    const timers = stopTimers();
    const downloading = download(endpoint, before.exportTaskId);
    await timers.areSet(stall.releaseAfterMs);
    await control.overwriteTask(before.exportTaskId);
    timers.pass(stall.releaseAfterMs);
    await downloading;
    expect((await control.state()).served).toMatchObject([{ generation: 1, sha256: before.sha256 }]);
  });
});
