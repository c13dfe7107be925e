import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { S3StoreOptions } from "../../lib/store/s3/client.ts";
import type { S3Store } from "../../lib/store/s3/s3-store.ts";
import { type S3FaultRuleInput, type S3StandIn, startS3 } from "../../sandbox/s3/start.ts";
import { impatientClock, storeOn } from "./s3-servers.ts";
import { bytesOf, KEY, put } from "./store-helpers.ts";

const { signal } = new AbortController();
/** The stand-in is told to take small parts, to keep this quick. */
const PART_BYTES = 128 * 1024;
const SMALL = bytesOf(10_000);
const LARGE = bytesOf(2 * PART_BYTES + 1234);

let standIn: S3StandIn;
beforeAll(async () => {
  standIn = await startS3({ profile: "aws", settings: { minPartBytes: PART_BYTES } });
});
afterEach(async () => {
  await standIn.control.clearFaults();
});
afterAll(() => standIn.stop());

async function openStore(
  profile: S3StoreOptions["profile"],
  options: Partial<S3StoreOptions> = {},
): Promise<S3Store> {
  const store = storeOn(standIn, { profile, partSizeBytes: PART_BYTES, ...options }, impatientClock);
  onTestFinished(() => store.close());
  await store.preflight({ signal });
  return store;
}

async function play(...rules: readonly S3FaultRuleInput[]): Promise<void> {
  await standIn.control.scriptFaults(...rules);
}

describe("profile aws proves the stored copy by its CRC32", () => {
  test.each([SMALL, LARGE])("a copy of another size or CRC32, or none, is found (%#)", async (body) => {
    const store = await openStore("aws");
    const stored = await put(store, KEY, body);
    expect(stored.checksum).toMatch(/^CRC32:[A-Za-z0-9+/]{6}==$/);
    await store.confirmStored(stored, { signal });
    await expect(
      store.confirmStored({ ...stored, checksum: "CRC32:AAAAAA==" }, { signal }),
    ).rejects.toMatchObject({
      code: "store-copy-differs",
    });
    const sizeBytes = stored.sizeBytes + 1;
    await expect(store.confirmStored({ ...stored, sizeBytes }, { signal })).rejects.toMatchObject({
      code: "store-copy-differs",
    });
    await expect(store.confirmStored({ ...stored, key: `${KEY}x` }, { signal })).rejects.toMatchObject({
      code: "store-copy-differs",
    });
  });

  test("a CRC32 over CRC32s, of another program's upload, is taken for none", async () => {
    const store = await openStore("aws", { prefix: "foreign" });
    const { accessKeyId, secretAccessKey } = standIn.account;
    const client = new S3Client({
      endpoint: standIn.endpoint,
      region: standIn.region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    onTestFinished(() => client.destroy());
    const object = { Bucket: standIn.bucket, Key: "foreign/x" };
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: "CRC32", ChecksumType: "COMPOSITE" }),
    );
    const part = { ...object, UploadId, PartNumber: 1 };
    const sent = await client.send(
      new UploadPartCommand({ ...part, Body: SMALL, ChecksumAlgorithm: "CRC32" }),
    );
    const Parts = [{ PartNumber: 1, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32 }];
    await client.send(
      new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }),
    );
    const head = await store.head("x", { signal });
    expect(head).toMatchObject({ sizeBytes: SMALL.length });
    expect(head).not.toHaveProperty("checksum");
  });

  test("a completion whose CRC32 is another is refused", async () => {
    const store = await openStore("aws");
    await play({ operation: "CompleteMultipartUpload", fault: { kind: "checksum-lie" } });
    await expect(put(store, KEY, LARGE)).rejects.toMatchObject({ code: "store-copy-differs", scope: "task" });
  });
});

describe("conditional writes", () => {
  test("a document whose answer was lost is recognised", async () => {
    const store = await openStore("aws");
    for (const condition of [{ kind: "if-absent" }, { kind: "if-match", etag: "" }] as const) {
      const standing = await store.getDocument("state/x.json", { signal });
      await play({ operation: "PutObject", fault: { kind: "answer-lost" } });
      const wanted = condition.kind === "if-match" ? { ...condition, etag: standing?.etag ?? "" } : condition;
      const written = await store.putDocument("state/x.json", `"${condition.kind}"`, wanted, { signal });
      expect(written).toEqual({ etag: (await store.getDocument("state/x.json", { signal }))?.etag });
    }
  });

  test("a lost answer hides no other writer's document", async () => {
    const store = await openStore("aws");
    await store.putDocument("state/x.json", "theirs", { kind: "always" }, { signal });
    await play({ operation: "PutObject", fault: { kind: "reset" } });
    expect(await store.putDocument("state/x.json", "ours", { kind: "if-absent" }, { signal })).toBe(
      "conflict",
    );
  });

  test("writers that collide are tried again, and then told of the conflict", async () => {
    const store = await openStore("aws");
    const fault = { kind: "status", status: 409, code: "ConditionalRequestConflict" } as const;
    await play({ operation: "PutObject", times: 2, fault });
    expect(await store.putDocument("state/a.json", "1", { kind: "if-absent" }, { signal })).not.toBe(
      "conflict",
    );
    await play({ operation: "PutObject", times: 99, fault });
    expect(await store.putDocument("state/b.json", "1", { kind: "if-absent" }, { signal })).toBe("conflict");
  });

  test("after a lost completion, another's object under the key is not taken for ours", async () => {
    const store = await openStore("aws");
    await put(store, KEY, bytesOf(LARGE.length).fill(7));
    await play({ operation: "CompleteMultipartUpload", fault: { kind: "reset" } });
    await expect(put(store, KEY, LARGE)).rejects.toMatchObject({ code: "store-key-taken" });
  });
});

test("more parts than a store takes are refused before the first byte is sent", async () => {
  const store = await openStore("aws");
  const metadata = {};
  const expectedSizeBytes = 10_000 * PART_BYTES + 1;
  await expect(store.openUpload(KEY, { metadata, expectedSizeBytes, signal })).rejects.toMatchObject({
    code: "store-too-large",
    retry: "never",
  });
  const upload = await store.openUpload(KEY, { metadata, expectedSizeBytes: expectedSizeBytes - 1, signal });
  await upload.abort();
});
