import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDirectEvent, readEnvelope, unwrapJson, unwrapText } from "./envelopes.ts";
import { admitHttp } from "./http-gate.ts";
import { letterText } from "./refusal.ts";

const ASKS = { exportTaskId: "t-1" };
const SECRET = "event-secret-0123456789";

describe("what has any mark of HTTP is never a direct event", () => {
  const marks: Readonly<Record<string, unknown>> = {
    headers: { "x-archiver-secret": [SECRET] },
    Headers: {},
    multiValueHeaders: { "x-archiver-secret": [SECRET] },
    requestContext: { http: {} },
    httpMethod: 7,
    isBase64Encoded: "true",
    rawPath: "/",
    version: "2.0",
    cookies: [],
  };

  test.each(Object.entries(marks))("%s", (name, value) => {
    expect(readEnvelope({ ...ASKS, [name]: value })).toEqual({ kind: "odd-http" });
  });

  test.each(Object.keys(marks).filter((name) => name !== "version"))("%s, whatever stands there", (name) => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(["http", "odd-http"]).toContain(readEnvelope({ ...ASKS, [name]: value }).kind);
      }),
    );
  });

  test.each([
    ["a header of a list", { headers: { "x-archiver-secret": [SECRET] } }],
    ["a header that is null", { headers: { a: null } }],
    ["headers of a list", { headers: [["x-archiver-secret", SECRET]] }],
    ["a body that is not text", { body: ASKS }],
    ["a flag that is not a flag", { isBase64Encoded: 1 }],
    ["a method that is none", { httpMethod: ["POST"] }],
  ])("a request with %s is refused as HTTP", (_which, odd) => {
    const request = { httpMethod: "POST", headers: { "x-archiver-secret": SECRET }, body: "{}", ...odd };
    expect(readEnvelope(request)).toEqual({ kind: "odd-http" });
  });

  test("headers in several values only are not headers: the request is unsigned", () => {
    const envelope = readEnvelope({
      httpMethod: "POST",
      multiValueHeaders: { "x-archiver-secret": [SECRET] },
      body: JSON.stringify(ASKS),
    });
    const request = envelope.kind === "http" ? envelope.request : undefined;
    expect(request && admitHttp(request, SECRET)).toMatchObject({ reason: "unsigned" });
  });

  test("a secret that comes in two spellings of its header is none", () => {
    const headers = { "X-Archiver-Secret": SECRET, "x-archiver-secret": SECRET };
    const request = { method: "POST", headers, body: "{}", isBase64Encoded: false };
    expect(admitHttp(request, SECRET)).toMatchObject({ reason: "unsigned" });
  });
});

describe("a batch", () => {
  const good = { eventSource: "aws:sqs", messageId: "m0", body: "{}" };
  const taken = { kind: "text", text: "{}", messageId: "m0" };
  const malformed = (messageId?: string) => ({
    kind: "malformed",
    problem: "its body is missing or is not a text",
    messageId,
  });

  test.each<[string, unknown, unknown]>([
    ["null", null, malformed()],
    ["a text", "x", malformed()],
    ["a list", [], malformed()],
    ["without a body", { ...good, body: undefined, messageId: "m1" }, malformed("m1")],
    ["with a body that is not text", { ...good, body: {}, messageId: "m1" }, malformed("m1")],
    ["with neither", {}, malformed()],
    ["with an id that is not text", { ...good, messageId: 7 }, { ...taken, messageId: undefined }],
    ["of another source", { ...good, eventSource: "aws:kinesis" }, taken],
  ])("a record %s costs only itself", (_which, record, read) => {
    for (const [records, expected] of [
      [
        [good, record],
        [taken, read],
      ],
      [
        [record, good],
        [read, taken],
      ],
    ]) {
      expect(readEnvelope({ Records: records, ...ASKS })).toEqual({ kind: "sqs", records: expected });
    }
  });

  test("a notification that is malformed costs only itself", () => {
    const sns = { EventSource: "aws:sns", Sns: { Message: "{}" } };
    expect(readEnvelope({ Records: [null, sns, { EventSource: "aws:sns", Sns: null }] })).toMatchObject({
      kind: "notifications",
      records: [{ kind: "malformed" }, { kind: "text", text: "{}" }, { kind: "malformed" }],
    });
  });

  test.each([[[]], [[null]], [[{ eventSource: "aws:s3", s3: {} }]], [{}], ["x"], [null], [7]])(
    "records %j, which are unknown, are never a direct event",
    (records) => {
      expect(readEnvelope({ Records: records, ...ASKS })).toEqual({ kind: "unknown" });
      expect(readEnvelope({ record: records, ...ASKS })).toEqual({ kind: "unknown" });
    },
  );
});

test("an event nested too deep is malformed, however it comes", () => {
  const text = `{"exportTaskId":"t-1","x":${"[".repeat(6_000)}${"]".repeat(6_000)}}`;
  const problem = "The event is nested deeper than 32 levels.";
  expect(unwrapText(text)).toMatchObject({ reason: "malformed", problem });
  expect(unwrapJson(JSON.parse(text))).toMatchObject({ reason: "malformed", problem });
  expect(unwrapText(JSON.stringify({ Type: "Notification", Message: text }))).toMatchObject({
    reason: "malformed",
  });
});

describe("a dead letter keeps no header and no secret", () => {
  test.each([
    JSON.stringify({ headers: { "x-archiver-secret": SECRET } }),
    JSON.stringify({ a: [{ MultiValueHeaders: { b: [SECRET] } }] }),
    JSON.stringify({ body: JSON.stringify({ headers: { a: SECRET } }) }),
    JSON.stringify({ Authorization: SECRET, cookie: SECRET, "X-Archiver-Secret": SECRET }),
    `headers: x-archiver-secret ${SECRET}`,
    `{"headers":{"a":"${SECRET}"},"x":${"[".repeat(6_000)}${"]".repeat(6_000)}}`,
  ])("%.60s", (text) => {
    expect(letterText(text)).not.toContain(SECRET);
  });

  test.each(["garbage", '{"resource":"device"}', '{ "exportTaskId": "a/b" }', ""])(
    "%s stays as it is",
    (text) => {
      expect(letterText(text)).toBe(text);
    },
  );
});

const PUSH = {
  resource: "batchtask",
  event: "update",
  event_time: "20261120T010305Z",
  event_time_ms: "2026-11-20T01:03:05.250Z",
  request_id: "r1",
  notify_data: { body: { task_id: "batch-1", status: "Success", more: 1 } },
};
const BRIDGE = {
  version: "0",
  id: "i",
  "detail-type": "push",
  source: "iot",
  account: "1",
  time: "2026-11-20T01:03:05Z",
  region: "r",
  resources: [],
  detail: PUSH,
};
const NOTIFICATION = { Type: "Notification", MessageId: "m", TopicArn: "t", Message: JSON.stringify(ASKS) };
const KNOWN = [ASKS, { export_task_id: "t-1" }, PUSH, BRIDGE, NOTIFICATION];

describe("a direct event", () => {
  test("is taken as known events are", () => {
    expect(readDirectEvent(ASKS)).toEqual({ kind: "json", json: ASKS });
    expect(readDirectEvent(PUSH)).toEqual({ kind: "json", json: PUSH });
    expect(readDirectEvent(BRIDGE)).toEqual({ kind: "json", json: PUSH });
    expect(readDirectEvent(NOTIFICATION)).toEqual({ kind: "json", json: ASKS });
  });

  test.each([
    "path",
    "method",
    "url",
    "rawHeaders",
    "queryParameters",
    "params",
    "header",
    "__proto__",
    "body",
  ])("with the field %s is unknown, whichever it is", (name) => {
    for (const event of KNOWN) {
      const odd: unknown = JSON.parse(JSON.stringify(event).replace("{", `{${JSON.stringify(name)}:{},`));
      expect(readDirectEvent(odd)).toMatchObject({ kind: "refused", reason: "unknown-event" });
    }
  });

  test("with any other field is unknown", () => {
    const fields = new Set(KNOWN.flatMap((event) => Object.keys(event)));
    fc.assert(
      fc.property(fc.constantFrom(...KNOWN), fc.string(), fc.jsonValue(), (event, name, value) => {
        fc.pre(!fields.has(name));
        const odd = Object.fromEntries([...Object.entries(event), [name, value]]);
        const read = readDirectEvent(odd);
        expect(read.kind).toBe("refused");
      }),
    );
  });

  test("has the fields of one event, and not of two", () => {
    expect(readDirectEvent({ ...ASKS, version: "2" })).toMatchObject({ reason: "unknown-event" });
    expect(readDirectEvent({ ...PUSH, ...ASKS })).toMatchObject({ reason: "unknown-event" });
  });

  test.each([null, 7, "text", [ASKS], {}])("%j is left to its reader", (event) => {
    expect(readDirectEvent(event)).toEqual({ kind: "json", json: event });
  });
});
