import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDirectEvent } from "./direct-event.ts";

const ASKS = { exportTaskId: "t-1" };
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
