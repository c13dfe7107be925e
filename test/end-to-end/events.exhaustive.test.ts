import { existsSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { expectArchivedOnce } from "./archive-audit.ts";
import { discoverReportSchema, statusSchema } from "./documents.ts";
import { callFresh, FunctionHost, linesOf } from "./function-host.ts";
import { openFunctionUrl } from "./function-url.ts";
import { finishedExports, type Lab, openLab } from "./lab.ts";
import { startSecretServer } from "./secret-server.ts";

const SECRET = "eventSecret0123456789";
const DAY_MS = 86_400_000;
const SETTINGS = { ARCHIVER_EVENT_SECRET: SECRET };
/** What the function of events is given: no key of the platform. */
const WITHOUT_KEYS = { ...SETTINGS, HUAWEICLOUD_SDK_AK: undefined, HUAWEICLOUD_SDK_SK: undefined };

async function discover(lab: Lab) {
  const { returned } = await callFresh(lab.settings(SETTINGS), "discover");
  return v.parse(discoverReportSchema, returned);
}

/** What timers do: discover, archive, and so on, until no request is open. */
async function runTimers(lab: Lab): Promise<void> {
  for (let round = 1; round <= 6; round += 1) {
    const { requests } = await discover(lab);
    if (requests === undefined) {
      return;
    }
    await callFresh(lab.settings(SETTINGS), "archive");
  }
  throw new Error("a request is still open after six rounds");
}

/** Of the one file the platform ever made there is one proven copy, and nothing is left there. */
async function expectOneArchivedAndGone(lab: Lab): Promise<void> {
  const { tasks, files } = await lab.control.state();
  const copies = await lab.store.archived();
  expect(tasks).toEqual([]);
  expect(copies.map(({ sha256 }) => sha256)).toEqual(files.map(({ sha256 }) => sha256));
  expect(files).toHaveLength(1);
}

function sqsEvent(...bodies: readonly string[]): unknown {
  const records = bodies.map((body, index) => ({ messageId: `m${index}`, eventSource: "aws:sqs", body }));
  return { Records: records };
}

async function exportEvents(lab: Lab, event: unknown, settings = {}) {
  return await callFresh(lab.settings({ ...WITHOUT_KEYS, ...settings }), "exportEvents", { event });
}

describe.concurrent("the built functions, from an event to an archived export", () => {
  test("a batch task that finishes ends archived and deleted with no command given, however often its event comes", async (context) => {
    const lab = await openLab(context, { sandbox: { processingMs: 300 } });
    const url = await openFunctionUrl(context, "exportEvents", lab.settings(WITHOUT_KEYS));
    const headers = { "X-Archiver-Secret": SECRET };
    const atMs = Date.now() - 2 * DAY_MS;
    const push = async (status: string, statusAtMs: number) => {
      const pushed = { url, headers, taskId: "batch-01", status, atMs: statusAtMs };
      const { status: code, body } = await lab.control.pushBatchTask(pushed);
      return { code, answer: JSON.parse(body) };
    };
    // Out of order: the last status first, then what went before it, then everything again.
    expect(await push("Success", atMs)).toMatchObject({
      code: 200,
      answer: { accepted: true, kind: "requested", isNew: true },
    });
    expect(await push("Processing", atMs - 60_000)).toMatchObject({
      code: 200,
      answer: { accepted: false, reason: "status-not-asked-for" },
    });
    expect(await push("Success", atMs)).toMatchObject({ answer: { accepted: true, isNew: false } });
    await runTimers(lab);
    expect(await push("PartialSuccess", atMs - 30_000)).toMatchObject({ answer: { isNew: true } });
    expect(await push("Success", atMs)).toMatchObject({ answer: { isNew: false } });
    await runTimers(lab);

    const requests = await lab.control.requests();
    const creates = requests.filter(({ operation }) => operation === "createExportTask");
    expect(creates).toHaveLength(1);
    await expectOneArchivedAndGone(lab);
  });

  test("an event replayed after a month finds its outcome", async (context) => {
    const lab = await openLab(context);
    const event = {
      resource: "batchtask",
      event: "update",
      event_time: "20251020T010203Z",
      notify_data: { body: { task_id: "batch-01", status: "Success" } },
    };
    expect((await exportEvents(lab, event)).returned).toMatchObject({ taken: [{ isNew: true }] });
    await runTimers(lab);
    const again = await exportEvents(lab, { "detail-type": "push", source: "iotda", detail: event });
    expect(again.returned).toMatchObject({ taken: [{ kind: "requested", isNew: false }] });
    expect(await discover(lab)).not.toHaveProperty("requests");
    await expectOneArchivedAndGone(lab);
  });

  test("an unsigned, wrongly signed or oversized HTTP event costs no call, and is told why", async (context) => {
    const lab = await openLab(context);
    const url = await openFunctionUrl(context, "exportEvents", lab.settings(WITHOUT_KEYS));
    const body = JSON.stringify({ exportTaskId: "export-01" });
    const post = async (headers: Record<string, string>, text: string) => {
      const response = await fetch(url, { method: "POST", headers, body: text });
      return { status: response.status, answer: await response.json() };
    };
    const signed = { "x-archiver-secret": SECRET };
    expect(await post({}, body)).toMatchObject({ status: 401, answer: { reason: "unsigned" } });
    expect(await post({ "x-archiver-secret": `${SECRET}x` }, body)).toMatchObject({ status: 401 });
    expect(await post(signed, "x".repeat(1_000_000))).toMatchObject({ status: 413 });
    expect(await post(signed, "no JSON")).toMatchObject({ status: 400, answer: { reason: "malformed" } });
    expect(await post(signed, '{"resource":"device","event":"update"}')).toMatchObject({
      status: 400,
      answer: { reason: "unknown-event" },
    });
    expect(await lab.control.requests()).toEqual([]);
    expect(await lab.store.keys("")).toEqual(["archive.json"]);
    expect(existsSync(lab.queue.path)).toBe(false);
    expect(await post(signed, body)).toMatchObject({ status: 200, answer: { kind: "enqueued" } });
    expect(lab.queue.messages()).toMatchObject([{ body: expect.stringContaining('"source":"event"') }]);
    expect(await lab.control.requests()).toEqual([]);
  });

  test("the secret is read from Secrets Manager when a request comes, and its change is taken", async (context) => {
    const [lab, secrets] = await Promise.all([openLab(context), startSecretServer(context)]);
    const old = "canaryOfEvents0123456789";
    secrets.secrets.set("iotda/events", { value: old });
    const settings = {
      ...WITHOUT_KEYS,
      ARCHIVER_EVENT_SECRET: undefined,
      ARCHIVER_EVENT_SECRET_ID: "iotda/events",
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    };
    const event = (secret: string, body = '{"exportTaskId":"export-01"}') => ({
      requestContext: { http: { method: "POST" } },
      headers: { "x-archiver-secret": secret },
      body,
    });
    const host = FunctionHost.start(lab.settings(settings));
    const startedAtMs = Date.now();
    const post = async (secret: string, body?: string) =>
      (await host.call("exportEvents", { event: event(secret, body) })).returned;
    await host.call("exportEvents", { event: sqsEvent("garbage") });
    expect(secrets.reads, "a queue's event needs no secret").toEqual([]);
    expect(await post(old)).toMatchObject({ statusCode: 200 });
    expect(await post(old)).toMatchObject({ statusCode: 200 });
    for (let request = 0; request < 20; request += 1) {
      expect(await post("wrongOne0123456789")).toMatchObject({ statusCode: 401 });
    }
    // One for the first request, and one for wrong secrets each half minute.
    expect(secrets.reads.length).toBeLessThanOrEqual(2 + (Date.now() - startedAtMs) / 30_000);
    const log = await host.end();
    expect(log).not.toContain(old);
    secrets.secrets.set("iotda/events", { error: "AccessDeniedException" });
    const denied = await callFresh(lab.settings(settings), "exportEvents", { event: event(old) });
    expect(denied.returned).toMatchObject({
      statusCode: 503,
      body: expect.stringContaining("configuration"),
    });
    expect(denied.log).toContain("secretsmanager:GetSecretValue");
  });

  test("messages of SQS are taken one by one; what is unreadable becomes a dead letter with its reason", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(1));
    const wrapped = JSON.stringify({ Type: "Notification", Message: '{"exportTaskId":"export-01"}' });
    const { returned, log } = await exportEvents(lab, sqsEvent(wrapped, "garbage", '{"resource":"device"}'));
    expect(returned).toEqual({ batchItemFailures: [] });
    expect(linesOf(log).filter(({ message }) => message === "event-refused")).toHaveLength(2);
    expect(lab.queue.letters()).toMatchObject([
      { reason: "unreadable", body: "garbage" },
      { reason: "unreadable", body: '{"resource":"device"}' },
    ]);
    await callFresh(lab.settings(SETTINGS), "archive");
    await expectArchivedOnce(lab, 1);
  });

  test("a malformed record costs only itself, and comes again where it has an id", async (context) => {
    const lab = await openLab(context);
    const good = { messageId: "m0", eventSource: "aws:sqs", body: '{"exportTaskId":"export-01"}' };
    const records = [null, { ...good, messageId: "m1", body: 7 }, good, { eventSource: "aws:sqs" }];
    const { returned, log } = await exportEvents(lab, { Records: records });
    expect(returned).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }] });
    expect(lab.queue.messages()).toMatchObject([{ body: expect.stringContaining("export-01") }]);
    const named = linesOf(log).filter(({ message }) => message === "left-alone");
    expect(named).toMatchObject([0, 1, 3].map((index) => ({ level: "WARN", item: { index } })));
    const unknown = await exportEvents(lab, { Records: [null], exportTaskId: "export-02" });
    expect(unknown.thrown).toEqual(expect.any(String));
    expect(lab.queue.messages()).toHaveLength(1);
  });

  test("what only looks like HTTP is refused as HTTP: no secret is passed over, and none is kept", async (context) => {
    const lab = await openLab(context);
    const event = { exportTaskId: "export-01", headers: { "x-archiver-secret": [SECRET] } };
    const { returned, log } = await exportEvents(lab, event);
    expect(returned).toMatchObject({ statusCode: 400, body: expect.stringContaining("malformed") });
    const inQueue = await exportEvents(lab, sqsEvent(JSON.stringify({ a: event })));
    expect(inQueue.returned).toEqual({ batchItemFailures: [] });
    expect(lab.queue.messages()).toEqual([]);
    expect(lab.queue.letters()).toHaveLength(1);
    expect([log, inQueue.log, JSON.stringify(lab.queue.letters())].join("")).not.toContain(SECRET);
  });

  test("a direct event with a field that no known event has becomes a dead letter", async (context) => {
    const lab = await openLab(context);
    const asked = { exportTaskId: "export-01" };
    for (const field of ["path", "method", "rawHeaders", "queryParameters", "params", "header"]) {
      const { returned } = await exportEvents(lab, { ...asked, [field]: {} });
      expect(returned).toEqual({ taken: [], refused: [{ reason: "unknown-event" }] });
    }
    expect(lab.queue.messages()).toEqual([]);
    expect(lab.queue.letters()).toHaveLength(6);
    // Who writes into the queue has a permission to: there, other fields are somebody else's.
    await exportEvents(lab, sqsEvent(JSON.stringify({ ...asked, path: "/", note: "x" })));
    expect(lab.queue.messages()).toHaveLength(1);
  });

  test("a dead letter has no secret, also where no name beside it says that it is one", async (context) => {
    const lab = await openLab(context);
    const shared = "canaryOfEvents0123456789";
    const key = "canaryOfAws/0123456789+abcdefghijklmnopq";
    const bodies = [JSON.stringify({ resource: shared }), JSON.stringify([key]), `${shared} ${key}`];
    const settings = { ARCHIVER_EVENT_SECRET: shared, AWS_SECRET_ACCESS_KEY: key };
    await exportEvents(lab, sqsEvent(...bodies), settings);
    expect(lab.queue.letters()).toMatchObject([
      { body: '{"resource":"[redacted]"}' },
      { body: '["[redacted]"]' },
      { body: "[redacted] [redacted]" },
    ]);
  });

  test("an event that cannot be made durable comes again", async (context) => {
    const lab = await openLab(context);
    const noStore = { ARCHIVER_STORE: "file:///dev/null/nowhere" };
    const push = JSON.stringify({
      resource: "batchtask",
      event: "update",
      event_time: "20261120T010203Z",
      notify_data: { body: { task_id: "batch-01", status: "Success" } },
    });
    const sqs = await exportEvents(lab, sqsEvent(push), noStore);
    expect(sqs.returned).toEqual({ batchItemFailures: [{ itemIdentifier: "m0" }] });
    const sns = { Records: [{ EventSource: "aws:sns", Sns: { Message: push } }] };
    expect((await exportEvents(lab, sns, noStore)).thrown).toEqual(expect.any(String));
    const http = {
      requestContext: { http: { method: "POST" } },
      headers: { "x-archiver-secret": SECRET },
      body: push,
    };
    expect((await exportEvents(lab, http, noStore)).returned).toMatchObject({ statusCode: 503 });
    const misconfigured = await exportEvents(lab, http, { ARCHIVER_EXPORT_ON: "nonsense" });
    expect(misconfigured.returned).toMatchObject({ statusCode: 503 });
    expect(misconfigured.log).not.toContain(SECRET);
  });

  test("a request by hand does the same, and status says where it stands", async (context) => {
    const lab = await openLab(context, { settings: SETTINGS, sandbox: { processingMs: DAY_MS } });
    const requested = await lab.archiverJson("request", "batch-01");
    expect(requested.document).toEqual({ batchTaskId: "batch-01", requested: "new" });
    const before = v.parse(statusSchema, (await lab.archiverJson("status")).document);
    expect(before.requests).toMatchObject({ open: 1, requests: [{ reason: "next-run" }] });
    await discover(lab);
    const { stdout } = await lab.archiver("status");
    expect(stdout).toMatch(
      /Open export requests: 1 batch task\n {2}batch-01, .+ old, export \w+: being made/,
    );
    const wrong = await lab.archiver("request", "a/b");
    expect(wrong.exitCode).toBe(2);
  });

  test("a request by hand is of the platform's now: an export made just before it does not serve it", async (context) => {
    const lab = await openLab(context, { settings: SETTINGS, sandbox: { dateSkewMs: 4 * 60_000 } });
    const createTime = new Date(Date.now() + 3 * 60_000).toISOString();
    await lab.control.addTasks([
      { exportTaskId: "before", condition: { task_id: "batch-01" }, createTime, status: "Success" },
    ]);
    await lab.archiver("request", "batch-01");
    expect((await discover(lab)).requests).toMatchObject({
      underWay: [],
      waiting: [{ batchTaskId: "batch-01", reason: "same-condition-unarchived" }],
    });
  });
});
