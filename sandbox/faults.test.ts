import { createHash } from "node:crypto";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { type Fault, isFor, type Operation } from "./faults.ts";
import type { Sandbox, TaskView } from "./start.ts";
import { call, create, download, idsOf, jsonOf, list, sandboxWith } from "./testing/client.ts";
import { stopTimers } from "./testing/stopped-timers.ts";

const FILLER_BYTES = 400_000;

async function sandboxWithFault(
  fault: Fault,
  operation: Operation = "showExportTask",
): Promise<{ sandbox: Sandbox; task: TaskView }> {
  const sandbox = await sandboxWith();
  const task = await sandbox.control.addTask({ fillerBytes: FILLER_BYTES });
  await sandbox.control.scriptFaults({ operation, fault });
  return { sandbox, task };
}

async function spoiledDownload(fault: Fault) {
  const { sandbox, task } = await sandboxWithFault(fault);
  const answer = await download(sandbox.endpoint, task.exportTaskId);
  const [entry] = await sandbox.control.requests();
  const next = await download(sandbox.endpoint, task.exportTaskId);
  expect(sha256(next.body), "the fault is used up").toBe(task.sha256);
  return { answer, task, entry };
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("faults on a download, on the wire", () => {
  test("reset before the answer", async () => {
    const { answer, entry } = await spoiledDownload({ kind: "reset" });
    expect(answer).toMatchObject({ status: undefined, cut: "ECONNRESET" });
    expect(entry).toMatchObject({ fault: "reset", outcome: "lost", bytesSent: 0 });
  });

  test.each([0, 100_000])("reset after %i bytes", async (afterBytes) => {
    const { answer, entry } = await spoiledDownload({ kind: "reset", afterBytes });
    expect(answer).toMatchObject({ status: 200, cut: "ECONNRESET" });
    expect(answer.body.length).toBe(afterBytes);
    expect(entry).toMatchObject({ outcome: "reset", bytesSent: afterBytes, sha256: sha256(answer.body) });
  });

  test("a short body under the whole length", async () => {
    const fault = { kind: "short-body", bytes: 1000, declareLength: true } as const;
    const { answer, task, entry } = await spoiledDownload(fault);
    expect(answer.headers["content-length"]).toBe(String(task.sizeBytes));
    expect(answer).toMatchObject({ status: 200, cut: "ECONNRESET" });
    expect(answer.body.length).toBe(1000);
    expect(entry).toMatchObject({ outcome: "reset" });
  });

  test("a short body without a length looks whole", async () => {
    const fault = { kind: "short-body", bytes: 1000, declareLength: false } as const;
    const { answer } = await spoiledDownload(fault);
    expect(answer.headers).not.toHaveProperty("content-length");
    expect(answer.headers).not.toHaveProperty("transfer-encoding");
    expect(answer).toMatchObject({ status: 200, cut: undefined });
    expect(answer.body.length).toBe(1000);
  });

  test("a truncated body under its own length", async () => {
    const { answer } = await spoiledDownload({ kind: "truncate", bytes: 1000 });
    expect(answer.headers["content-length"]).toBe("1000");
    expect(answer).toMatchObject({ cut: undefined });
    expect(answer.body.length).toBe(1000);
  });

  test("extra bytes behind the file", async () => {
    const { answer, task } = await spoiledDownload({ kind: "extra-bytes", bytes: 10 });
    expect(answer.body.length).toBe(task.sizeBytes + 10);
    expect(sha256(answer.body.subarray(0, task.sizeBytes))).toBe(task.sha256);
  });

  test.each([0, 300_000])("the byte at %i inverted", async (at) => {
    const { answer, task } = await spoiledDownload({ kind: "flip-byte", at });
    expect(sha256(answer.body)).not.toBe(task.sha256);
    const repaired = Buffer.from(answer.body);
    repaired.writeUInt8(repaired.readUInt8(at) ^ 0xff, at);
    expect(sha256(repaired)).toBe(task.sha256);
  });

  test("a proxy's page", async () => {
    const { answer } = await spoiledDownload({ kind: "html", status: 200 });
    expect(answer).toMatchObject({ status: 200, headers: { "content-type": "text/html" } });
    expect(answer.body.toString()).toMatch(/^<!DOCTYPE html>/);
  });

  test("an error under 200", async () => {
    const { answer } = await spoiledDownload({ kind: "json-200", code: "IOTDA.014111" });
    expect(answer.status).toBe(200);
    expect(jsonOf(answer)).toMatchObject({ error_code: "IOTDA.014111" });
  });

  test("a status, with and without a code", async () => {
    const coded = await spoiledDownload({
      kind: "status",
      status: 503,
      code: "APIGW.0201",
      retryAfterSeconds: 3,
    });
    expect(coded.answer).toMatchObject({ status: 503, headers: { "retry-after": "3" } });
    expect(jsonOf(coded.answer).error_code).toBe("APIGW.0201");
    const bare = await spoiledDownload({ kind: "status", status: 500 });
    expect(bare.answer).toMatchObject({ status: 500, body: Buffer.alloc(0) });
  });

  test("throttling", async () => {
    const { answer, entry } = await spoiledDownload({ kind: "throttle" });
    expect(answer.status).toBe(403);
    expect(jsonOf(answer).error_code).toBe("IOTDA.021101");
    expect(entry).toMatchObject({ fault: "throttle" });
    expect(entry).not.toHaveProperty("throttled");
  });

  test("a slow drip", async () => {
    const sandbox = await sandboxWith();
    const task = await sandbox.control.addTask();
    const bytesPerSecond = task.sizeBytes * 5;
    const fault = { kind: "slow-drip", bytesPerSecond } as const;
    await sandbox.control.scriptFaults({ operation: "showExportTask", fault });
    const timers = stopTimers();
    const answer = await timers.passUntil(download(sandbox.endpoint, task.exportTaskId), 50);
    expect(sha256(answer.body)).toBe(task.sha256);
    const waitedMs = timers.lengthsMs.filter((ms) => ms > 0 && ms < 100);
    expect(waitedMs.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(190);
  });

  test.each([
    { at: "before the answer", afterBytes: undefined, status: undefined },
    { at: "in the body", afterBytes: 1000, status: 200 },
  ])("a stall $at lasts until the client leaves", async ({ afterBytes, status }) => {
    const stall: Fault = afterBytes === undefined ? { kind: "stall" } : { kind: "stall", afterBytes };
    const { sandbox, task } = await sandboxWithFault(stall);
    const client = new AbortController();
    const answered = Promise.withResolvers<void>();
    const downloading = download(sandbox.endpoint, task.exportTaskId, {
      signal: client.signal,
      onAnswer: answered.resolve,
    });
    await expect.poll(async () => (await sandbox.control.state()).faults[0]?.met, { interval: 10 }).toBe(1);
    if (status !== undefined) {
      await answered.promise;
    }
    const [pending] = await sandbox.control.requests();
    expect(pending).toMatchObject({ outcome: "pending" });
    client.abort();
    expect(await downloading).toMatchObject({ cut: "ABORT_ERR", status });
    await expect
      .poll(async () => (await sandbox.control.requests())[0], { interval: 10 })
      .toMatchObject({ outcome: "aborted", fault: "stall" });
  });

  test.each([undefined, 1000])("a stall that is released goes on (after %s bytes)", async (afterBytes) => {
    const stall = { kind: "stall", releaseAfterMs: 30, ...(afterBytes && { afterBytes }) } as const;
    const { answer, task } = await spoiledDownload(stall);
    expect(sha256(answer.body)).toBe(task.sha256);
  });

  test("a client that leaves in the middle is seen", async () => {
    const { sandbox, task } = await sandboxWithFault({ kind: "slow-drip", bytesPerSecond: 1000 });
    const client = new AbortController();
    const downloading = download(sandbox.endpoint, task.exportTaskId, { signal: client.signal });
    await expect.poll(async () => (await sandbox.control.state()).faults[0]?.met, { interval: 10 }).toBe(1);
    client.abort();
    await downloading;
    await expect
      .poll(async () => (await sandbox.control.requests())[0]?.outcome, { interval: 10 })
      .toBe("aborted");
  });
});

describe("faults on the other operations", () => {
  test("an answer lost after the effect", async () => {
    const { sandbox, task } = await sandboxWithFault({ kind: "answer-lost" }, "deleteExportTask");
    const answer = await call(sandbox.endpoint, { method: "DELETE", path: `/${task.exportTaskId}` });
    expect(answer).toMatchObject({ status: undefined, cut: "ECONNRESET" });
    expect(idsOf(await list(sandbox.endpoint))).toEqual([]);
    const [entry] = await sandbox.control.requests();
    expect(entry).toMatchObject({ status: 204, fault: "answer-lost", outcome: "lost" });
  });

  test("a reset before the effect", async () => {
    const { sandbox, task } = await sandboxWithFault({ kind: "reset" }, "deleteExportTask");
    await call(sandbox.endpoint, { method: "DELETE", path: `/${task.exportTaskId}` });
    expect(idsOf(await list(sandbox.endpoint))).toEqual([task.exportTaskId]);
  });

  test("a create whose answer is lost has made its task", async () => {
    const { sandbox } = await sandboxWithFault({ kind: "answer-lost" }, "createExportTask");
    expect(await create(sandbox.endpoint, "batch")).toMatchObject({ cut: "ECONNRESET" });
    expect(idsOf(await list(sandbox.endpoint))).toHaveLength(2);
    const [entry] = await sandbox.control.requests();
    expect(entry).toHaveProperty("exportTaskId");
  });

  test("a list that is cut is not a list", async () => {
    const fault = { kind: "short-body", bytes: 20, declareLength: true } as const;
    const { sandbox } = await sandboxWithFault(fault, "listExportTasks");
    expect(await list(sandbox.endpoint)).toMatchObject({ status: 200, cut: "ECONNRESET" });
  });
});

describe("a rule", () => {
  test("is for its operation and task only", () => {
    const fault = { kind: "reset" } as const;
    const rule = { operation: "showExportTask", exportTaskId: "a", skip: 0, times: 1, fault } as const;
    expect(isFor(rule, { operation: "showExportTask", exportTaskId: "a" })).toBe(true);
    expect(isFor(rule, { operation: "showExportTask", exportTaskId: "b" })).toBe(false);
    expect(isFor(rule, { operation: "listExportTasks", exportTaskId: undefined })).toBe(false);
  });

  test("that is cleared plays no more", async () => {
    const { sandbox } = await sandboxWithFault({ kind: "reset" }, "listExportTasks");
    await sandbox.control.clearFaults();
    expect((await list(sandbox.endpoint)).status).toBe(200);
  });
});

test("a request cut in the middle of its body is logged and harms nothing", async () => {
  const { endpoint, control } = await sandboxWith();
  const socket = connect(Number(new URL(endpoint).port), "127.0.0.1");
  socket.write("POST /v5/iot/p/export-tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
  await expect.poll(() => control.requests(), { interval: 10 }).toHaveLength(1);
  socket.destroy();
  await expect
    .poll(() => control.requests(), { interval: 10 })
    .toMatchObject([{ operation: "createExportTask", outcome: "aborted" }]);
});
