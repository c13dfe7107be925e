import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chunkSignature, signingKeyOf } from "./signature.ts";
import { type S3SettingsInput, type S3StandIn, startS3 } from "./start.ts";
import { clientFor } from "./testing/client.ts";
import { sendRaw, signedHead } from "./testing/raw.ts";

const MD5_OF_HELLO = createHash("md5").update("hello").digest();

let standIn: S3StandIn;
beforeEach(async () => {
  standIn = await startS3({ profile: "generic-rich" });
});
afterEach(async () => await standIn.stop());

const bucket = () => standIn.bucket;
const change = async (settings: S3SettingsInput) => await standIn.control.changeSettings(settings);

async function put(more: Partial<PutObjectCommandInput> = {}) {
  return await clientFor(standIn).send(
    new PutObjectCommand({ Bucket: bucket(), Key: "k", Body: "hello", ...more }),
  );
}

async function head() {
  return await clientFor(standIn).send(
    new HeadObjectCommand({ Bucket: bucket(), Key: "k", ChecksumMode: "ENABLED" }),
  );
}

async function putRaw(headers: Record<string, string>, body: Buffer | string = "hello") {
  return await sendRaw(standIn, { method: "PUT", url: `/${bucket()}/k`, headers, body });
}

describe("what was put", () => {
  test("comes back with everything said about it", async () => {
    const put1 = await put({
      ContentType: "application/zip",
      Metadata: { "export-task-id": "a" },
      StorageClass: "STANDARD_IA",
      ServerSideEncryption: "AES256",
    });
    const { ETag, ContentType, Metadata, StorageClass, ServerSideEncryption } = await head();
    expect(ETag).toBe(`"${MD5_OF_HELLO.toString("hex")}"`);
    expect(put1.ETag).toBe(ETag);
    expect([ContentType, Metadata, StorageClass, ServerSideEncryption]).toEqual([
      "application/zip",
      { "export-task-id": "a" },
      "STANDARD_IA",
      "AES256",
    ]);
  });

  test("under KMS has an ETag that is not an MD5 digest", async () => {
    const { ETag, SSEKMSKeyId } = await put({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: "key-1" });
    expect(SSEKMSKeyId).toBe("key-1");
    expect(ETag).not.toContain(MD5_OF_HELLO.toString("hex"));
    expect((await head()).ETag).toBe(ETag);
  });

  test.each([
    ["bytes=1-3", "ell", "bytes 1-3/5"],
    ["bytes=3-", "lo", "bytes 3-4/5"],
    ["bytes=-2", "lo", "bytes 3-4/5"],
    ["bytes=2-99", "llo", "bytes 2-4/5"],
  ])("is read by range %s", async (Range, text, contentRange) => {
    await put();
    const answer = await clientFor(standIn).send(new GetObjectCommand({ Bucket: bucket(), Key: "k", Range }));
    expect(await answer.Body?.transformToString()).toBe(text);
    expect(answer.ContentRange).toBe(contentRange);
  });

  test("has no range behind its end", async () => {
    await put();
    const reading = clientFor(standIn).send(
      new GetObjectCommand({ Bucket: bucket(), Key: "k", Range: "bytes=5-" }),
    );
    await expect(reading).rejects.toMatchObject({ name: "InvalidRange" });
  });

  test("is gone after a delete, which succeeds twice", async () => {
    await put();
    const remove = new DeleteObjectCommand({ Bucket: bucket(), Key: "k" });
    await clientFor(standIn).send(remove);
    await clientFor(standIn).send(remove);
    await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
  });

  test("lies in a file when it is large, whole after the client's chunks", async () => {
    const large = Buffer.alloc(3_000_000, "0123456789");
    await put({ Body: large });
    expect(await standIn.control.sha256("k")).toBe(createHash("sha256").update(large).digest("hex"));
    const Range = "bytes=2000001-2000004";
    const part = await clientFor(standIn).send(new GetObjectCommand({ Bucket: bucket(), Key: "k", Range }));
    expect(await part.Body?.transformToString()).toBe("1234");
  });

  test("leaves only digests where large bodies are not kept", async () => {
    await change({ largeBodies: "hashed" });
    const large = Buffer.alloc(300_000, 1);
    const { ETag } = await put({ Body: large });
    expect(ETag).toBe(`"${createHash("md5").update(large).digest("hex")}"`);
    expect((await head()).ContentLength).toBe(large.length);
    const reading = clientFor(standIn).send(new GetObjectCommand({ Bucket: bucket(), Key: "k" }));
    await expect(reading).rejects.toMatchObject({ name: "NotImplemented" });
  });
});

describe("digests", () => {
  test("a right Content-MD5 is taken, a wrong one is BadDigest and stores nothing", async () => {
    await put({ ContentMD5: MD5_OF_HELLO.toString("base64") });
    await expect(put({ Key: "bad", ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" })).rejects.toMatchObject({
      name: "BadDigest",
    });
    await expect(put({ Key: "bad", ContentMD5: "AAAA" })).rejects.toMatchObject({ name: "InvalidDigest" });
    expect((await standIn.control.state()).objects.map(({ key }) => key)).toEqual(["k"]);
    await change({ contentMd5: "ignored" });
    await put({ ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" });
  });

  test.each(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)(
    "%s is verified and kept",
    async (name) => {
      const sent = await put({ ChecksumAlgorithm: name });
      const member = `Checksum${name}` as const;
      expect(sent[member]).toMatch(/=$/);
      expect((await head())[member]).toBe(sent[member]);
      expect((await head()).ChecksumType).toBe("FULL_OBJECT");
      const right = sent[member] ?? "";
      const wrong = `${right.startsWith("A") ? "B" : "A"}${right.slice(1)}`;
      const header = `x-amz-checksum-${name.toLowerCase()}`;
      expect((await putRaw({ [header]: wrong })).code).toBe("BadDigest");
      expect((await putRaw({ [header]: "AAA" })).code).toBe("InvalidRequest");
    },
  );

  test("two checksums, or a named one that does not come, are refused", async () => {
    const two = { "x-amz-checksum-crc32": "NhCmhg==", "x-amz-checksum-crc32c": "mnG7TA==" };
    expect((await putRaw(two)).code).toBe("InvalidRequest");
    expect((await putRaw({ "x-amz-sdk-checksum-algorithm": "CRC32" })).code).toBe("InvalidRequest");
  });

  test("a store without checksums reads none and gives none", async () => {
    await change({ checksums: false });
    expect((await putRaw({ "x-amz-checksum-crc32": "AAAAAA==" })).status).toBe(200);
    expect(await head()).not.toHaveProperty("ChecksumCRC32");
  });

  test("AWS adds a CRC64NVME of its own", async () => {
    await change({ defaultChecksum: "CRC64NVME" });
    await putRaw({}, "123456789");
    expect((await head()).ChecksumCRC64NVME).toBe(Buffer.from("ae8b14860a799888", "hex").toString("base64"));
  });
});

describe("aws-chunked bodies", () => {
  const stream = () => ({ Body: Readable.from([Buffer.from("he"), Buffer.from("llo")]), ContentLength: 5 });

  test("are decoded, with their trailing checksum", async () => {
    expect(await put(stream())).toHaveProperty("ChecksumCRC32", "NhCmhg==");
    expect((await standIn.control.content("k")).toString()).toBe("hello");
    const [entry] = await standIn.control.requests();
    expect(entry).toMatchObject({ operation: "PutObject", awsChunked: true });
    expect(entry?.bodyBytes).toBeGreaterThan(5);
    expect((await head()).ContentEncoding).toBeUndefined();
  });

  test("are refused where the store does not know them", async () => {
    await change({ awsChunked: "refused" });
    await expect(put(stream())).rejects.toMatchObject({ name: "XAmzContentSHA256Mismatch" });
    expect((await standIn.control.state()).objects).toEqual([]);
  });

  test("end up in the object, framing and all, in stores that do not look", async () => {
    await change({ awsChunked: "stored" });
    await put(stream());
    expect((await standIn.control.content("k")).toString()).toContain("x-amz-checksum-crc32:NhCmhg==");
  });

  test("with signed chunks have each chunk's signature checked, and their length", async () => {
    const headers = {
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "x-amz-decoded-content-length": "5",
    };
    const raw = { method: "PUT", url: `/${bucket()}/k`, headers, atMs: Date.now() };
    const seed = signedHead(standIn, raw);
    const amzDate = seed.headers.get("x-amz-date") ?? "";
    const scope = `${amzDate.slice(0, 8)}/${standIn.region}/s3/aws4_request`;
    const signingKey = signingKeyOf(standIn.account.secretAccessKey, scope);
    const verified = { amzDate, scope, signingKey, signature: seed.signature };
    const framed = (...chunks: string[]) => {
      let previous = seed.signature;
      return [...chunks, ""]
        .map((chunk) => {
          previous = chunkSignature(verified, previous, Buffer.from(chunk));
          return `${chunk.length.toString(16)};chunk-signature=${previous}\r\n${chunk}\r\n`;
        })
        .join("");
    };
    expect((await sendRaw(standIn, { ...raw, body: framed("he", "llo") })).status).toBe(200);
    expect((await standIn.control.content("k")).toString()).toBe("hello");
    const bent = framed("he", "llo").replace("llo", "LLO");
    expect((await sendRaw(standIn, { ...raw, body: bent })).code).toBe("SignatureDoesNotMatch");
    expect((await sendRaw(standIn, { ...raw, body: framed("hell") })).code).toBe("IncompleteBody");
    expect((await sendRaw(standIn, { ...raw, body: framed("hello").slice(0, 90) })).code).toBe(
      "IncompleteBody",
    );
  });
});

describe("what S3 refuses", () => {
  test("metadata over 2 KiB, an unknown storage class, an unknown encryption, a key over 1,024 bytes", async () => {
    await expect(put({ Metadata: { a: "x".repeat(2048) } })).rejects.toMatchObject({
      name: "MetadataTooLarge",
    });
    expect((await putRaw({ "x-amz-storage-class": "CHEAP" })).code).toBe("InvalidArgument");
    expect((await putRaw({ "x-amz-server-side-encryption": "rot13" })).code).toBe("InvalidArgument");
    await expect(put({ Key: "é".repeat(513) })).rejects.toMatchObject({ name: "KeyTooLongError" });
  });

  test("a body without a length", async () => {
    const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    const raw = { method: "PUT", url: `/${bucket()}/k`, headers };
    const answer = await sendRaw(standIn, {
      ...raw,
      unsignedHeaders: { "transfer-encoding": "chunked" },
      body: "x",
    });
    expect([answer.status, answer.code]).toEqual([411, "MissingContentLength"]);
  });

  test("an unknown bucket, and what it does not play", async () => {
    await expect(put({ Bucket: "missing" })).rejects.toMatchObject({ name: "NoSuchBucket" });
    const deleteMany = { method: "POST", url: `/${bucket()}?delete`, body: "<Delete/>" };
    expect((await sendRaw(standIn, deleteMany)).code).toBe("NotImplemented");
    expect((await putRaw({ "x-amz-copy-source": "/a/b" })).code).toBe("NotImplemented");
  });
});

describe("the log", () => {
  test("shows a request as it was on the wire, with its answer", async () => {
    await putRaw({ "content-md5": MD5_OF_HELLO.toString("base64"), "x-amz-meta-a": "1" });
    const [entry] = await standIn.control.requests();
    expect(entry).toMatchObject({
      n: 1,
      operation: "PutObject",
      method: "PUT",
      url: `/${bucket()}/k`,
      key: "k",
      awsChunked: false,
      bodyBytes: 5,
      bodySha256: createHash("sha256").update("hello").digest("hex"),
      headers: { "content-md5": MD5_OF_HELLO.toString("base64"), "x-amz-meta-a": "1" },
      status: 200,
      outcome: "answered",
    });
    await standIn.control.clearRequests();
    expect(await standIn.control.requests()).toEqual([]);
  });
});
