import { describe, expect, onTestFinished, test } from "vitest";
import { IotdaAnswers } from "./answers.ts";
import {
  AMPLE_MS,
  NOW_MS,
  PROJECT_ID,
  platformErrorOf,
  SECRETS,
  sendJson,
  startHttp,
  TASK_PATH,
  unaborted,
} from "./testing/loopback.ts";

function answersOf(endpoint: string, jsonTotalMs = AMPLE_MS): IotdaAnswers {
  const answers = new IotdaAnswers({
    endpoint,
    projectId: PROJECT_ID,
    instanceId: undefined,
    credentials: async () => SECRETS,
    wallMs: () => NOW_MS,
    limits: { connectMs: AMPLE_MS, headersMs: AMPLE_MS, idleMs: AMPLE_MS, jsonTotalMs },
  });
  onTestFinished(() => answers.close());
  return answers;
}

describe("a list page", () => {
  test("is asked for once, with its offset, and gives marker and last id", async () => {
    const task = { export_task_id: "task-1", status: "Success" };
    const page = { export_tasks: [{ export_task_id: "task-2" }, task], page: { count: 7, marker: "ab12" } };
    const server = await startHttp((response) => sendJson(response, 200, page));
    expect(await answersOf(server.origin).askForListPage(501, unaborted())).toEqual({
      totalCount: 7,
      marker: "ab12",
      lastExportTaskId: "task-1",
    });
    expect(server.seen.map(({ url }) => url.searchParams.get("offset"))).toEqual(["501"]);
    await server.allClosed();
  });

  test("of nothing has no last id", async () => {
    const server = await startHttp((response) => sendJson(response, 200, { export_tasks: [] }));
    const page = await answersOf(server.origin).askForListPage(0, unaborted());
    expect(page).toEqual({ totalCount: undefined, marker: undefined, lastExportTaskId: undefined });
  });

  test("that is refused says how, and is not asked for again", async () => {
    const server = await startHttp((response) => sendJson(response, 401, { error_code: "IOTDA.000002" }));
    const error = await platformErrorOf(answersOf(server.origin).askForListPage(0, unaborted()));
    expect(error).toMatchObject({ httpStatus: 401, platformCode: "IOTDA.000002" });
    expect(server.seen).toHaveLength(1);
  });
});

describe("a file", () => {
  test("gives its first bytes and harmless headers; the rest is never fetched", async () => {
    const server = await startHttp((response) => {
      response.writeHead(200, {
        "content-type": "application/zip",
        location: "https://x/?Signature=s",
        etag: "e",
      });
      // It has no end: only the client can end it.
      response.write(Buffer.alloc(100_000, "P"));
    });
    const options = { ...unaborted(), maxBytes: 10 };
    const { headers, beginning, isWhole } = await answersOf(server.origin).askForFile("task-1", options);
    expect({ text: Buffer.from(beginning).toString(), isWhole }).toEqual({
      text: "PPPPPPPPPP",
      isWhole: false,
    });
    expect([...headers.keys()]).toEqual(["content-type", "etag", "transfer-encoding"]);
    expect(server.seen.map(({ url }) => url.pathname)).toEqual([`${TASK_PATH}/task-1/file`]);
    await server.allClosed();
  });

  test("that ends within the limit is whole", async () => {
    const server = await startHttp((response) => response.writeHead(200).end("PK"));
    const options = { ...unaborted(), maxBytes: 2 };
    const { beginning, isWhole } = await answersOf(server.origin).askForFile("task-1", options);
    expect({ text: Buffer.from(beginning).toString(), isWhole }).toEqual({ text: "PK", isWhole: true });
  });

  test("that is a redirect is not followed", async () => {
    const server = await startHttp((response) =>
      response.writeHead(302, { location: "/elsewhere?Signature=SignatureOfSomebody" }).end(),
    );
    const call = answersOf(server.origin).askForFile("task-1", { ...unaborted(), maxBytes: 10 });
    expect(await platformErrorOf(call)).toMatchObject({ httpStatus: 302 });
    expect(server.seen).toHaveLength(1);
  });

  test.each([
    ["an error", (body: string) => JSON.stringify({ error_code: body }), "IOTDA.000099"],
    ["a page", (body: string) => `<html>${body}</html>`, "login"],
  ])("that is %s in disguise does not count as a file", async (_what, made, body) => {
    const server = await startHttp((response) => response.writeHead(200).end(made(body)));
    const call = answersOf(server.origin).askForFile("task-1", { ...unaborted(), maxBytes: 10 });
    expect((await platformErrorOf(call)).code).toBe("platform-disguised-error");
  });

  test("that stalls fails at the limit of the whole request", async () => {
    const server = await startHttp((response) => response.writeHead(200).write("P"));
    const call = answersOf(server.origin, 30).askForFile("task-1", { ...unaborted(), maxBytes: 10 });
    expect((await platformErrorOf(call)).code).toBe("platform-unreachable");
    await server.allClosed();
  });
});
