import { describe, expect, test } from "vitest";
import { PlatformError } from "../ports/platform.ts";
import type { IotdaClient } from "./client.ts";
import { ERROR_TABLE } from "./error-table.ts";
import {
  clientFor,
  NOW_MS,
  platformErrorOf,
  SECRETS,
  sendJson,
  startHttp,
  unaborted,
} from "./testing/loopback.ts";

/** An error text as a hostile or careless gateway might write it. */
const LEAKY_TEXT = [
  "Bad\u0007\nsignature for",
  `Access=${SECRETS.ak}, Signature=SignatureOfSomebody; X-Security-Token: TokenOfSomebody`,
  `${SECRETS.sk} ${SECRETS.securityToken} ${encodeURIComponent(SECRETS.securityToken)}`,
  "x ".repeat(400),
].join(" ");

const STATUS_OF_CLASS = { "3xx": 307, "4xx": 418, "5xx": 503 };
const CODE_OF_FAMILY: Readonly<Record<string, string>> = { "IOTDA.*": "IOTDA.999999", "*": "APIGW.9999" };

async function refusalOf(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  call: (client: IotdaClient) => Promise<unknown> = (client) => client.showExportTask("task-1", unaborted()),
): Promise<PlatformError> {
  const date = new Date(NOW_MS).toUTCString();
  const server = await startHttp((response) => sendJson(response, status, body, { date, ...headers }));
  const error = await platformErrorOf(call(clientFor(server.origin)));
  await server.allClosed();
  return error;
}

describe("every row of the error table, over the wire", () => {
  test.each(ERROR_TABLE)("$httpStatus $platformCode is $code", async (row) => {
    const status = typeof row.httpStatus === "number" ? row.httpStatus : STATUS_OF_CLASS[row.httpStatus];
    const platformCode = CODE_OF_FAMILY[row.platformCode] ?? row.platformCode;
    const body = { error_code: platformCode, error_msg: LEAKY_TEXT };
    const error = await refusalOf(status, body, { "x-request-id": "req-1" });
    expect(error).toMatchObject({
      code: row.code,
      scope: row.scope,
      retry: row.retry,
      hint: row.hint,
      httpStatus: status,
      platformCode,
      requestId: "req-1",
    });
    expect(error.throttle?.intervals).toBe(row.throttleIntervals);
    expect(error.message).toContain("Bad signature for");
    expect(error.message.length).toBeLessThan(300);
  });

  test("only throttling carries a throttle", () => {
    for (const row of ERROR_TABLE) {
      expect(row.throttleIntervals !== undefined).toBe(row.code === "platform-throttled");
    }
  });

  test("no code stands in the table twice", () => {
    const keys = ERROR_TABLE.map(
      (row) => `${row.platformCode.includes("*") ? row.httpStatus : ""}${row.platformCode}`,
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("classification", () => {
  test("the code decides before the status", async () => {
    const error = await refusalOf(500, { error_code: "IOTDA.021102", error_msg: "limit" });
    expect(error).toMatchObject({ code: "platform-throttled", throttle: { intervals: 2 } });
  });

  test("the other error shape is read too", async () => {
    const error = await refusalOf(403, { error: { code: "IOTDA.000021", message: "no right" } });
    expect(error).toMatchObject({ code: "platform-forbidden", platformCode: "IOTDA.000021" });
    expect(error.message).toContain("no right");
  });

  test("a create that is forbidden is told which permission it wants", async () => {
    const create = (client: IotdaClient) => client.createExportTask({ resourceCondition: {} }, unaborted());
    const error = await refusalOf(403, { error_code: "IOTDA.000021" }, {}, create);
    expect(error.hint).toMatch(/iotda:exporttasks:.*:create/);
  });

  test.each([
    ["no code", { message: "nothing here" }],
    ["a code of no known form", { error_code: SECRETS.ak }],
    ["a gateway code", { error_code: "APIGW.0101" }],
    ["a code of a wrong type", { error_code: { deep: true } }],
  ])("404 with %s is never a missing task", async (_, body) => {
    expect((await refusalOf(404, body)).code).toBe("platform-misconfigured");
  });

  test("404 with an IOTDA code on the list means no task", async () => {
    const error = await refusalOf(404, { error_code: "IOTDA.014000" }, {}, (client) =>
      client.listExportTasks(unaborted()),
    );
    expect(error.code).toBe("platform-misconfigured");
  });

  test("404 with an IOTDA code on delete may mean the task", async () => {
    const error = await refusalOf(404, { error_code: "IOTDA.014000" }, {}, (client) =>
      client.deleteExportTask("task-1", unaborted()),
    );
    expect(error.code).toBe("platform-task-not-found");
  });

  test("an HTML error page is classified by its status", async () => {
    const server = await startHttp((response) => {
      response.writeHead(502, { "content-type": "text/html" });
      response.end("<html>bad gateway</html>");
    });
    const error = await platformErrorOf(clientFor(server.origin).listExportTasks(unaborted()));
    expect(error).toMatchObject({ code: "platform-unavailable", httpStatus: 502, platformCode: undefined });
    expect(error.message).not.toContain("html");
  });

  test("an error body beyond 64 KiB is not read on, and its code counts for nothing", async () => {
    const error = await refusalOf(404, { error_code: "IOTDA.014000", error_msg: "x".repeat(2_000_000) });
    expect(error.code).toBe("platform-misconfigured");
  });

  test("a request id that is none is left out", async () => {
    const error = await refusalOf(500, {}, { "x-request-id": SECRETS.ak });
    expect(error.requestId).toBeUndefined();
  });

  test("an undocumented status of success is malformed", async () => {
    const error = await refusalOf(206, { data: 1 });
    expect(error).toMatchObject({ code: "platform-malformed-answer" });
  });
});

describe("403 with an unknown code", () => {
  test("counts as a limit twice, then as permission, and success resets it", async () => {
    let refuse = true;
    const server = await startHttp((response) =>
      refuse ? sendJson(response, 403, { error_code: "IOTDA.777777" }) : response.writeHead(204).end(),
    );
    const client = clientFor(server.origin);
    const codeOfNext = async (): Promise<string> =>
      (await platformErrorOf(client.deleteExportTask("task-1", unaborted()))).code;
    expect(await codeOfNext()).toBe("platform-throttled");
    expect(await codeOfNext()).toBe("platform-throttled");
    expect(await codeOfNext()).toBe("platform-forbidden");
    expect(await codeOfNext()).toBe("platform-forbidden");
    refuse = false;
    await client.deleteExportTask("task-1", unaborted());
    refuse = true;
    expect(await codeOfNext()).toBe("platform-throttled");
  });
});

test("what is allowed otherwise does not make an operation's unknown 403 look like a limit for ever", async () => {
  const server = await startHttp((response, { method }) =>
    method === "DELETE"
      ? sendJson(response, 403, { error_code: "IOTDA.777777" })
      : sendJson(response, 200, { export_tasks: [] }),
  );
  const client = clientFor(server.origin);
  const codes: string[] = [];
  for (let visit = 1; visit <= 3; visit += 1) {
    await client.listExportTasks(unaborted());
    codes.push((await platformErrorOf(client.deleteExportTask("task-1", unaborted()))).code);
  }
  expect(codes).toEqual(["platform-throttled", "platform-throttled", "platform-forbidden"]);
});

describe("Retry-After", () => {
  test.each([
    ["7", 7000],
    ["0", 0],
    ["999999", 3_600_000],
    [new Date(NOW_MS + 90_000).toUTCString(), 90_000],
    [new Date(NOW_MS - 90_000).toUTCString(), 0],
    ["soon", undefined],
    ["-5", undefined],
    ["Sun, 99 Nov 2026 12:00:00 GMT", undefined],
  ])("%s", async (header, retryAfterMs) => {
    const error = await refusalOf(429, { error_code: "APIGW.0308" }, { "retry-after": header });
    expect(error.throttle).toEqual({ intervals: 2, retryAfterMs });
  });
});

test("redirects are refused, not followed", async () => {
  const elsewhere = await startHttp((response) => response.end("never"));
  const error = await refusalOf(302, {}, { location: `${elsewhere.origin}/stolen` });
  expect(error).toBeInstanceOf(PlatformError);
  expect(error.code).toBe("platform-misconfigured");
  expect(elsewhere.accepted()).toBe(0);
});

describe("a refused signature and the answer's Date", () => {
  const refusedAt = (dateMs: number) =>
    refusalOf(
      401,
      { error_code: "APIGW.0303", error_msg: "app auth failed" },
      { date: new Date(dateMs).toUTCString() },
    );

  test.each([
    ["ahead of", -20],
    ["behind", 20],
  ])("20 minutes %s the platform are named, and what to do", async (direction, minutes) => {
    const error = await refusedAt(NOW_MS + minutes * 60_000);
    expect(error.message).toContain(`clock is 20 min ${direction} the platform's`);
    expect(error.hint).toContain("NTP");
  });

  test("a clock that agrees is not blamed", async () => {
    const error = await refusedAt(NOW_MS + 4 * 60_000);
    expect(error.message).not.toContain("clock is");
    expect(error.hint).toContain("access key");
  });
});
