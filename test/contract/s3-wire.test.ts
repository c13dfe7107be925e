import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { S3StoreOptions } from "../../lib/store/s3/client.ts";
import type { S3Store } from "../../lib/store/s3/s3-store.ts";
import { type S3LogEntry, type S3ProfileName, type S3StandIn, startS3 } from "../../sandbox/s3/start.ts";
import { impatientClock, openUploads, storeOn } from "./s3-servers.ts";
import { bytesOf, KEY, keysBelow, put, readAll, sha256Of } from "./store-helpers.ts";

const { signal } = new AbortController();
const PART_BYTES = 128 * 1024;
const SMALL = bytesOf(10_000);
const LARGE = bytesOf(2 * PART_BYTES + 1234);

let standIn: S3StandIn;
beforeAll(async () => {
  standIn = await startS3({ profile: "aws", settings: { minPartBytes: PART_BYTES } });
});
beforeEach(async () => {
  await standIn.control.clearRequests();
});
afterAll(() => standIn.stop());

function openStore(options: Partial<S3StoreOptions> & Pick<S3StoreOptions, "profile">): S3Store {
  const store = storeOn(standIn, { partSizeBytes: PART_BYTES, ...options }, impatientClock);
  onTestFinished(() => store.close());
  return store;
}

async function requestsWithBody(): Promise<readonly S3LogEntry[]> {
  const requests = await standIn.control.requests();
  return requests.filter(({ method, bodyBytes }) => method === "PUT" && bodyBytes > 0);
}

describe.each<[S3StoreOptions["profile"], string, string]>([
  ["aws", "x-amz-checksum-crc32", "content-md5"],
  ["obs", "content-md5", "x-amz-checksum-crc32"],
  ["generic", "content-md5", "x-amz-checksum-crc32"],
])("what profile %s sends", (profile, digestHeader, otherHeader) => {
  test("is each body as it is, of announced length, unsigned, with its digest", async () => {
    const store = openStore({ profile });
    await put(store, KEY, SMALL);
    await put(store, `${KEY}2`, LARGE);
    await store.putDocument("state/x.json", "{}", { kind: "always" }, { signal });
    const sent = await requestsWithBody();
    expect(sent.map(({ operation }) => operation).toSorted()).toEqual([
      "PutObject",
      "PutObject",
      "UploadPart",
      "UploadPart",
      "UploadPart",
    ]);
    for (const { headers, awsChunked, bodyBytes, operation } of sent) {
      expect(awsChunked).toBe(false);
      expect(headers["content-length"]).toBe(String(bodyBytes));
      expect(headers["x-amz-content-sha256"]).toBe("UNSIGNED-PAYLOAD");
      expect(headers[digestHeader], operation).toMatch(/^[A-Za-z0-9+/]+=*$/);
      expect(headers.authorization).toContain(digestHeader);
      for (const absent of [
        otherHeader,
        "content-encoding",
        "transfer-encoding",
        "x-amz-trailer",
        "expect",
      ]) {
        expect(headers[absent], absent).toBeUndefined();
      }
    }
    const bodies = [SMALL, LARGE.subarray(0, PART_BYTES), LARGE.subarray(2 * PART_BYTES), Buffer.from("{}")];
    expect(sent.map(({ bodySha256 }) => bodySha256)).toEqual(expect.arrayContaining(bodies.map(sha256Of)));
  });

  test("is sent again from its buffer when a byte was flipped on the way", async () => {
    const line = await faultyLine(standIn.endpoint, 60_000);
    const store = openStore({ profile, endpoint: new URL(line.endpoint) });
    onTestFinished(line.close);
    await put(store, KEY, LARGE);
    expect(line.flippedCount()).toBe(1);
    const refused = (await standIn.control.requests()).filter(({ code }) => code === "BadDigest");
    expect(refused).toHaveLength(1);
    expect((await readAll(store, KEY)).equals(LARGE)).toBe(true);
  });

  test("says the metadata, and the SHA-256 where one request carries the body", async () => {
    const store = openStore({ profile });
    await put(store, KEY, SMALL);
    await put(store, `${KEY}2`, LARGE);
    const requests = await standIn.control.requests();
    const [single, created] = ["PutObject", "CreateMultipartUpload"].map((operation) =>
      requests.find((request) => request.operation === operation),
    );
    expect(single?.headers).toMatchObject({
      "x-amz-meta-export-task-id": "task-1",
      "x-amz-meta-sha256": sha256Of(SMALL),
    });
    expect(created?.headers["x-amz-meta-export-task-id"]).toBe("task-1");
    expect(created?.headers["x-amz-meta-sha256"]).toBeUndefined();
  });
});

test("a page is served as one, and never from a cache; any other document as JSON", async () => {
  const store = openStore({ profile: "aws" });
  await store.putDocument("reports/latest.html", "<!doctype html>", { kind: "always" }, { signal });
  await store.putDocument("reports/2026/11/28.json", "{}", { kind: "always" }, { signal });
  const sent = (await standIn.control.requests()).filter(({ operation }) => operation === "PutObject");
  expect(sent.map(({ headers }) => [headers["content-type"], headers["cache-control"]])).toEqual([
    ["text/html; charset=utf-8", "no-cache"],
    ["application/json", undefined],
  ]);
});

test("encryption is asked for everywhere, the storage class for exports only", async () => {
  const store = openStore({ profile: "aws", sse: "aws:kms", kmsKeyId: "key-1", storageClass: "STANDARD_IA" });
  await put(store, KEY, SMALL);
  await put(store, `${KEY}2`, LARGE);
  await store.putDocument("records/x.json", "{}", { kind: "always" }, { signal });
  const requests = (await standIn.control.requests()).filter(({ operation }) =>
    ["PutObject", "CreateMultipartUpload"].includes(operation),
  );
  expect(requests).toHaveLength(3);
  for (const { headers, key } of requests) {
    expect(headers).toMatchObject({
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
    });
    expect(headers["x-amz-storage-class"]).toBe(key?.includes("exports/") ? "STANDARD_IA" : undefined);
  }
});

test("conditions are sent where the profile relies on them, and nowhere else", async () => {
  for (const profile of ["aws", "obs"] as const) {
    await standIn.control.clearRequests();
    const store = openStore({ profile });
    await put(store, KEY, SMALL);
    await put(store, `${KEY}2`, LARGE);
    const conditions = (await standIn.control.requests())
      .filter(({ operation }) => operation === "PutObject" || operation === "CompleteMultipartUpload")
      .map(({ headers }) => headers["if-none-match"]);
    expect(conditions).toEqual(profile === "aws" ? ["*", "*"] : [undefined, undefined]);
  }
});

test("a multipart upload begins with the second part, not before", async () => {
  const store = openStore({ profile: "generic" });
  await put(store, KEY, LARGE.subarray(0, PART_BYTES));
  expect((await standIn.control.requests()).map(({ operation }) => operation)).toEqual(["PutObject"]);
  await standIn.control.clearRequests();
  await put(store, `${KEY}2`, LARGE.subarray(0, PART_BYTES + 1));
  const later = (await standIn.control.requests()).map(({ operation }) => operation);
  expect(later.toSorted()).toEqual([
    "CompleteMultipartUpload",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPart",
  ]);
});

describe.each<[S3ProfileName, S3StoreOptions["profile"]]>([
  ["aws", "generic"],
  // S3 knows version 1 too, and names no NextMarker.
  ["aws", "obs"],
  ["obs", "obs"],
])("the lists of %s with small pages, profile %s", (plays, profile) => {
  let paged: S3StandIn;
  beforeAll(async () => {
    const settings = { minPartBytes: PART_BYTES, maxPageEntries: 2 };
    paged = await startS3({ profile: plays, settings });
  });
  afterAll(() => paged.stop());

  function openPaged(options: Partial<S3StoreOptions> = {}): S3Store {
    const store = storeOn(paged, { profile, partSizeBytes: PART_BYTES, ...options }, impatientClock);
    onTestFinished(() => store.close());
    return store;
  }

  test("are read to their end, with keys of all kinds", async () => {
    const store = openPaged();
    const keys = ["plain", "with space", "with+plus", "with%percent", "ünïcödé", "a&b<c>", "deep/er/key"].map(
      (name) => `exports/${name}`,
    );
    for (const key of keys) {
      await store.putDocument(key, "{}", { kind: "always" }, { signal });
    }
    expect(await keysBelow(store, "exports/")).toEqual(keys.toSorted());
    expect(await keysBelow(store, "exports/with")).toHaveLength(3);
  });

  test("of open uploads too, each with its age, and each is aborted", async () => {
    const store = openPaged({ partsInFlight: 10 });
    const keys = ["a", "a", "b+ b", "c", "c/d"].map((name) => `exports/${name}`);
    const uploads = [];
    const beforeMs = Date.now();
    for (const key of keys) {
      const upload = await store.openUpload(key, { metadata: {}, expectedSizeBytes: undefined, signal });
      await upload.write(LARGE.subarray(0, PART_BYTES + 1));
      uploads.push(upload);
    }
    await expect.poll(async () => (await openUploads(store)).toSorted()).toEqual(keys.toSorted());
    for await (const { initiatedAtMs } of store.listUploads("", { signal })) {
      expect(initiatedAtMs).toBeGreaterThan(beforeMs - 2_000);
      expect(initiatedAtMs).toBeLessThan(Date.now() + 2_000);
    }
    expect(await store.abortUploadsUnder("exports/a", { signal })).toBe(2);
    expect(await store.abortUploadsUnder("", { signal })).toBe(3);
    await Promise.all(uploads.map((upload) => upload.abort()));
  });
});

test("OBS is asked for no list in a way that it does not know", async () => {
  const store = openStore({ profile: "obs" });
  await put(store, KEY, SMALL);
  expect(await keysBelow(store, "")).toEqual([KEY]);
  expect(await openUploads(store)).toEqual([]);
  const lists = (await standIn.control.requests()).filter(({ operation }) => operation.startsWith("List"));
  expect(lists.map(({ operation }) => operation)).toEqual(["ListObjects", "ListMultipartUploads"]);
  for (const { query } of lists) {
    expect(Object.keys(query)).not.toContain("encoding-type");
  }
});

test("sweeping: one upload is aborted by its id, one object is removed, and both may be gone already", async () => {
  const store = openStore({ profile: "generic" });
  const upload = await store.openUpload(KEY, { metadata: {}, expectedSizeBytes: undefined, signal });
  await upload.write(LARGE.subarray(0, PART_BYTES + 1));
  await expect.poll(() => openUploads(store)).toHaveLength(1);
  for await (const { key, uploadId } of store.listUploads("", { signal })) {
    expect(await store.abortUpload(key, uploadId, { signal })).toBe(true);
    expect(await store.abortUpload(key, uploadId, { signal })).toBe(false);
  }
  await upload.abort();
  await put(store, KEY, SMALL);
  await store.removeObject(KEY, { signal });
  await store.removeObject(KEY, { signal });
  expect(await store.head(KEY, { signal })).toBeUndefined();
});

/** A TCP line to the stand-in that inverts one byte on the way there: this far into the first stream that long. */
async function faultyLine(
  endpoint: string,
  atByte: number,
): Promise<{ endpoint: string; flippedCount: () => number; close: () => void }> {
  const target = new URL(endpoint);
  const sockets = new Set<Socket>();
  let flippedCount = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let passedBytes = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
    client.on("data", (chunk) => {
      if (flippedCount === 0 && passedBytes + chunk.length > atByte) {
        flippedCount += 1;
        const index = atByte - passedBytes;
        chunk[index] = (chunk[index] ?? 0) ^ 0xff;
      }
      passedBytes += chunk.length;
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => client.write(chunk));
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    flippedCount: () => flippedCount,
    close: () => {
      server.close();
      for (const socket of sockets) {
        socket.destroy();
      }
    },
  };
}
