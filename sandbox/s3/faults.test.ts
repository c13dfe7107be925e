import { createHash } from "node:crypto";
import { connect } from "node:net";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stopTimers } from "../testing/stopped-timers.ts";
import type { S3LogEntry } from "./control-protocol.ts";
import { type S3FaultRuleInput, type S3StandIn, startS3 } from "./start.ts";
import { clientFor } from "./testing/client.ts";
import { type RawRequest, sendRaw, signedHead } from "./testing/raw.ts";

let standIn: S3StandIn;
beforeEach(async () => {
  standIn = await startS3({ profile: "generic-rich" });
});
afterEach(async () => await standIn.stop());

const at = (Key = "k") => ({ Bucket: standIn.bucket, Key });
const script = async (...rules: S3FaultRuleInput[]) => await standIn.control.scriptFaults(...rules);
const put = async (body: Buffer | string = "hello", key = "k", more: Partial<RawRequest> = {}) =>
  await sendRaw(standIn, { method: "PUT", url: `/${standIn.bucket}/${key}`, body, ...more });
const get = async () => await sendRaw(standIn, { method: "GET", url: `/${standIn.bucket}/k` });
const stored = async () => (await standIn.control.state()).objects.map(({ key }) => key);
const lastRequest = async () => (await standIn.control.requests()).at(-1);

/** The first request in this state, once there is one; the test's own limit ends the wait. */
async function requestThat(isSought: (entry: S3LogEntry) => boolean): Promise<S3LogEntry> {
  for (;;) {
    const found = (await standIn.control.requests()).find(isSought);
    if (found !== undefined) {
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The request that met this fault, once it has ended. */
const requestWhere = (fault: string) =>
  requestThat((entry) => entry.fault === fault && entry.outcome !== "pending");

/** A PUT is answered when the stall has had its time, and no moment earlier. */
async function expectReleased(fault: Extract<S3FaultRuleInput["fault"], { kind: "stall" }>): Promise<void> {
  const { releaseAfterMs = 0 } = fault;
  await script({ fault });
  const timers = stopTimers();
  const putting = put();
  await timers.areSet(releaseAfterMs);
  timers.pass(releaseAfterMs - 1);
  expect(await lastRequest()).toMatchObject({ outcome: "pending" });
  timers.pass(1);
  expect((await putting).status).toBe(200);
}

describe("before the effect", () => {
  test("a reset stores nothing, at once or in the middle of the body", async () => {
    await script({ fault: { kind: "reset" } }, { fault: { kind: "reset", afterBytes: 500_000 } });
    await expect(put()).rejects.toMatchObject({ code: "ECONNRESET" });
    await expect(put(Buffer.alloc(1_000_000))).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|EPIPE/),
    });
    expect(await stored()).toEqual([]);
    expect(await lastRequest()).toMatchObject({ fault: "reset", outcome: "lost" });
    expect((await put()).status).toBe(200);
  });

  test.each([
    [503, "SlowDown"],
    [500, "InternalError"],
    [403, "AccessDenied"],
    [404, "NoSuchBucket"],
    [400, "ExpiredToken"],
    [400, "RequestTimeout"],
    [409, "ConditionalRequestConflict"],
  ])("an error is answered as asked: %d %s", async (status, code) => {
    await script({ fault: { kind: "status", status, code, retryAfterSeconds: 7 } });
    const answer = await put(Buffer.alloc(2_000_000));
    expect([answer.status, answer.code, answer.headers["retry-after"]]).toEqual([status, code, "7"]);
    expect(await stored()).toEqual([]);
    expect(await lastRequest()).toMatchObject({ status, code, bodyBytes: 2_000_000, outcome: "answered" });
  });

  test("a proxy answers with a page under 200", async () => {
    await script({ fault: { kind: "html" } });
    const answer = await put();
    expect([answer.status, answer.headers["content-type"], answer.headers.etag]).toEqual([
      200,
      "text/html",
      undefined,
    ]);
    expect(await stored()).toEqual([]);
  });

  test("a stall ends when the client leaves, and has stored nothing", async () => {
    await script({ fault: { kind: "stall" } });
    const client = clientFor(standIn);
    const leaving = new AbortController();
    const sending = client.send(new PutObjectCommand({ ...at(), Body: "x" }), {
      abortSignal: leaving.signal,
    });
    const ending = expect(sending).rejects.toMatchObject({ name: "AbortError" });
    await requestThat(({ outcome }) => outcome === "pending");
    leaving.abort();
    await ending;
    client.destroy();
    expect((await requestWhere("stall")).outcome).toMatch(/lost|aborted/);
    expect(await stored()).toEqual([]);
  });

  test("or goes on after its time", async () => {
    await expectReleased({ kind: "stall", releaseAfterMs: 60_000 });
  });
});

describe("after the effect", () => {
  test("the answer is lost", async () => {
    await script({ fault: { kind: "answer-lost" } });
    await expect(put()).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(await stored()).toEqual(["k"]);
    expect(await lastRequest()).toMatchObject({ status: 200, outcome: "lost" });
  });

  test("the answer is another one", async () => {
    await script({ fault: { kind: "status", status: 500, code: "InternalError", afterEffect: true } });
    expect((await put()).code).toBe("InternalError");
    expect(await stored()).toEqual(["k"]);
  });

  test("the store falls silent", async () => {
    await expectReleased({ kind: "stall", afterEffect: true, releaseAfterMs: 60_000 });
  });
});

describe("a completion", () => {
  async function complete() {
    const client = clientFor(standIn);
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...at(), ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" }),
    );
    const { ETag } = await client.send(
      new UploadPartCommand({ ...at(), UploadId, PartNumber: 1, Body: "part" }),
    );
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    return await client
      .send(new CompleteMultipartUploadCommand({ ...at(), UploadId, MultipartUpload }))
      .finally(() => client.destroy());
  }

  test("may fail under status 200", async () => {
    await script({ operation: "CompleteMultipartUpload", fault: { kind: "error-in-200" } });
    await expect(complete()).rejects.toMatchObject({ name: "InternalError" });
    expect(await stored()).toEqual([]);
    const last = (await standIn.control.requests()).find(({ fault }) => fault === "error-in-200");
    expect(last).toMatchObject({ status: 200, code: "InternalError" });
  });

  test("or say so although it is done", async () => {
    await script({
      operation: "CompleteMultipartUpload",
      fault: { kind: "error-in-200", afterEffect: true },
    });
    await expect(complete()).rejects.toMatchObject({ name: "InternalError" });
    expect(await stored()).toEqual(["k"]);
  });

  test("may lie about checksum and ETag in its body", async () => {
    const honest = await complete();
    await script({ operation: "CompleteMultipartUpload", fault: { kind: "checksum-lie" } });
    const lie = await complete();
    expect(lie.ChecksumCRC32).not.toBe(honest.ChecksumCRC32);
    expect(lie.ETag).toBe(honest.ETag);
    await script({ operation: "CompleteMultipartUpload", fault: { kind: "etag-lie" } });
    expect((await complete()).ETag).not.toBe(honest.ETag);
  });
});

describe("the bytes", () => {
  test.each([1000, 400_000])("a byte of %d is stored wrong although every digest matched", async (size) => {
    const body = Buffer.alloc(size, "a");
    await script({ operation: "PutObject", fault: { kind: "flip-byte", at: size - 1 } });
    const md5 = createHash("md5").update(body).digest();
    const answer = await put(body, "k", { headers: { "content-md5": md5.toString("base64") } });
    expect(answer.headers.etag).toBe(`"${md5.toString("hex")}"`);
    const wrong = Buffer.from(body);
    wrong[size - 1] = "a".charCodeAt(0) ^ 0xff;
    expect((await standIn.control.content("k")).equals(wrong)).toBe(true);
  });

  test.each([1000, 400_000])("of %d only the first are stored", async (size) => {
    await script({ operation: "PutObject", fault: { kind: "truncate", bytes: 999 } });
    await put(Buffer.alloc(size, "a"));
    const head = await sendRaw(standIn, { method: "HEAD", url: `/${standIn.bucket}/k` });
    expect(head.headers["content-length"]).toBe("999");
    expect((await get()).text).toHaveLength(999);
  });

  test("a download is bent, cut short, or breaks off", async () => {
    await put("hello");
    await script(
      { operation: "GetObject", fault: { kind: "flip-byte", at: 0 } },
      { operation: "GetObject", fault: { kind: "truncate", bytes: 2 } },
      { operation: "GetObject", fault: { kind: "reset", afterBytes: 2 } },
    );
    expect((await get()).text).toMatch(/ello$/);
    expect((await get()).text).toBe("he");
    await expect(get()).rejects.toMatchObject({ code: "ECONNRESET" });
    expect((await get()).text).toBe("hello");
  });

  test("they pass slowly, in and out", async () => {
    const slow = { kind: "slow", bytesPerSecond: 50_000 } as const;
    await script({ operation: "PutObject", fault: slow }, { operation: "GetObject", fault: slow });
    const timers = stopTimers();
    for (const [times, act] of [async () => put(Buffer.alloc(5000)), get].entries()) {
      expect((await timers.passUntil(act(), 20)).status).toBe(200);
      const waits = timers.lengthsMs.filter((ms) => ms === 20);
      expect(waits.length).toBeGreaterThanOrEqual(5 * (times + 1));
    }
  });

  test("HEAD may lie about the checksum", async () => {
    const client = clientFor(standIn);
    const { ChecksumCRC32 } = await client.send(new PutObjectCommand({ ...at(), Body: "hello" }));
    await script({ operation: "HeadObject", fault: { kind: "checksum-lie" } });
    const head = async () => await client.send(new HeadObjectCommand({ ...at(), ChecksumMode: "ENABLED" }));
    expect((await head()).ChecksumCRC32).not.toBe(ChecksumCRC32);
    expect((await head()).ChecksumCRC32).toBe(ChecksumCRC32);
    client.destroy();
  });
});

describe("rules", () => {
  test("match by operation, key, prefix and part, skip and count", async () => {
    await script(
      {
        operation: "PutObject",
        keyPrefix: "a/",
        skip: 1,
        times: 2,
        fault: { kind: "status", status: 503, code: "SlowDown" },
      },
      { key: "b", fault: { kind: "status", status: 500, code: "InternalError" } },
      { partNumber: 2, fault: { kind: "status", status: 400, code: "RequestTimeout" } },
    );
    const codes = [];
    for (const key of [
      "a/1",
      "b",
      "a/1",
      "a/2",
      "a/3",
      "b",
      "k?partNumber=2&uploadId=x",
      "k?partNumber=1&uploadId=x",
    ]) {
      codes.push((await put("x", key)).code);
    }
    expect(codes).toEqual([
      undefined,
      "InternalError",
      "SlowDown",
      "SlowDown",
      undefined,
      undefined,
      "RequestTimeout",
      "NoSuchUpload",
    ]);
    expect((await standIn.control.state()).faults.map(({ met }) => met)).toEqual([3, 1, 1]);
    await script({ fault: { kind: "reset" } });
    await standIn.control.clearFaults();
    expect((await put()).status).toBe(200);
  });

  test("with a spelling mistake are refused", async () => {
    const wrong = { fault: { kind: "explode" } } as unknown as S3FaultRuleInput;
    await expect(script(wrong)).rejects.toMatchObject({ name: "ControlError" });
  });
});

describe("behind the client's back", () => {
  test("stored bytes change, are cut, and go; uploads are aborted; things age", async () => {
    await put("hello");
    expect(await standIn.control.interfere({ kind: "flip-byte", key: "k", at: 4 })).toBe(true);
    expect((await get()).text.slice(0, 4)).toBe("hell");
    expect((await get()).text).not.toBe("hello");
    await standIn.control.interfere({ kind: "truncate", key: "k", bytes: 2 });
    expect((await get()).text).toBe("he");
    const [before] = (await standIn.control.state()).objects;
    await standIn.control.interfere({ kind: "age", key: "k", byMs: 5000 });
    const [after] = (await standIn.control.state()).objects;
    expect((before?.modifiedAtMs ?? 0) - (after?.modifiedAtMs ?? 0)).toBe(5000);
    expect(await standIn.control.interfere({ kind: "remove", key: "k" })).toBe(true);
    expect((await get()).code).toBe("NoSuchKey");
    expect(await standIn.control.interfere({ kind: "remove", key: "k" })).toBe(false);
    await sendRaw(standIn, { method: "POST", url: `/${standIn.bucket}/k?uploads` });
    expect(await standIn.control.interfere({ kind: "abort-uploads", key: "k" })).toBe(true);
    expect((await standIn.control.state()).openUploads).toEqual([]);
  });
});

describe("connections", () => {
  test("a client that leaves in the middle of its body stores nothing", async () => {
    const body = Buffer.alloc(100);
    const head = signedHead(standIn, { method: "PUT", url: `/${standIn.bucket}/k`, body });
    const lines = [...head.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const socket = connect(Number(new URL(standIn.endpoint).port), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(`PUT ${head.url} HTTP/1.1\r\n${lines}content-length: 100\r\n\r\n`);
    socket.write(body.subarray(0, 50), () => socket.destroySoon());
    await new Promise((resolve) => socket.once("close", resolve));
    await expect.poll(async () => (await lastRequest())?.outcome).toMatch(/aborted|lost/);
    expect(await stored()).toEqual([]);
  });

  test("a refused upload that waits for 100 Continue is never told to send", async () => {
    const raw = { method: "PUT", url: `/${standIn.bucket}/k`, secretAccessKey: "wrong" };
    const answer = await sendRaw(standIn, {
      ...raw,
      unsignedHeaders: { expect: "100-continue", "content-length": "9" },
    });
    expect(answer.code).toBe("SignatureDoesNotMatch");
    expect(await lastRequest()).toMatchObject({ bodyBytes: 0, code: "SignatureDoesNotMatch" });
  });

  test("the SDK's large bodies, which do wait, arrive", async () => {
    const client = clientFor(standIn);
    const Body = Buffer.alloc(3_000_000, "x");
    await client.send(new PutObjectCommand({ ...at(), Body }));
    expect((await lastRequest())?.headers).toHaveProperty("expect", "100-continue");
    const answer = await client.send(new GetObjectCommand(at()));
    expect((await answer.Body?.transformToByteArray())?.length).toBe(Body.length);
    client.destroy();
  });
});
