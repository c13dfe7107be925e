import { describe, expect, test } from "vitest";
import type { ObjectInfo } from "../ports/object-store.ts";
import { isSameObject, recordedInfo } from "./recorded-object.ts";

const seen: ObjectInfo = { sizeBytes: 10, etag: '"e1"' };

describe("an object is the one that was seen", () => {
  test.each<[string, Partial<ObjectInfo>, Partial<ObjectInfo>]>([
    ["as it was", {}, {}],
    ["with a version that was not looked at then", {}, { versionId: "v1" }],
    ["with the same version", { versionId: "v1" }, { versionId: "v1" }],
    [
      "with the same checksum, whatever its ETag",
      { checksum: "CRC32:aa" },
      { checksum: "CRC32:aa", etag: '"e2"' },
    ],
    ["with a checksum on one side only, by its ETag", { checksum: "CRC32:aa" }, {}],
    ["with a checksum that is told only now, by its ETag", {}, { checksum: "CRC32:aa" }],
  ])("%s", (_name, then, now) => {
    expect(isSameObject({ ...seen, ...now }, { ...seen, ...then })).toBe(true);
  });
});

describe("an object is another one", () => {
  test.each<[string, Partial<ObjectInfo>, Partial<ObjectInfo>]>([
    ["of another size", {}, { sizeBytes: 11 }],
    ["with another ETag", {}, { etag: '"e2"' }],
    ["of another version", { versionId: "v1" }, { versionId: "v2" }],
    ["without the version it had", { versionId: "v1" }, {}],
    ["with another checksum, whatever its ETag", { checksum: "CRC32:aa" }, { checksum: "CRC32:bb" }],
    ["with a checksum on one side only and another ETag", { checksum: "CRC32:aa" }, { etag: '"e2"' }],
    ["of another size with the same checksum", { checksum: "c" }, { checksum: "c", sizeBytes: 11 }],
  ])("%s", (_name, then, now) => {
    expect(isSameObject({ ...seen, ...now }, { ...seen, ...then })).toBe(false);
  });
});

test.each<[string, Partial<ObjectInfo>]>([
  ["neither", {}],
  ["a version", { versionId: "v1" }],
  ["a checksum", { checksum: "CRC32:aa" }],
])("a record of an object with %s tells what HEAD shows", (_name, more) => {
  const object = { ...seen, ...more, key: "k", sha256: "ab" };
  // Only `object` is looked at.
  expect(recordedInfo({ object } as Parameters<typeof recordedInfo>[0])).toStrictEqual({ ...seen, ...more });
});
