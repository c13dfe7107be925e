import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  HeadObjectCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandInput,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stopTimers } from "../testing/stopped-timers.ts";
import { type S3StandIn, startS3 } from "./start.ts";
import { clientFor } from "./testing/client.ts";

const PART = Buffer.alloc(1000, "p");
const TAIL = Buffer.from("tail");
const WHOLE = Buffer.concat([PART, PART, TAIL]);

let standIn: S3StandIn;
let client: S3Client;
beforeEach(async () => {
  standIn = await startS3({ profile: "generic-rich", settings: { minPartBytes: PART.length } });
  client = clientFor(standIn, { requestChecksumCalculation: "WHEN_REQUIRED" });
});
afterEach(async () => {
  client.destroy();
  await standIn.stop();
});

const target = () => ({ Bucket: standIn.bucket, Key: "k" });

async function create(more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<string> {
  const { UploadId = "" } = await client.send(new CreateMultipartUploadCommand({ ...target(), ...more }));
  return UploadId;
}

async function upload(
  UploadId: string,
  PartNumber: number,
  Body: Buffer,
  more: Partial<UploadPartCommandInput> = {},
) {
  const { ETag, ...rest } = await client.send(
    new UploadPartCommand({ ...target(), UploadId, PartNumber, Body, ...more }),
  );
  return { ...rest, PartNumber, ETag: ETag ?? "" };
}

async function uploadAll(UploadId: string): Promise<CompletedPart[]> {
  const bodies = [PART, PART, TAIL];
  return await Promise.all(
    bodies.map(async (body, index) => {
      const { ETag, PartNumber } = await upload(UploadId, index + 1, body);
      return { ETag, PartNumber };
    }),
  );
}

async function complete(
  UploadId: string,
  Parts: CompletedPart[],
  more: Partial<CompleteMultipartUploadCommandInput> = {},
) {
  return await client.send(
    new CompleteMultipartUploadCommand({ ...target(), UploadId, MultipartUpload: { Parts }, ...more }),
  );
}

function base64Crc(bytes: Buffer): string {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(bytes));
  return crc.toString("base64");
}

async function openUploads(): Promise<number> {
  return (await standIn.control.state()).openUploads.length;
}

test("an upload becomes an object, with the MD5 of the parts' MD5s as ETag", async () => {
  const id = await create({ Metadata: { a: "1" } });
  const done = await complete(id, await uploadAll(id));
  const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest();
  const etag = md5(Buffer.concat([md5(PART), md5(PART), md5(TAIL)])).toString("hex");
  expect(done.ETag).toBe(`"${etag}-3"`);
  expect(await standIn.control.content("k")).toEqual(WHOLE);
  const head = await client.send(new HeadObjectCommand(target()));
  expect(head).toMatchObject({ ContentLength: WHOLE.length, Metadata: { a: "1" }, ETag: done.ETag });
  expect(await openUploads()).toBe(0);
});

test("the parts of AWS have 5 MiB at least", async () => {
  const aws = await startS3();
  const small = clientFor(aws);
  const where = { Bucket: aws.bucket, Key: "k" };
  const { UploadId } = await small.send(
    new CreateMultipartUploadCommand({ ...where, ChecksumAlgorithm: "CRC32" }),
  );
  const parts = [];
  for (const [index, size] of [5 * 1024 * 1024 - 1, 10].entries()) {
    const part = { ...where, UploadId, PartNumber: index + 1, Body: Buffer.alloc(size) };
    const { ETag, ChecksumCRC32 } = await small.send(new UploadPartCommand(part));
    parts.push({ PartNumber: index + 1, ETag, ChecksumCRC32 });
  }
  const completing = small.send(
    new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload: { Parts: parts } }),
  );
  await expect(completing).rejects.toMatchObject({ name: "EntityTooSmall" });
  small.destroy();
  await aws.stop();
});

describe("a completion is refused", () => {
  test("with a part that was not sent, or another ETag", async () => {
    const id = await create();
    const parts = await uploadAll(id);
    await expect(complete(id, [...parts, { PartNumber: 4, ETag: "x" }])).rejects.toMatchObject({
      name: "InvalidPart",
    });
    const [first, ...others] = parts;
    await expect(complete(id, [{ ...first, ETag: '"00"' }, ...others])).rejects.toMatchObject({
      name: "InvalidPart",
    });
    expect(await openUploads()).toBe(1);
  });

  test("out of order, without a part, or with a short part before the last", async () => {
    const id = await create();
    const parts = await uploadAll(id);
    await expect(complete(id, parts.toReversed())).rejects.toMatchObject({ name: "InvalidPartOrder" });
    const [first] = parts;
    await expect(complete(id, first ? [first, first] : [])).rejects.toMatchObject({
      name: "InvalidPartOrder",
    });
    await expect(complete(id, [])).rejects.toMatchObject({ name: "MalformedXML" });
    const short = await upload(id, 1, TAIL);
    await expect(
      complete(id, [{ PartNumber: 1, ETag: short.ETag }, ...parts.slice(1)]),
    ).rejects.toMatchObject({
      name: "EntityTooSmall",
    });
  });

  test("of an upload that is done, aborted, unknown or for another key", async () => {
    const id = await create();
    const parts = await uploadAll(id);
    await expect(complete(id, parts, { Key: "other" })).rejects.toMatchObject({ name: "NoSuchUpload" });
    await complete(id, parts);
    await expect(complete(id, parts)).rejects.toMatchObject({ name: "NoSuchUpload" });
    await standIn.control.changeSettings({ completionRepeated: "same-answer" });
    expect((await complete(id, parts)).ETag).toMatch(/-3"$/);
    const aborted = await create();
    await client.send(new AbortMultipartUploadCommand({ ...target(), UploadId: aborted }));
    await expect(complete(aborted, parts)).rejects.toMatchObject({ name: "NoSuchUpload" });
    await expect(upload(aborted, 1, PART)).rejects.toMatchObject({ name: "NoSuchUpload" });
  });

  test("with another size than the parts have", async () => {
    const id = await create();
    const parts = await uploadAll(id);
    await expect(complete(id, parts, { MpuObjectSize: 7 })).rejects.toMatchObject({ name: "InvalidRequest" });
    await complete(id, parts, { MpuObjectSize: WHOLE.length });
  });
});

describe("parts", () => {
  test.each([0, 10_001])("number %d is refused", async (PartNumber) => {
    const id = await create();
    await expect(upload(id, PartNumber, PART)).rejects.toMatchObject({ name: "InvalidArgument" });
  });

  test("are replaced by a part of the same number, and listed by pages", async () => {
    const id = await create();
    await uploadAll(id);
    const again = await upload(id, 2, Buffer.alloc(1000, "q"));
    const page = await client.send(new ListPartsCommand({ ...target(), UploadId: id, MaxParts: 2 }));
    expect(page).toMatchObject({ IsTruncated: true, NextPartNumberMarker: "2" });
    expect(page.Parts?.[1]?.ETag).toBe(again.ETag);
    const rest = await client.send(
      new ListPartsCommand({ ...target(), UploadId: id, PartNumberMarker: page.NextPartNumberMarker }),
    );
    expect(rest.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3]);
  });

  test("that are under way when the upload is aborted find it gone", async () => {
    const id = await create();
    const wait = { kind: "stall", afterBytes: 500, releaseAfterMs: 60_000 } as const;
    await standIn.control.scriptFaults({ operation: "UploadPart", fault: wait });
    const timers = stopTimers();
    const sending = upload(id, 1, PART);
    const underWay = expect(sending).rejects.toMatchObject({ name: "NoSuchUpload" });
    await timers.areSet(wait.releaseAfterMs);
    await client.send(new AbortMultipartUploadCommand({ ...target(), UploadId: id }));
    timers.pass(wait.releaseAfterMs);
    await underWay;
  });

  test("have their Content-MD5 checked", async () => {
    const id = await create();
    await expect(upload(id, 1, PART, { ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" })).rejects.toMatchObject({
      name: "BadDigest",
    });
    expect((await standIn.control.state()).openUploads[0]?.partNumbers).toEqual([]);
  });

  test("have opaque ETags under KMS", async () => {
    const id = await create({ ServerSideEncryption: "aws:kms" });
    const part = await upload(id, 1, PART);
    expect(part.ETag).not.toContain(createHash("md5").update(PART).digest("hex"));
    const done = await complete(id, [{ PartNumber: 1, ETag: part.ETag }]);
    expect(done).toMatchObject({ ServerSideEncryption: "aws:kms", ETag: expect.stringMatching(/-1"$/) });
  });
});

describe("checksums over the whole object", () => {
  test("a full-object CRC32 on completion is compared with the combined one", async () => {
    const id = await create({ ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
    const parts = await uploadAll(id);
    const full = { ChecksumType: "FULL_OBJECT" } as const;
    await expect(complete(id, parts, { ...full, ChecksumCRC32: base64Crc(PART) })).rejects.toMatchObject({
      name: "BadDigest",
    });
    const done = await complete(id, parts, { ...full, ChecksumCRC32: base64Crc(WHOLE) });
    expect(done).toMatchObject({ ...full, ChecksumCRC32: base64Crc(WHOLE) });
    const head = await client.send(new HeadObjectCommand({ ...target(), ChecksumMode: "ENABLED" }));
    expect(head).toMatchObject({ ...full, ChecksumCRC32: base64Crc(WHOLE) });
  });

  test("another type or algorithm than the upload's is refused", async () => {
    const id = await create({ ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
    const parts = await uploadAll(id);
    await expect(complete(id, parts, { ChecksumType: "COMPOSITE" })).rejects.toMatchObject({
      name: "InvalidRequest",
    });
    await expect(complete(id, parts, { ChecksumCRC32C: "AAAAAA==" })).rejects.toMatchObject({
      name: "InvalidRequest",
    });
    await expect(upload(id, 1, PART, { ChecksumAlgorithm: "SHA256" })).rejects.toMatchObject({
      name: "InvalidRequest",
    });
    await expect(create({ ChecksumAlgorithm: "SHA256", ChecksumType: "FULL_OBJECT" })).rejects.toMatchObject({
      name: "InvalidRequest",
    });
    const plain = await create();
    await expect(upload(plain, 1, PART, { ChecksumCRC32: base64Crc(PART) })).rejects.toMatchObject({
      name: "InvalidRequest",
    });
  });

  test("a composite one needs each part's, in the part and in the completion", async () => {
    const id = await create({ ChecksumAlgorithm: "SHA256" });
    await expect(upload(id, 1, PART)).rejects.toMatchObject({ name: "InvalidRequest" });
    const part = await upload(id, 1, PART, { ChecksumAlgorithm: "SHA256" });
    await expect(complete(id, [{ PartNumber: 1, ETag: part.ETag }])).rejects.toMatchObject({
      name: "InvalidRequest",
    });
    const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
    const done = await complete(id, [
      { PartNumber: 1, ETag: part.ETag, ChecksumSHA256: sha256(PART).toString("base64") },
    ]);
    expect(done.ChecksumSHA256).toBe(`${sha256(sha256(PART)).toString("base64")}-1`);
    expect(done.ChecksumType).toBe("COMPOSITE");
  });
});
