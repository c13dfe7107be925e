import { describe, expect, test } from "vitest";
import type { StoreLocation } from "../config/value-schemas.ts";
import { ArchiverError } from "../domain/errors.ts";
import { retainWishOf } from "./retain-event.ts";

const SCOPE = { projectId: "project", instanceId: undefined };
const KEY = "exports/project/default/2026/11/22/night-01/fe8e44f7-0a1b2c.zip";

function bucket(prefix: string): StoreLocation {
  return { kind: "s3", bucket: "archive", prefix };
}

/** As the S3 user guide shows it ("EventBridge event message structure"). */
function created(key: string, bucketName = "archive", detailType = "Object Created", source = "aws.s3") {
  return {
    version: "0",
    id: "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": detailType,
    source,
    account: "111122223333",
    time: "2026-11-22T00:00:00Z",
    region: "eu-central-1",
    resources: [`arn:aws:s3:::${bucketName}`],
    detail: {
      version: "0",
      bucket: { name: bucketName },
      object: { key, size: 5, etag: "b1946ac92492d2347c6235b4d2611184", "version-id": "v1", sequencer: "00" },
      "request-id": "N4N7GDK58NMKJ12R",
      requester: "123456789012",
      reason: "CompleteMultipartUpload",
    },
  };
}

describe("an object that appeared", () => {
  test.each([
    ["", KEY],
    ["nightly", `nightly/${KEY}`],
    ["a/b c+%20", `a/b c+%20/${KEY}`],
  ])("below the prefix %j", (prefix, key) => {
    expect(retainWishOf(created(key), bucket(prefix), SCOPE)).toEqual({ kind: "object", key: KEY });
  });

  test.each([
    "records/project/default/night-01/fe8e44f7/archived.json",
    "exports/other/default/2026/11/22/night-01/fe8e44f7-0a1b2c.zip",
    "exports/project/default/2026/11/22/night-01/readme.txt",
    KEY.replaceAll("/", "%2F"),
    `other/${KEY}`,
  ])("and is not an export of this deployment: %s", (key) => {
    expect(retainWishOf(created(key), bucket(""), SCOPE)).toEqual({ kind: "other-object", key });
  });

  test("beside the prefix is none below it", () => {
    expect(retainWishOf(created(`nightly2/${KEY}`), bucket("nightly"), SCOPE).kind).toBe("other-object");
    expect(retainWishOf(created(KEY), bucket("nightly"), SCOPE).kind).toBe("other-object");
  });
});

test.each([
  undefined,
  null,
  {},
  { source: "timer", time: "2026-11-22T01:00:00Z" },
  { version: "0", "detail-type": "Scheduled Event", source: "aws.scheduler", detail: "{}" },
  { "detail-type": "Scheduled Event", source: "aws.events", detail: {} },
])("a timer's event asks for a sweep: %j", (event) => {
  expect(retainWishOf(event, bucket(""), SCOPE)).toEqual({ kind: "sweep" });
});

test.each([
  ["another bucket", created(KEY, "other")],
  ["a removal", created(KEY, "archive", "Object Deleted")],
  ["another source", created(KEY, "archive", "Object Created", "com.example")],
  ["S3's own notification", { Records: [{ s3: { bucket: { name: "archive" }, object: { key: KEY } } }] }],
  ["no key", created("")],
  ["a detail without a type", { detail: {} }],
  ["a list", []],
  ["a text", "sweep"],
])("%s is not an event of ours", (_, event) => {
  expect(() => retainWishOf(event, bucket(""), SCOPE)).toThrow(
    expect.objectContaining({ code: "unknown-event", scope: "system" }) as ArchiverError,
  );
});

test("a folder sends no events", () => {
  expect(() => retainWishOf(created(KEY), { kind: "file", folder: "/srv/archive" }, SCOPE)).toThrow(
    ArchiverError,
  );
});
