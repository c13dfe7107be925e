import { Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Upload } from "../../lib/ports/object-store.ts";
import type { S3StoreOptions } from "../../lib/store/s3/client.ts";
import type { S3Store } from "../../lib/store/s3/s3-store.ts";
import { type S3FaultRuleInput, type S3StandIn, startS3 } from "../../sandbox/s3/start.ts";
import { stopTimers } from "../../sandbox/testing/stopped-timers.ts";
import { impatientClock, openUploads, storeOn } from "./s3-servers.ts";
import { begin, bytesOf, KEY, keysBelow, put, readAll, sha256Of } from "./store-helpers.ts";

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

const refusalOfTime = { kind: "status", status: 403, code: "RequestTimeTooSkewed" } as const;

const PROFILES = ["aws", "generic", "obs"] as const;

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

async function writeAll(upload: Upload, body: Uint8Array): Promise<void> {
  for (let start = 0; start < body.length; start += 65_536) {
    await upload.write(body.subarray(start, start + 65_536));
  }
}

async function expectNothingLeft(store: S3Store): Promise<void> {
  expect(await keysBelow(store, "exports/")).toEqual([]);
  expect(await openUploads(store)).toEqual([]);
}

async function expectStored(store: S3Store, body: Buffer): Promise<void> {
  expect((await readAll(store, KEY)).equals(body)).toBe(true);
  expect(await openUploads(store)).toEqual([]);
}

describe.each(PROFILES)("profile %s", (profile) => {
  describe("goes on on its own after", () => {
    test.each<[string, Buffer, S3FaultRuleInput]>([
      ["a PUT that is reset", SMALL, { operation: "PutObject", fault: { kind: "reset" } }],
      ["a PUT whose answer is lost", SMALL, { operation: "PutObject", fault: { kind: "answer-lost" } }],
      [
        "a PUT that did happen and is called an error",
        SMALL,
        {
          operation: "PutObject",
          fault: { kind: "status", status: 500, code: "InternalError", afterEffect: true },
        },
      ],
      ["a refusal of the time", LARGE, { operation: "CompleteMultipartUpload", fault: refusalOfTime }],
      [
        "SlowDown",
        LARGE,
        { operation: "UploadPart", times: 2, fault: { kind: "status", status: 503, code: "SlowDown" } },
      ],
      [
        "a part that is reset half way",
        LARGE,
        { operation: "UploadPart", partNumber: 2, fault: { kind: "reset", afterBytes: 60_000 } },
      ],
      [
        "a part whose answer is lost",
        LARGE,
        { operation: "UploadPart", partNumber: 1, fault: { kind: "answer-lost" } },
      ],
      [
        "a proxy's page instead of a part's answer",
        LARGE,
        { operation: "UploadPart", fault: { kind: "html" } },
      ],
      [
        "a creation whose answer is lost",
        LARGE,
        { operation: "CreateMultipartUpload", fault: { kind: "reset" } },
      ],
      [
        "a completion whose answer is lost",
        LARGE,
        { operation: "CompleteMultipartUpload", fault: { kind: "answer-lost" } },
      ],
      [
        "a completion that did happen and is called an error inside a 200",
        LARGE,
        { operation: "CompleteMultipartUpload", fault: { kind: "error-in-200", afterEffect: true } },
      ],
      [
        "a completion that fails inside a 200",
        LARGE,
        { operation: "CompleteMultipartUpload", fault: { kind: "error-in-200" } },
      ],
      [
        "a proxy's page instead of a completion's answer",
        LARGE,
        { operation: "CompleteMultipartUpload", fault: { kind: "html" } },
      ],
    ])("%s", async (_name, body, rule) => {
      const store = await openStore(profile);
      await play(rule);
      const stored = await put(store, KEY, body);
      expect((await standIn.control.state()).faults[0]?.met).toBeGreaterThan(0);
      expect(await store.head(KEY, { signal })).toMatchObject({ sizeBytes: body.length, etag: stored.etag });
      await expectStored(store, body);
    });
  });

  test.each<S3FaultRuleInput["fault"]>([
    { kind: "answer-lost" },
    { kind: "status", status: 500, code: "InternalError", afterEffect: true },
  ])("no object is written twice, also where the store could not refuse it (%j)", async (fault) => {
    const store = await openStore(profile);
    await play({ operation: "PutObject", fault });
    await standIn.control.clearRequests();
    await put(store, KEY, SMALL);
    const requests = await standIn.control.requests();
    expect(requests.map(({ operation }) => operation)).toEqual(["PutObject", "HeadObject"]);
  });

  test("an upload whose creation lost its answer is aborted with the rest", async () => {
    const store = await openStore(profile, { partsInFlight: 4 });
    const neighbour = await begin(store, `${KEY}2`);
    await writeAll(neighbour, LARGE.subarray(0, PART_BYTES + 1));
    await expect.poll(() => openUploads(store)).toHaveLength(1);
    await play({ operation: "CreateMultipartUpload", fault: { kind: "answer-lost" } });
    const upload = await begin(store, KEY);
    await writeAll(upload, LARGE);
    await expect.poll(() => openUploads(store)).toHaveLength(3);
    await upload.abort();
    expect(await openUploads(store)).toEqual([`${KEY}2`]);
    await neighbour.abort();
    await expectNothingLeft(store);
  });

  test("a completion that never gets an answer, but happened, is found", async () => {
    const store = await openStore(profile);
    await play({
      operation: "CompleteMultipartUpload",
      times: 99,
      fault: { kind: "status", status: 500, code: "InternalError", afterEffect: true },
    });
    expect(await put(store, KEY, LARGE)).toMatchObject({ key: KEY, sizeBytes: LARGE.length });
    await expectStored(store, LARGE);
  });

  test.each([
    ["PutObject", SMALL],
    ["CompleteMultipartUpload", LARGE],
  ] as const)(
    "a %s that fails until its last attempt, whose answer is lost, is found",
    async (operation, body) => {
      const store = await openStore(profile);
      await play(
        { operation, times: 4, fault: { kind: "reset" } },
        { operation, fault: { kind: "answer-lost" } },
      );
      expect(await put(store, KEY, body)).toMatchObject({ key: KEY, sizeBytes: body.length });
      expect((await standIn.control.state()).faults.map(({ met }) => met)).toEqual([4, 1]);
      await expectStored(store, body);
    },
  );

  test("an upload that somebody aborted is gone, also where its completion is answered with 500", async () => {
    const store = await openStore(profile);
    await play({
      operation: "CompleteMultipartUpload",
      times: 99,
      fault: { kind: "status", status: 500, code: "InternalError" },
    });
    const upload = await begin(store, KEY);
    await writeAll(upload, LARGE.subarray(0, PART_BYTES + 1));
    await expect.poll(async () => (await standIn.control.state()).openUploads.length).toBe(1);
    await upload.write(LARGE.subarray(PART_BYTES + 1, 2 * PART_BYTES));
    const proof = { sizeBytes: 2 * PART_BYTES, sha256: sha256Of(LARGE) };
    await expect(upload.complete(proof)).rejects.toMatchObject({ code: "store-unavailable" });
    expect(await store.abortUploadsUnder(KEY, { signal })).toBe(1);
    await expect(upload.complete(proof)).rejects.toMatchObject({ code: "store-upload-gone" });
    await upload.abort();
  });

  test.each<[string, S3FaultRuleInput]>([
    ["part", { operation: "UploadPart", times: 99, fault: { kind: "reset" } }],
    ["completion", { operation: "CompleteMultipartUpload", times: 99, fault: { kind: "reset" } }],
    ["creation", { operation: "CreateMultipartUpload", times: 99, fault: { kind: "reset" } }],
  ])("a %s that never comes through ends the upload, and nothing is left", async (_name, rule) => {
    const store = await openStore(profile);
    await play(rule);
    const upload = await begin(store, KEY);
    const sending = (async () => {
      await writeAll(upload, LARGE);
      await upload.complete({ sizeBytes: LARGE.length, sha256: sha256Of(LARGE) });
    })();
    await expect(sending).rejects.toMatchObject({ code: "store-unavailable", scope: "task", retry: "later" });
    await upload.abort();
    await expectNothingLeft(store);
  });

  test("an upload that somebody aborted while its parts are sent is gone, not failed", async () => {
    const store = await openStore(profile);
    const upload = await begin(store, KEY);
    await writeAll(upload, LARGE.subarray(0, PART_BYTES + 1));
    await expect.poll(() => openUploads(store)).toHaveLength(1);
    expect(await store.abortUploadsUnder(KEY, { signal })).toBe(1);
    const sending = (async () => {
      await writeAll(upload, LARGE.subarray(PART_BYTES + 1));
      await upload.complete({ sizeBytes: LARGE.length, sha256: sha256Of(LARGE) });
    })();
    await expect(sending).rejects.toMatchObject({ code: "store-upload-gone", scope: "task" });
    await upload.abort();
    await expectNothingLeft(store);
  });

  test.each<[string, S3FaultRuleInput["fault"], string, number?]>([
    ["an expired key", { kind: "status", status: 400, code: "ExpiredToken" }, "store-unauthenticated", 2],
    ["access denied", { kind: "status", status: 403, code: "AccessDenied" }, "store-forbidden"],
    ["a bucket that is gone", { kind: "status", status: 404, code: "NoSuchBucket" }, "store-missing"],
    ["a quota", { kind: "status", status: 403, code: "QuotaExceeded" }, "store-full"],
    ["a clock too far off", refusalOfTime, "store-misconfigured", 2],
    ["another region", { kind: "status", status: 301, code: "PermanentRedirect" }, "store-misconfigured"],
  ])("%s is a fault of the system, told at once", async (_name, fault, code, attempts = 1) => {
    const store = await openStore(profile);
    await play({ operation: "UploadPart", partNumber: 2, times: 99, fault });
    const upload = await begin(store, KEY);
    const sending = (async () => {
      await writeAll(upload, LARGE);
      await upload.complete({ sizeBytes: LARGE.length, sha256: sha256Of(LARGE) });
    })();
    await expect(sending).rejects.toMatchObject({ code, scope: "system" });
    expect((await standIn.control.state()).faults[0]?.met).toBe(attempts);
    await upload.abort();
    await expectNothingLeft(store);
  });

  test("a listing answered by a proxy's page is an error, never empty", async () => {
    const store = await openStore(profile);
    await put(store, KEY, SMALL);
    for (const operation of ["ListObjects", "ListObjectsV2", "ListMultipartUploads"] as const) {
      await play({ operation, times: 99, fault: { kind: "html" } });
    }
    await expect(keysBelow(store, "")).rejects.toMatchObject({ code: "store-foreign-answer" });
    await expect(store.abortUploadsUnder("", { signal })).rejects.toMatchObject({
      code: "store-foreign-answer",
    });
  });

  test("a body read back that is cut is an error, not shorter", async () => {
    const store = await openStore(profile);
    await put(store, KEY, LARGE);
    await play({ operation: "GetObject", fault: { kind: "reset", afterBytes: 100_000 } });
    await expect(readAll(store, KEY)).rejects.toMatchObject({ code: "store-unavailable" });
    await expectStored(store, LARGE);
  });

  test("an object in an archive class is there, and reading it concerns no other object", async () => {
    const store = await openStore(profile, { storageClass: "GLACIER" });
    await put(store, KEY, SMALL);
    expect(await store.head(KEY, { signal })).toMatchObject({ sizeBytes: SMALL.length });
    await expect(readAll(store, KEY)).rejects.toMatchObject({
      code: "store-object-cold",
      scope: "task",
      retry: "later",
      hint: expect.stringContaining("Restore it"),
    });
  });

  test("HEAD without permission does not mean a missing object", async () => {
    const store = await openStore(profile);
    await play({
      times: 2,
      operation: "HeadObject",
      fault: { kind: "status", status: 403, code: "AccessDenied" },
    });
    await expect(store.head(KEY, { signal })).rejects.toMatchObject({
      code: "store-forbidden",
      hint: expect.stringContaining("s3:ListBucket"),
    });
  });

  test("abort ends an upload whose part hangs, and gives its buffers back", async () => {
    const store = await openStore(profile, { partsInFlight: 2 });
    await play({ operation: "UploadPart", times: 99, fault: { kind: "stall" } });
    const upload = await begin(store, KEY);
    const writing = writeAll(upload, LARGE).catch((thrown: unknown) => thrown);
    await expect.poll(() => openUploads(store)).toHaveLength(1);
    await upload.abort();
    expect(await writing).toMatchObject({ code: "store-upload-gone" });
    await standIn.control.clearFaults();
    await expectNothingLeft(store);
    await put(store, KEY, LARGE);
    await expectStored(store, LARGE);
  });

  test("abort is tried again when it fails", async () => {
    const store = await openStore(profile);
    const upload = await begin(store, KEY);
    await writeAll(upload, LARGE);
    await expect.poll(() => openUploads(store)).toHaveLength(1);
    await play({
      operation: "AbortMultipartUpload",
      fault: { kind: "status", status: 403, code: "AccessDenied" },
    });
    await expect(upload.abort()).rejects.toMatchObject({ code: "store-forbidden" });
    await upload.abort();
    await expectNothingLeft(store);
  });
});

test("a completion may be silent for longer than a minute", async () => {
  const store = await openStore("generic");
  await standIn.control.clearRequests();
  const releaseAfterMs = 150_000;
  await play({ operation: "CompleteMultipartUpload", fault: { kind: "stall", releaseAfterMs } });
  const ofSockets = vi.spyOn(Socket.prototype, "setTimeout");
  onTestFinished(() => ofSockets.mockRestore());
  const timers = stopTimers();
  const putting = put(store, KEY, LARGE);
  await timers.areSet(releaseAfterMs);
  // The SDK sets its limit on a socket when a request is three seconds old.
  timers.pass(4_000);
  expect(ofSockets.mock.calls.filter(([ms]) => ms > 0 && ms < releaseAfterMs)).toEqual([]);
  timers.pass(releaseAfterMs - 4_000);
  await putting;
  const requests = (await standIn.control.requests()).map(({ operation }) => operation);
  expect(requests.filter((operation) => operation === "CompleteMultipartUpload")).toHaveLength(1);
});
