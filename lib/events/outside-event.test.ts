import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readEnvelope, unwrapJson, unwrapText } from "./envelopes.ts";
import { asksForExport, readOutsideEvent } from "./outside-event.ts";

const PUSH = {
  resource: "batchtask",
  event: "update",
  event_time: "20261120T010305Z",
  event_time_ms: "2026-11-20T01:03:05.250Z",
  request_id: "r1",
  notify_data: {
    body: {
      app_id: "a1",
      task_id: "batch-1",
      task_type: "softwareUpgrade",
      status: "Success",
      status_desc: "",
    },
  },
};

/** The push with one field of its body, or of itself, changed. */
function pushWith(body: object, top: object = {}): unknown {
  return { ...PUSH, ...top, notify_data: { body: { ...PUSH.notify_data.body, ...body } } };
}

describe("a push of a batch task's status", () => {
  test("is read as documented", () => {
    expect(readOutsideEvent(PUSH)).toEqual({
      kind: "batch-status",
      batchTaskId: "batch-1",
      taskType: "softwareUpgrade",
      status: "Success",
      statusAtMs: Date.parse("2026-11-20T01:03:05Z"),
    });
  });

  test("has the same moment whichever of its times it comes with, to the second", () => {
    const statusAtMs = Date.parse("2026-11-20T01:03:05.250Z");
    expect(readOutsideEvent(pushWith({}, { event_time: undefined }))).toMatchObject({ statusAtMs });
    expect(readOutsideEvent(pushWith({}, { event_time: null, event_time_ms: null }))).toMatchObject({
      kind: "refused",
      reason: "malformed",
    });
  });

  test.each([
    { task_id: "" },
    { task_id: "../x" },
    { task_id: "b".repeat(37) },
    { task_id: 7 },
    { status: "" },
    { status: null },
    { status: "a\nb" },
    { task_type: {} },
  ])("with %j is malformed", (body) => {
    expect(readOutsideEvent(pushWith(body))).toMatchObject({ kind: "refused", reason: "malformed" });
  });

  test.each([{ event_time: "yesterday" }, { event_time: "20261320T010305Z" }, { notify_data: [] }])(
    "with %j is malformed",
    (top) => {
      expect(readOutsideEvent({ ...PUSH, ...top })).toMatchObject({ reason: "malformed" });
    },
  );
});

describe("a request with an export task id", () => {
  test.each([{ exportTaskId: "t-1" }, { export_task_id: "t-1" }, { exportTaskId: "t-1", more: 1 }])(
    "%j",
    (json) => {
      expect(readOutsideEvent(json)).toEqual({ kind: "export", exportTaskId: "t-1" });
    },
  );

  test.each([
    { exportTaskId: "a/b" },
    { exportTaskId: "t-1", Headers: {} },
    { exportTaskId: 1 },
    { exportTaskId: null },
    { exportTaskId: "t-1", export_task_id: "t-2" },
  ])("%j is malformed", (json) => {
    expect(readOutsideEvent(json)).toMatchObject({ kind: "refused", reason: "malformed" });
  });
});

test.each([
  {},
  { resource: "device", event: "update" },
  { resource: "batchtask", event: "create" },
  { resource: "device", exportTaskId: "t-1" },
])("%j is an unknown event", (json) => {
  expect(readOutsideEvent(json)).toMatchObject({ kind: "refused", reason: "unknown-event" });
});

test.each([null, 7, "text", [PUSH], undefined])("%j is malformed", (json) => {
  expect(readOutsideEvent(json)).toMatchObject({ kind: "refused", reason: "malformed" });
});

test("whatever comes is read without throwing, and no problem quotes it", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom("task_id", "status", "event_time"), (text, field) => {
      const json: unknown = JSON.parse(text);
      for (const event of [json, pushWith({ [field]: json }), { exportTaskId: json }]) {
        const read = readOutsideEvent(event);
        expect(["refused", "batch-status", "export"]).toContain(read.kind);
      }
      expect(["json", "refused"]).toContain(unwrapText(text).kind);
      const kinds = ["http", "odd-http", "sqs", "notifications", "unknown", "direct"];
      expect(kinds).toContain(readEnvelope(json).kind);
    }),
  );
});

describe("what is wrapped around an event is taken off", () => {
  const text = JSON.stringify(PUSH);
  const sns = (message: string) => ({ Type: "Notification", MessageId: "m", Message: message });
  const bridge = (detail: unknown) => ({ "detail-type": "IoTDA", source: "iot", detail });

  test.each([
    ["nothing", PUSH],
    ["EventBridge", bridge(PUSH)],
    ["SNS", sns(text)],
    ["EventBridge in SNS", sns(JSON.stringify(bridge(PUSH)))],
  ])("%s", (_, json) => {
    expect(unwrapJson(json)).toEqual({ kind: "json", json: PUSH });
    expect(unwrapText(JSON.stringify(json))).toEqual({ kind: "json", json: PUSH });
  });

  test("but not for ever, and only where there is an event inside", () => {
    expect(unwrapJson(bridge(bridge(bridge(bridge(PUSH)))))).toMatchObject({ reason: "malformed" });
    expect(unwrapJson(sns("no JSON"))).toMatchObject({ reason: "malformed" });
    expect(unwrapText(" ".repeat(256 * 1024) + text)).toMatchObject({ reason: "too-large" });
    expect(unwrapText("ä".repeat(200 * 1024))).toMatchObject({ reason: "too-large" });
  });

  test("and every host is known by its shape", () => {
    expect(readEnvelope({ requestContext: { http: { method: "POST" } }, body: "x" })).toEqual({
      kind: "http",
      request: { method: "POST", headers: {}, body: "x", isBase64Encoded: false },
    });
    expect(
      readEnvelope({ httpMethod: "POST", headers: { A: "b" }, body: null, isBase64Encoded: true }),
    ).toEqual({
      kind: "http",
      request: { method: "POST", headers: { A: "b" }, body: "", isBase64Encoded: true },
    });
    const texts = (messageId?: string) => [{ kind: "text", text, messageId }];
    expect(readEnvelope({ Records: [{ eventSource: "aws:sqs", messageId: "m", body: text }] })).toEqual({
      kind: "sqs",
      records: texts("m"),
    });
    expect(readEnvelope({ Records: [{ EventSource: "aws:sns", Sns: { Message: text } }] })).toEqual({
      kind: "notifications",
      records: texts(),
    });
    expect(readEnvelope({ record: [{ event_source: "smn", smn: { message: text } }] })).toEqual({
      kind: "notifications",
      records: texts(),
    });
    expect(readEnvelope(PUSH)).toEqual({ kind: "direct", event: PUSH });
  });
});

test("types and statuses that ask for an export", () => {
  const triggers = [
    { taskType: "any", status: "Success" },
    { taskType: "firmwareUpgrade", status: "Fail" },
  ] as const;
  const asks = (taskType: string | undefined, status: string) =>
    asksForExport(triggers, { taskType, status });
  expect(asks(undefined, "Success")).toBe(true);
  expect(asks("firmwareUpgrade", "Fail")).toBe(true);
  expect(asks("softwareUpgrade", "Fail")).toBe(false);
  expect(asks(undefined, "Fail")).toBe(false);
  expect(asks("any", "Processing")).toBe(false);
});
