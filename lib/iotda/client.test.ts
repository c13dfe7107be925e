import { describe, expect, test } from "vitest";
import { ArchiverError } from "../domain/errors.ts";
import type { TimedCallOptions } from "../ports/platform.ts";
import type { IotdaClient } from "./client.ts";
import type { IotdaClientOptions } from "./options.ts";
import type { Credentials } from "./signing.ts";
import {
  clientFor,
  platformErrorOf,
  SECRETS,
  sendJson,
  startHttp,
  TASK_PATH,
  unaborted,
} from "./testing/loopback.ts";

test.each([
  ["delete", (client: IotdaClient, options: TimedCallOptions) => client.deleteExportTask("task-1", options)],
  [
    "create",
    (client: IotdaClient, options: TimedCallOptions) =>
      client.createExportTask({ resourceCondition: {} }, options),
  ],
])("a %s that beforeRequest refuses is never sent", async (_, call) => {
  const server = await startHttp((response) => response.writeHead(204).end());
  const stale = new Error("the list is too old");
  const beforeRequest = () => {
    throw stale;
  };
  await expect(call(clientFor(server.origin), { ...unaborted(), beforeRequest })).rejects.toBe(stale);
  await server.allClosed();
  expect(server.seen).toEqual([]);
});

describe("delete", () => {
  test("204 is done; one request to the task's path, without body", async () => {
    const server = await startHttp((response) => response.writeHead(204).end());
    await expect(clientFor(server.origin).deleteExportTask("task-1", unaborted())).resolves.toBeUndefined();
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]).toMatchObject({ method: "DELETE", body: "" });
    expect(server.seen[0]?.url.pathname).toBe(`${TASK_PATH}/task-1`);
    await server.allClosed();
  });

  test.each([200, 202, 205])("%i is not documented: malformed", async (status) => {
    const server = await startHttp((response) => response.writeHead(status).end());
    const call = clientFor(server.origin).deleteExportTask("task-1", unaborted());
    expect((await platformErrorOf(call)).code).toBe("platform-malformed-answer");
  });

  test("many in a row leave no connection that a later one could find stale", async () => {
    const server = await startHttp((response) => response.writeHead(204).end());
    const client = clientFor(server.origin);
    for (let number = 0; number < 5; number += 1) {
      await client.deleteExportTask(`task-${number}`, unaborted());
    }
    await server.allClosed();
    expect(server.accepted()).toBe(5);
  });
});

describe("create", () => {
  test("sends the documented body, signed, and reads the new task", async () => {
    const server = await startHttp((response) =>
      sendJson(response, 201, { export_task_id: "new-1", status: "Processing", progress: 1 }),
    );
    const request = { resourceCondition: { task_id: "b1" }, appType: "APP", appId: "app-1" } as const;
    const task = await clientFor(server.origin).createExportTask(request, unaborted());
    expect(task).toMatchObject({ exportTaskId: "new-1", status: "Processing", source: { progress: 1 } });
    expect(server.seen[0]?.method).toBe("POST");
    expect(server.seen[0]?.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({
      resource_type: "BatchTask",
      resource_condition: { task_id: "b1" },
      export_format: "xls",
      app_type: "APP",
      app_id: "app-1",
    });
  });

  test.each([
    [200, { export_task_id: "new-1", status: "Processing" }],
    [201, { export_task_id: "../x", status: "Processing" }],
    [201, {}],
  ])("status %i with %j is malformed", async (status, body) => {
    const server = await startHttp((response) => sendJson(response, status, body));
    const call = clientFor(server.origin).createExportTask({ resourceCondition: {} }, unaborted());
    expect((await platformErrorOf(call)).code).toBe("platform-malformed-answer");
  });
});

/** A provider that hands out one of these per refresh, and what it was asked. */
function rotating(...given: Credentials[]): {
  asked: boolean[];
  credentials: IotdaClientOptions["credentials"];
} {
  const asked: boolean[] = [];
  let refreshes = 0;
  return {
    asked,
    credentials: async (refresh) => {
      asked.push(refresh);
      refreshes += refresh ? 1 : 0;
      return given[Math.min(refreshes, given.length - 1)] ?? SECRETS;
    },
  };
}

const RENEWED: Credentials = { ...SECRETS, ak: "RENEWEDAK" };

/** A platform that lets only the renewed key in. */
function startPickyPlatform(): ReturnType<typeof startHttp> {
  return startHttp((response, request) => {
    if (!(request.headers.authorization ?? "").includes(RENEWED.ak)) {
      sendJson(response, 401, { error_code: "APIGW.0301" });
    } else if (request.method === "DELETE") {
      response.writeHead(204).end();
    } else {
      sendJson(response, 200, { export_tasks: [] });
    }
  });
}

describe("refused credentials", () => {
  test("a list asks for new ones once and, as they differ, is sent again", async () => {
    const server = await startPickyPlatform();
    const { asked, credentials } = rotating(SECRETS, RENEWED);
    await clientFor(server.origin, { credentials }).listExportTasks(unaborted());
    expect(asked).toEqual([false, true]);
    expect(server.seen).toHaveLength(2);
    await server.allClosed();
  });

  test("the same ones are signed with once more, and then the refusal counts", async () => {
    const server = await startPickyPlatform();
    const { asked, credentials } = rotating(SECRETS, { ...SECRETS });
    const error = await platformErrorOf(
      clientFor(server.origin, { credentials }).listExportTasks(unaborted()),
    );
    expect(error).toMatchObject({ code: "platform-unauthenticated", scope: "system", retry: "never" });
    expect(asked).toEqual([false, true]);
    expect(server.seen).toHaveLength(2);
  });

  test.each(["APIGW.0301", "APIGW.0303", "IOTDA.000002"])(
    "one refusal of the time (%s) is not seen: the list is signed again",
    async (error_code) => {
      const signedAt: (string | undefined)[] = [];
      const server = await startHttp((response, request, number) => {
        signedAt.push(request.headers["x-sdk-date"]?.toString());
        if (number === 1) {
          response.setHeader("date", new Date(0).toUTCString());
          sendJson(response, 401, { error_code });
        } else {
          sendJson(response, 200, { export_tasks: [] });
        }
      });
      let nowMs = Date.UTC(2026, 10, 24);
      const wallMs = () => {
        nowMs += 1_000;
        return nowMs;
      };
      const client = clientFor(server.origin, { wallMs });
      expect((await client.listExportTasks(unaborted())).tasks).toEqual([]);
      expect(new Set(signedAt).size).toBe(2);
    },
  );

  test.each<[string, (client: IotdaClient) => Promise<unknown>]>([
    ["delete", (client) => client.deleteExportTask("task-1", unaborted())],
    ["download", (client) => client.showExportTask("task-1", unaborted())],
    ["create", (client) => client.createExportTask({ resourceCondition: {} }, unaborted())],
  ])("a %s is sent once, whatever is refused", async (_what, call) => {
    const server = await startHttp((response) => sendJson(response, 401, { error_code: "APIGW.0303" }));
    const error = await platformErrorOf(call(clientFor(server.origin)));
    expect(error.code).toBe("platform-unauthenticated");
    expect(server.accepted()).toBe(1);
  });

  test("new ones that are refused too end the call", async () => {
    const server = await startPickyPlatform();
    const { asked, credentials } = rotating(SECRETS, { ...SECRETS, sk: "another" });
    const error = await platformErrorOf(
      clientFor(server.origin, { credentials }).listExportTasks(unaborted()),
    );
    expect(error.code).toBe("platform-unauthenticated");
    expect(asked).toEqual([false, true]);
    expect(server.seen).toHaveLength(2);
  });

  test("a delete fails at once; the next call looks for new ones first", async () => {
    const server = await startPickyPlatform();
    const { asked, credentials } = rotating(SECRETS, RENEWED);
    const client = clientFor(server.origin, { credentials });
    const error = await platformErrorOf(client.deleteExportTask("task-1", unaborted()));
    expect(error.code).toBe("platform-unauthenticated");
    expect(server.seen).toHaveLength(1);
    await client.deleteExportTask("task-1", unaborted());
    expect(asked).toEqual([false, true]);
  });

  test("a list that already began with new ones is signed again, but asks for none a second time", async () => {
    const server = await startPickyPlatform();
    const { asked, credentials } = rotating(SECRETS);
    const client = clientFor(server.origin, { credentials });
    await platformErrorOf(client.showExportTask("task-1", unaborted()));
    await platformErrorOf(client.listExportTasks(unaborted()));
    expect(asked).toEqual([false, true, false]);
    expect(server.seen).toHaveLength(3);
  });
});

test("a token the platform could not decode is looked up again as well (500 IOTDA.000020)", async () => {
  const server = await startHttp((response, _request, number) =>
    number === 1
      ? sendJson(response, 500, { error_code: "IOTDA.000020" })
      : sendJson(response, 200, { export_tasks: [] }),
  );
  const { asked, credentials } = rotating(SECRETS, RENEWED);
  await clientFor(server.origin, { credentials }).listExportTasks(unaborted());
  expect(asked).toEqual([false, true]);
});

describe("a credentials provider", () => {
  test("that fails is reported without its own words", async () => {
    const server = await startHttp((response) => response.end());
    const client = clientFor(server.origin, { credentials: () => Promise.reject(new Error(SECRETS.sk)) });
    const error = await platformErrorOf(client.listExportTasks(unaborted()));
    expect(error).toMatchObject({ code: "platform-unauthenticated", scope: "system" });
    expect(server.accepted()).toBe(0);
  });

  test("may raise an error of ours", async () => {
    const ours = new ArchiverError("config-secret-missing", "no such secret", {
      scope: "system",
      retry: "never",
      hint: "Create it.",
    });
    const client = clientFor("http://127.0.0.1:1", { credentials: () => Promise.reject(ours) });
    await expect(client.listExportTasks(unaborted())).rejects.toBe(ours);
  });

  test("that never answers does not hold up an abort", async () => {
    const controller = new AbortController();
    const client = clientFor("http://127.0.0.1:1", { credentials: () => new Promise(() => undefined) });
    const settled = expect(client.showExportTask("t", { signal: controller.signal })).rejects.toBe("stop");
    controller.abort("stop");
    await settled;
  });
});

describe("settings that can never work are refused before anything is sent", () => {
  test.each([
    ["a path", { endpoint: "https://host/v5" }],
    ["a query", { endpoint: "https://host?x" }],
    ["a user", { endpoint: "https://user:secret@host" }],
    ["another protocol", { endpoint: "ftp://host" }],
    ["no URL", { endpoint: "host" }],
    ["a project id with a path", { projectId: "../x" }],
    ["an instance id with a line break", { instanceId: "a\r\nb" }],
    ["derived signing without a region", { signing: "derived" }],
    ["a host that needs derived signing, without a region", { endpoint: "https://iotda.example.com" }],
    ["a proxy that is not a URL", { proxy: { httpProxy: "host:3128" } }],
  ] as const)("%s", async (_, options) => {
    const create = async (): Promise<unknown> => clientFor("http://127.0.0.1:1", options);
    expect((await platformErrorOf(create())).code).toBe("platform-misconfigured");
  });
});
