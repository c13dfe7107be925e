import { createHash } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterEach, describe, expect, test } from "vitest";
import { type S3Options, type S3StandIn, startS3 } from "./start.ts";
import { clientFor } from "./testing/client.ts";
import { sendRaw } from "./testing/raw.ts";

let standIn: S3StandIn;
let client: S3Client;
afterEach(async () => {
  client.destroy();
  await standIn.stop();
});

async function start(options: S3Options): Promise<void> {
  standIn = await startS3(options);
  client = clientFor(standIn, { requestChecksumCalculation: "WHEN_REQUIRED" });
}

const at = (Key = "k") => ({ Bucket: standIn.bucket, Key });

async function put(more: Partial<PutObjectCommandInput> = {}) {
  return await client.send(new PutObjectCommand({ ...at(), Body: "hello", ...more }));
}

async function completeOne(more: { IfNoneMatch?: string } = {}) {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(at()));
  const { ETag } = await client.send(
    new UploadPartCommand({ ...at(), UploadId, PartNumber: 1, Body: "part" }),
  );
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  return await client.send(
    new CompleteMultipartUploadCommand({ ...at(), UploadId, MultipartUpload, ...more }),
  );
}

describe("conditions", () => {
  test("If-None-Match lets one of many writers through", async () => {
    await start({ profile: "aws" });
    const writers = Array.from({ length: 8 }, async (_, index) =>
      put({ IfNoneMatch: "*", Body: `${index}` }),
    );
    const outcomes = await Promise.allSettled(writers);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const refusals = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    expect(new Set(refusals.map(({ name }) => name))).toEqual(new Set(["PreconditionFailed"]));
    await expect(completeOne({ IfNoneMatch: "*" })).rejects.toMatchObject({ name: "PreconditionFailed" });
    expect((await standIn.control.state()).openUploads).toHaveLength(1);
  });

  test("If-Match holds a PUT to the ETag that was read", async () => {
    await start({ profile: "aws" });
    await expect(put({ IfMatch: '"x"' })).rejects.toMatchObject({ name: "NoSuchKey" });
    const { ETag } = await put();
    const changed = await put({ IfMatch: ETag, Body: "second" });
    await expect(put({ IfMatch: ETag })).rejects.toMatchObject({ name: "PreconditionFailed" });
    await put({ IfMatch: changed.ETag?.replaceAll('"', "") });
  });

  test("a store may not read them", async () => {
    await start({ profile: "obs" });
    await put();
    await put({ IfNoneMatch: "*" });
    await put({ IfMatch: '"x"' });
    await completeOne({ IfNoneMatch: "*" });
  });

  test("or refuse them, for PUT and completion apart", async () => {
    await start({ profile: "generic-poorest", settings: { createOncePut: "supported" } });
    await put({ IfNoneMatch: "*" });
    await expect(completeOne({ IfNoneMatch: "*" })).rejects.toMatchObject({ name: "NotImplemented" });
    await expect(put({ IfMatch: '"x"' })).rejects.toMatchObject({ name: "NotImplemented" });
  });

  test("a read may be conditional too", async () => {
    await start({ profile: "aws" });
    const { ETag } = await put();
    const read = async (more: { IfMatch?: string; IfNoneMatch?: string }) =>
      client.send(new GetObjectCommand({ ...at(), ...more }));
    await expect(read({ IfMatch: '"x"' })).rejects.toMatchObject({ name: "PreconditionFailed" });
    await expect(read({ IfNoneMatch: ETag ?? "" })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
  });
});

describe("lists", () => {
  const KEYS = ["a/1", "a/2", "a/b/3", "c &<ü>+", "d", "😀", "\uff5e"];
  /** In UTF-8 the emoji, a surrogate pair in UTF-16, comes last. */
  const SORTED = ["a/1", "a/2", "a/b/3", "c &<ü>+", "d", "\uff5e", "😀"];

  async function listAll(
    more: { Prefix?: string; Delimiter?: string; MaxKeys?: number; StartAfter?: string } = {},
  ) {
    const keys: (string | undefined)[] = [];
    let pages = 0;
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({
          Bucket: standIn.bucket,
          ...more,
          ...(ContinuationToken && { ContinuationToken }),
        }),
      );
      keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
      keys.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => `[${Prefix}]`));
      pages += 1;
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined && pages < 20);
    return { keys, pages };
  }

  test("show every key once, in the order of UTF-8, however small the pages", async () => {
    await start({ profile: "aws", settings: { maxPageEntries: 2 } });
    for (const Key of KEYS) {
      await put({ Key });
    }
    expect(await listAll()).toEqual({ keys: SORTED, pages: 4 });
    await standIn.control.changeSettings({ maxPageEntries: 1000 });
    expect(await listAll({ MaxKeys: 7 })).toEqual({ keys: SORTED, pages: 1 });
    expect((await listAll({ StartAfter: "a/b/3" })).keys).toEqual(SORTED.slice(3));
    expect((await listAll({ Prefix: "a/" })).keys).toEqual(SORTED.slice(0, 3));
    expect(await listAll({ Delimiter: "/", MaxKeys: 1 })).toEqual({
      keys: ["[a/]", "c &<ü>+", "d", "\uff5e", "😀"],
      pages: 5,
    });
    expect((await listAll({ Delimiter: "/", Prefix: "a/" })).keys).toEqual(["a/1", "a/2", "[a/b/]"]);
  });

  test("of version 1 go on after a key, which is named where keys are grouped", async () => {
    await start({ profile: "aws", settings: { maxPageEntries: 2 } });
    for (const Key of KEYS) {
      await put({ Key });
    }
    const list = async (more: { Marker?: string; Delimiter?: string }) => {
      const page = await client.send(new ListObjectsCommand({ Bucket: standIn.bucket, ...more }));
      return [(page.Contents ?? []).map(({ Key }) => Key), page.IsTruncated, page.NextMarker];
    };
    expect(await list({})).toEqual([SORTED.slice(0, 2), true, undefined]);
    expect(await list({ Marker: "a/b/3" })).toEqual([SORTED.slice(3, 5), true, undefined]);
    expect(await list({ Marker: "d" })).toEqual([SORTED.slice(5), false, undefined]);
    expect(await list({ Delimiter: "/" })).toEqual([["c &<ü>+"], true, "c &<ü>+"]);
  });

  test("may be of version 1 whatever is asked for, and never encoded", async () => {
    await start({ profile: "obs", settings: { maxPageEntries: 2 } });
    for (const Key of KEYS) {
      await put({ Key });
    }
    const asked = { Bucket: standIn.bucket, ContinuationToken: "x", EncodingType: "url" } as const;
    const page = await client.send(new ListObjectsV2Command(asked));
    expect(page).toMatchObject({ IsTruncated: true, Contents: [{ Key: "a/1" }, { Key: "a/2" }] });
    expect([page.NextContinuationToken, page.KeyCount, page.EncodingType]).toEqual(Array(3).fill(undefined));
    const after = { Bucket: standIn.bucket, Marker: "a/2", EncodingType: "url" } as const;
    expect(await client.send(new ListObjectsCommand(after))).toMatchObject({
      Contents: [{ Key: "a/b/3" }, { Key: "c &<ü>+" }],
      NextMarker: "c &<ü>+",
    });
  });

  test("encode keys on request", async () => {
    await start({ profile: "aws" });
    await put({ Key: "a/b c+ü" });
    const page = await client.send(new ListObjectsV2Command({ Bucket: standIn.bucket, EncodingType: "url" }));
    expect(page.Contents?.[0]?.Key).toBe("a/b%20c%2B%C3%BC");
  });

  test("refuse a token they did not give", async () => {
    await start({ profile: "aws" });
    const list = new ListObjectsV2Command({ Bucket: standIn.bucket, ContinuationToken: "!" });
    await expect(client.send(list)).rejects.toMatchObject({ name: "InvalidArgument" });
  });

  test("page through open uploads, several of one key too", async () => {
    await start({ profile: "aws", settings: { maxPageEntries: 2 } });
    const expected: string[] = [];
    for (const key of ["b", "a", "a", "a", "other"]) {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(at(`x/${key}`)));
      expected.push(`x/${key} ${UploadId}`);
    }
    await client.send(new CreateMultipartUploadCommand(at("y")));
    const found: string[] = [];
    let markers: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    while (markers !== undefined) {
      const page: ListMultipartUploadsCommandOutput = await client.send(
        new ListMultipartUploadsCommand({ Bucket: standIn.bucket, Prefix: "x/", ...markers }),
      );
      found.push(...(page.Uploads ?? []).map(({ Key, UploadId }) => `${Key} ${UploadId}`));
      const { IsTruncated, NextKeyMarker = "", NextUploadIdMarker = "" } = page;
      markers = IsTruncated ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : undefined;
    }
    expect(found).toHaveLength(5);
    expect(found.toSorted()).toEqual(expected.toSorted());
  });
});

describe("versions and locks", () => {
  const versioned = { name: "archive", versioning: true };

  test("every write is a version; a delete hides, a delete of the version removes", async () => {
    await start({ settings: { buckets: [versioned] } });
    const first = await put({ Body: "1" });
    const second = await put({ Body: "2" });
    expect(first.VersionId).not.toBe(second.VersionId);
    const old = await client.send(new GetObjectCommand({ ...at(), VersionId: first.VersionId }));
    expect(await old.Body?.transformToString()).toBe("1");
    const hidden = await client.send(new DeleteObjectCommand(at()));
    expect(hidden.DeleteMarker).toBe(true);
    await expect(client.send(new HeadObjectCommand(at()))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
    await client.send(new DeleteObjectCommand({ ...at(), VersionId: hidden.VersionId }));
    const head = await client.send(new HeadObjectCommand(at()));
    expect(head.VersionId).toBe(second.VersionId);
    const missing = client.send(new GetObjectCommand({ ...at(), VersionId: "none" }));
    await expect(missing).rejects.toMatchObject({ name: "NoSuchVersion" });
    const status = await client.send(new GetBucketVersioningCommand({ Bucket: standIn.bucket }));
    expect(status.Status).toBe("Enabled");
  });

  test("a locked version cannot be deleted before its time; a body for one needs a digest", async () => {
    const objectLock = { defaultRetention: { mode: "GOVERNANCE", days: 1 } } as const;
    await start({ settings: { buckets: [{ ...versioned, objectLock }] } });
    const bare = { method: "PUT", url: `/${standIn.bucket}/k`, body: "x" };
    expect((await sendRaw(standIn, bare)).code).toBe("InvalidRequest");
    const { VersionId } = await put({ ChecksumAlgorithm: "CRC32" });
    const remove = { ...at(), VersionId };
    await expect(client.send(new DeleteObjectCommand(remove))).rejects.toMatchObject({
      name: "AccessDenied",
    });
    await client.send(new DeleteObjectCommand(at()));
    const { Retention } = await client.send(new GetObjectRetentionCommand(remove));
    expect(Retention?.Mode).toBe("GOVERNANCE");
    const later = { Mode: "COMPLIANCE", RetainUntilDate: new Date(Date.now() + 1e9) } as const;
    const longer = new PutObjectRetentionCommand({
      ...remove,
      Retention: later,
      BypassGovernanceRetention: true,
    });
    await client.send(longer);
    const bypass = new DeleteObjectCommand({ ...remove, BypassGovernanceRetention: true });
    await expect(client.send(bypass)).rejects.toMatchObject({ name: "AccessDenied" });
    const rules = await client.send(new GetObjectLockConfigurationCommand({ Bucket: standIn.bucket }));
    expect(rules.ObjectLockConfiguration?.Rule?.DefaultRetention).toEqual({ Mode: "GOVERNANCE", Days: 1 });
  });

  test("a multipart object is locked as well", async () => {
    await start({ settings: { buckets: [{ ...versioned, objectLock: {} }] } });
    const ObjectLockRetainUntilDate = new Date(Date.now() + 1e9);
    const create = { ...at(), ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate } as const;
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(create));
    const part = { ...at(), UploadId, PartNumber: 1, Body: "x" };
    await expect(client.send(new UploadPartCommand(part))).rejects.toMatchObject({ name: "InvalidRequest" });
    const ContentMD5 = createHash("md5").update(part.Body).digest("base64");
    const { ETag } = await client.send(new UploadPartCommand({ ...part, ContentMD5 }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await client.send(new CompleteMultipartUploadCommand({ ...at(), UploadId, MultipartUpload }));
    const head = await client.send(new HeadObjectCommand(at()));
    expect(head.ObjectLockMode).toBe("COMPLIANCE");
  });

  test("tags come back", async () => {
    await start({});
    await put({ Tagging: "a=1&b=%26" });
    const tags = async () => (await client.send(new GetObjectTaggingCommand(at()))).TagSet;
    expect(await tags()).toEqual([
      { Key: "a", Value: "1" },
      { Key: "b", Value: "&" },
    ]);
    await client.send(
      new PutObjectTaggingCommand({ ...at(), Tagging: { TagSet: [{ Key: "<c>", Value: "2" }] } }),
    );
    expect(await tags()).toEqual([{ Key: "<c>", Value: "2" }]);
  });

  test("no tags are an empty set, or no set", async () => {
    await start({});
    await put();
    const tags = async () => (await client.send(new GetObjectTaggingCommand(at()))).TagSet;
    expect(await tags()).toEqual([]);
    await standIn.control.changeSettings({ noTags: "no-such-tag-set" });
    await expect(tags()).rejects.toMatchObject({ name: "NoSuchTagSet", $metadata: { httpStatusCode: 404 } });
  });
});

describe("buckets", () => {
  test("say where they are, or that they are not", async () => {
    await start({ profile: "obs" });
    const Bucket = standIn.bucket;
    expect((await client.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe("cn-north-4");
    expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBe(
      "cn-north-4",
    );
    await expect(client.send(new HeadBucketCommand({ Bucket: "none" }))).rejects.toMatchObject({
      name: "NotFound",
    });
  });

  test("can be named by the host", async () => {
    await start({});
    const host = `${standIn.bucket}.localhost:${new URL(standIn.endpoint).port}`;
    const answer = await sendRaw(standIn, { method: "PUT", url: "/a/b", headers: { host }, body: "x" });
    expect(answer.status).toBe(200);
    expect((await standIn.control.state()).objects[0]).toMatchObject({ bucket: standIn.bucket, key: "a/b" });
  });
});
