import type { ListObjectsCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { ManualClock, realRandom } from "../../../test/contract/clocks.ts";
import { S3Bucket } from "./bucket.ts";
import { decodedKey, pageAfterKey } from "./listing.ts";
import { BARE_OPTIONS } from "./testing/options.ts";

const { signal } = new AbortController();

const MARKER = { Key: "a/", Size: 0, LastModified: new Date(0) };

/** The page that this answer of version 1 is taken for. */
async function pageOf(
  keys: readonly string[],
  answer: Partial<ListObjectsCommandOutput>,
  marker?: string,
): ReturnType<typeof pageAfterKey> {
  const facts = { Size: 1, LastModified: new Date(0) };
  const Contents = keys.map((Key) => ({ Key, ...facts }));
  const config = { region: async () => "any" };
  const client = { send: async () => ({ Contents, ...answer }), config } as unknown as S3Client;
  const bucket = new S3Bucket(client, BARE_OPTIONS, { clock: new ManualClock(), random: realRandom });
  return await pageAfterKey(bucket, "", marker, signal);
}

describe("a page of version 1", () => {
  test.each<[readonly string[], Partial<ListObjectsCommandOutput>, string | undefined]>([
    [["a", "b"], { IsTruncated: true, NextMarker: "b" }, "b"],
    [["a", "b"], { IsTruncated: true }, "b"],
    [["a", "b"], { IsTruncated: true, NextMarker: "" }, "b"],
    [["a%20b"], { IsTruncated: true, NextMarker: "c%20d", EncodingType: "url" }, "c d"],
    [[], { IsTruncated: true, NextMarker: "b" }, "b"],
    // UTF-8, not UTF-16.
    [["\uff5e", "😀"], { IsTruncated: true }, "😀"],
    [["a", "b"], { IsTruncated: false, NextMarker: "b" }, undefined],
    [[], { IsTruncated: false }, undefined],
  ])("%j, %j, leads to %j", async (keys, answer, next) => {
    expect((await pageOf(keys, answer)).next).toBe(next);
  });

  test.each<[string, readonly string[], Partial<ListObjectsCommandOutput>]>([
    ["begins at the marker again", ["b", "c"], { IsTruncated: false }],
    ["begins before the marker", ["a", "c"], { IsTruncated: true, NextMarker: "c" }],
    ["is out of order", ["d", "c"], { IsTruncated: false }],
    ["has a key twice", ["c", "c"], { IsTruncated: false }],
    ["leads to itself", [], { IsTruncated: true, NextMarker: "b" }],
    ["leads back", [], { IsTruncated: true, NextMarker: "a" }],
    ["leads into itself", ["c", "e"], { IsTruncated: true, NextMarker: "d" }],
    ["is empty and leads nowhere", [], { IsTruncated: true }],
    ["does not say whether it is the last", ["c"], {}],
  ])("that %s is not a page", async (_what, keys, answer) => {
    await expect(pageOf(keys, answer, "b")).rejects.toMatchObject({ code: "store-foreign-answer" });
  });

  test("names a folder marker as what it is, and nothing else, however odd the key", async () => {
    const keys = ["a\u0001", "a/../b", "a//b", "b/", "x".repeat(1_024)];
    const { items } = await pageOf(keys, { IsTruncated: false });
    expect(items.map(({ key }) => key)).toEqual(keys);
    expect(items.flatMap(({ oddity }) => oddity ?? [])).toEqual([]);
    const { items: markers } = await pageOf(["a/"], { IsTruncated: false, Contents: [MARKER] });
    expect(markers).toMatchObject([{ key: "a/", oddity: "is a folder marker" }]);
  });

  test("that is the first, and empty, and leads nowhere, is not a page", async () => {
    await expect(pageOf([], { IsTruncated: true })).rejects.toMatchObject({ code: "store-foreign-answer" });
  });
});

const REQUEST = { operation: "ListObjectsV2", subject: "exports/" };

// S3 writes a space as a plus sign and a plus sign in hex; others write the space in hex.
test.each([
  ["exports/a+b", "url", "exports/a b"],
  ["exports/a%20b", "url", "exports/a b"],
  ["exports/a%2Bb%25", "url", "exports/a+b%"],
  ["exports/%C3%BC", "url", "exports/ü"],
  ["exports/a+b%20", undefined, "exports/a+b%20"],
])("a key listed as %s in encoding %s is %s", (listed, encoding, key) => {
  expect(decodedKey(listed, encoding, REQUEST)).toBe(key);
});

test("a key that is not encoded as it says is an error, not another key", () => {
  expect(() => decodedKey("exports/%zz", "url", REQUEST)).toThrow(
    expect.objectContaining({ code: "store-foreign-answer" }),
  );
});
