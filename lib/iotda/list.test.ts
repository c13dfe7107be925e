import { describe, expect, test } from "vitest";
import type { ExportTaskListing } from "../ports/platform.ts";
import {
  clientFor,
  platformErrorOf,
  SECRETS,
  sendJson,
  startHttp,
  TASK_PATH,
  unaborted,
} from "./testing/loopback.ts";

interface Item {
  readonly export_task_id: unknown;
  readonly [field: string]: unknown;
}

function item(number: number, fields: Record<string, unknown> = {}): Item {
  return { export_task_id: `task-${number}`, resource_type: "BatchTask", status: "Success", ...fields };
}

function items(from: number, count: number): Item[] {
  return Array.from({ length: count }, (_, index) => item(from - index));
}

/** A platform that answers these pages in order, the last one for ever. */
async function listOf(
  pages: readonly unknown[],
  limits = {},
): Promise<ExportTaskListing & { queries: readonly URLSearchParams[] }> {
  const server = await startHttp((response, _request, number) =>
    sendJson(response, 200, pages[Math.min(number, pages.length) - 1]),
  );
  try {
    const listing = await clientFor(server.origin, { limits }).listExportTasks(unaborted());
    return { ...listing, queries: server.seen.map(({ url }) => url.searchParams) };
  } finally {
    await server.allClosed();
  }
}

function marker(number: number): string {
  return number.toString(16).padStart(24, "0");
}

describe("the request", () => {
  test("asks for the largest page, signs what it sends, asks for no encoding", async () => {
    const server = await startHttp((response) => sendJson(response, 200, { export_tasks: [] }));
    await clientFor(server.origin, { instanceId: "11111111-2222-3333" }).listExportTasks(unaborted());
    const [request] = server.seen;
    expect(request?.method).toBe("GET");
    expect(request?.url.pathname).toBe(TASK_PATH);
    expect(request?.url.search).toBe("?limit=50&resource_type=BatchTask");
    expect(request?.headers).toMatchObject({
      "accept-encoding": "identity",
      "instance-id": "11111111-2222-3333",
      "x-project-id": "0123456789abcdef0123456789abcdef",
      "x-sdk-date": "20261122T120000Z",
      "x-security-token": SECRETS.securityToken,
      host: new URL(server.origin).host,
    });
    expect(request?.headers.authorization).toMatch(
      /^SDK-HMAC-SHA256 Access=TESTAK00000000000SEC, SignedHeaders=content-type;host;instance-id;x-project-id;x-sdk-date;x-security-token, Signature=[0-9a-f]{64}$/,
    );
  });

  test("without instance and token neither header is sent; derived signing names its region", async () => {
    const server = await startHttp((response) => sendJson(response, 200, { export_tasks: [] }));
    const client = clientFor(server.origin, {
      signing: "derived",
      regionId: "cn-north-4",
      credentials: async () => ({ ak: SECRETS.ak, sk: SECRETS.sk }),
    });
    await client.listExportTasks(unaborted());
    const headers = server.seen[0]?.headers ?? {};
    expect(headers).not.toHaveProperty("instance-id");
    expect(headers).not.toHaveProperty("x-security-token");
    expect(headers.authorization).toMatch(
      /^V11-HMAC-SHA256 Credential=TESTAK00000000000SEC\/20261122\/cn-north-4\/iotdm, /,
    );
  });

  test("the platform's date is that of the answer", async () => {
    const server = await startHttp((response) => {
      sendJson(response, 200, { export_tasks: [] }, { date: "Sun, 22 Nov 2026 11:59:00 GMT" });
    });
    const listing = await clientFor(server.origin).listExportTasks(unaborted());
    expect(listing).toEqual({ tasks: [], oddItems: [], platformDateMs: Date.UTC(2026, 10, 22, 11, 59, 0) });
  });
});

describe("paging", () => {
  test("a short page ends the list", async () => {
    const { tasks, queries } = await listOf([
      { export_tasks: items(9, 3), page: { count: 99, marker: marker(1) } },
    ]);
    expect(tasks.map(({ exportTaskId }) => exportTaskId)).toEqual(["task-9", "task-8", "task-7"]);
    expect(queries).toHaveLength(1);
  });

  test("full pages are followed by marker, on one connection; each id is kept once", async () => {
    const pages = [
      { export_tasks: items(200, 50), page: { count: 70, marker: marker(151) } },
      { export_tasks: items(152, 20), page: { count: 70, marker: marker(132) } },
    ];
    const { tasks, queries } = await listOf(pages);
    expect(tasks).toHaveLength(68);
    expect(new Set(tasks.map(({ exportTaskId }) => exportTaskId)).size).toBe(68);
    expect(queries.map((query) => query.get("marker"))).toEqual([null, marker(151)]);
  });

  test("one id with two contents is odd, whatever comes after it", async () => {
    const [task = {}] = items(9, 1);
    const pages = [{ export_tasks: [task, { ...task, export_count: 999 }, task] }];
    const { tasks, oddItems } = await listOf(pages);
    expect(tasks).toEqual([]);
    expect(oddItems).toMatchObject([
      { index: 1, id: "task-9", problem: "appears twice in the list, with different contents" },
    ]);
  });

  test("an empty page ends the list", async () => {
    const { tasks, queries } = await listOf([
      { export_tasks: items(50, 50), page: { marker: marker(1) } },
      { export_tasks: [], page: { count: 50, marker: null } },
    ]);
    expect(tasks).toHaveLength(50);
    expect(queries).toHaveLength(2);
  });

  test("a marker that comes again ends the list", async () => {
    const page = { export_tasks: items(50, 50), page: { marker: marker(1) } };
    const { tasks, queries } = await listOf([page, page, page]);
    expect(tasks).toHaveLength(50);
    expect(queries).toHaveLength(2);
  });

  test("a full page without a marker is complete only if the platform counts no more", async () => {
    expect((await listOf([{ export_tasks: items(50, 50), page: { count: 50 } }])).tasks).toHaveLength(50);
    for (const page of [undefined, null, {}, { count: 51 }]) {
      const error = await platformErrorOf(listOf([{ export_tasks: items(50, 50), page }]));
      expect(error.code).toBe("platform-malformed-answer");
    }
  });

  test("a list that never ends is malformed at the page limit", async () => {
    const server = await startHttp((response, _request, number) =>
      sendJson(response, 200, { export_tasks: items(number * 100, 50), page: { marker: marker(number) } }),
    );
    const error = await platformErrorOf(clientFor(server.origin).listExportTasks(unaborted()));
    expect(error.code).toBe("platform-malformed-answer");
    expect(server.seen).toHaveLength(20);
    expect(server.accepted()).toBe(1);
  });
});

describe("items", () => {
  test("known fields are read, unknown fields and statuses survive", async () => {
    const full = item(1, {
      status: "Waitting",
      resource_condition: { task_id: "b1" },
      app_type: "APP",
      app_id: "app-1",
      export_count: 3,
      create_time: "2026-11-20T01:02:03.004Z",
      end_time: "20261120T010305Z",
      progress: 100,
      something_new: { deep: [1, null] },
    });
    const { tasks } = await listOf([{ export_tasks: [full], extra: true }]);
    expect(tasks[0]).toEqual({
      exportTaskId: "task-1",
      status: "Waitting",
      resourceType: "BatchTask",
      resourceCondition: { task_id: "b1" },
      appType: "APP",
      appId: "app-1",
      exportCount: 3,
      createTime: "2026-11-20T01:02:03.004Z",
      endTime: "20261120T010305Z",
      source: full,
    });
  });

  test("absent and null fields are undefined", async () => {
    const { tasks } = await listOf([
      { export_tasks: [{ export_task_id: "a", status: "Processing", end_time: null, export_count: null }] },
    ]);
    expect(tasks[0]).toMatchObject({ exportCount: undefined, endTime: undefined, appId: undefined });
  });

  test.each([
    ["a marker unfit for a URL", { export_tasks: [], page: { marker: "a&b" } }],
    ["no list", {}],
    ["a list that is none", { export_tasks: {} }],
    ["an array", []],
    ["null", null],
    ["an odd item and no list", { export_task: [item(1, { export_count: "3" })] }],
  ])("%s is malformed, never an empty list", async (_, page) => {
    expect((await platformErrorOf(listOf([page]))).code).toBe("platform-malformed-answer");
  });

  test("a page with odd items is followed like any other, and they are counted over all pages", async () => {
    const page = [...items(200, 49), item(3, { export_task_id: 7 })];
    const next = [item(4, { export_task_id: "a.b" }), ...items(151, 2), item(5, { status: null })];
    const { tasks, oddItems, queries } = await listOf([
      { export_tasks: page, page: { marker: marker(151) } },
      { export_tasks: next, page: { count: "many", marker: null } },
    ]);
    expect(queries).toHaveLength(2);
    expect(tasks).toHaveLength(51);
    expect(oddItems.map(({ index, field, id }) => [index, field, id])).toEqual([
      [49, "export_task_id", undefined],
      [50, "export_task_id", "a.b"],
      [53, "status", "task-5"],
    ]);
  });

  test("a full page of odd items only is complete where the platform counts no more", async () => {
    const page = Array.from({ length: 50 }, () => null);
    expect((await listOf([{ export_tasks: page, page: { count: 50 } }])).oddItems).toHaveLength(50);
    const error = await platformErrorOf(listOf([{ export_tasks: page, page: { count: 51 } }]));
    expect(error.code).toBe("platform-malformed-answer");
  });

  test("an item of 10 MB beside a healthy one costs only itself", async () => {
    const { tasks, oddItems } = await listOf([
      { export_tasks: [item(1, { resource_condition: "x".repeat(10_000_000) }), item(2)] },
    ]);
    expect(tasks.map(({ exportTaskId }) => exportTaskId)).toEqual(["task-2"]);
    expect(oddItems).toMatchObject([{ index: 0, problem: "it is larger than 1024 KiB", id: "task-1" }]);
  });

  test("text that is not JSON is malformed", async () => {
    const server = await startHttp((response) => response.end("{"));
    const error = await platformErrorOf(clientFor(server.origin).listExportTasks(unaborted()));
    expect(error.code).toBe("platform-malformed-answer");
  });

  test("a page beyond its size limit is malformed, and not read to its end", async () => {
    const error = await platformErrorOf(
      listOf([{ export_tasks: [], filler: "x".repeat(200_000) }], { maxJsonBytes: 100_000 }),
    );
    expect(error.code).toBe("platform-malformed-answer");
  });

  test.each([
    ["IOTDA.021101", "platform-throttled"],
    ["IOTDA.014111", "platform-disguised-error"],
  ])("status 200 with error code %s is %s", async (error_code, code) => {
    expect((await platformErrorOf(listOf([{ error_code, error_msg: "no" }]))).code).toBe(code);
  });
});
