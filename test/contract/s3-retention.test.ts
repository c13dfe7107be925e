import { createHash, randomBytes } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { describe, expect, onTestFinished, test } from "vitest";
import type { StoredObject } from "../../lib/ports/object-store.ts";
import { parseRetentionPolicy } from "../../lib/retention/policy.ts";
import { type RetainReport, retainObject, retainSweep } from "../../lib/retention/retain.ts";
import type { S3StoreOptions } from "../../lib/store/s3/client.ts";
import type { S3Store } from "../../lib/store/s3/s3-store.ts";
import { S3Control } from "../../sandbox/s3/control-client.ts";
import type { S3SettingsInput } from "../../sandbox/s3/settings.ts";
import { type S3ProfileName, startS3 } from "../../sandbox/s3/start.ts";
import { realClock, realRandom } from "./clocks.ts";
import { realServer, type S3Server, storeOn } from "./s3-servers.ts";
import { bytesOf, collect, put } from "./store-helpers.ts";

const { signal } = new AbortController();
const HOUR_MS = 3_600_000;
const ID = "night-01";
const REVISION = "fe8e44f7";
const KEY = `exports/project/default/2026/11/22/${ID}/${REVISION}-0a1b2c.zip`;
const BODY = bytesOf(10_000);
const SCOPE = { projectId: "project", instanceId: undefined };

interface Bench {
  readonly store: S3Store;
  readonly server: S3Server;
}

async function standIn(
  profile: S3StoreOptions["profile"],
  plays: S3ProfileName,
  bucket: NonNullable<S3SettingsInput["buckets"]>[number],
): Promise<Bench> {
  const server = await startS3({ profile: plays, settings: { buckets: [bucket] } });
  onTestFinished(() => server.stop());
  const store = storeOn(server, { profile, bucket: bucket.name });
  onTestFinished(() => store.close());
  return { store, server: { ...server, bucket: bucket.name } };
}

function clientOf({ endpoint, region, account }: S3Server): S3Client {
  const { accessKeyId, secretAccessKey } = account;
  const credentials = { accessKeyId, secretAccessKey };
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials });
}

/** A bucket with object lock on the real server, emptied past its locks at the end. */
async function realBench(): Promise<Bench> {
  const real = realServer();
  if (real === undefined) {
    throw new Error("no real server");
  }
  const server = { ...real, bucket: `lock-test-${randomBytes(6).toString("hex")}` };
  const client = clientOf(server);
  await client.send(new CreateBucketCommand({ Bucket: server.bucket, ObjectLockEnabledForBucket: true }));
  onTestFinished(async () => {
    const { Versions = [], DeleteMarkers = [] } = await client.send(
      new ListObjectVersionsCommand({ Bucket: server.bucket }),
    );
    for (const { Key, VersionId } of [...Versions, ...DeleteMarkers]) {
      const version = { Bucket: server.bucket, Key, VersionId };
      await client.send(new DeleteObjectCommand({ ...version, BypassGovernanceRetention: true }));
    }
    await client.send(new DeleteBucketCommand({ Bucket: server.bucket }));
    client.destroy();
  });
  const store = storeOn(server, { profile: "generic" });
  onTestFinished(() => store.close());
  return { store, server };
}

const LOCKED = { name: "locked", versioning: true, objectLock: {} };
const LOCKING: readonly (readonly [string, () => Promise<Bench>])[] = [
  ["aws", () => standIn("aws", "aws", LOCKED)],
  ["generic", () => standIn("generic", "generic-rich", LOCKED)],
  ...(realServer() === undefined ? [] : [["a real server", realBench] as const]),
];

/** The next whole second, this many hours from now. */
function inHours(hours: number): number {
  return Math.ceil((Date.now() + hours * HOUR_MS) / 1000) * 1000;
}

/** An archived export with its record, as an archive run leaves it. */
async function archive(store: S3Store, archivedAtMs = Date.now()): Promise<StoredObject> {
  const stored = await put(store, KEY, BODY);
  const archivedAt = new Date(archivedAtMs).toISOString();
  const record = {
    schemaVersion: 1,
    idempotencyKey: `iotda:project:default:${ID}:${REVISION}`,
    projectId: "project",
    instanceId: null,
    exportTaskId: ID,
    revision: REVISION,
    object: { ...stored, sha256: createHash("sha256").update(BODY).digest("hex") },
    source: { export_task_id: ID },
    verification: { level: "read-back", container: "members" },
    downloadedAt: archivedAt,
    archivedAt,
    runId: "run-1",
    attempts: 0,
  };
  const key = `records/project/default/${ID}/${REVISION}/archived.json`;
  await store.putDocument(key, JSON.stringify(record), { kind: "always" }, { signal });
  return stored;
}

describe.each(LOCKING)("a bucket with object lock: %s", (_name, open) => {
  test("locks and tags one version, extends its lock, and refuses to shorten or pass it", async () => {
    const { store } = await open();
    expect(await store.retentionAbilities({ signal })).toEqual({ canLock: true, canTag: true });
    const object = await put(store, KEY, BODY);
    expect(object.versionId).toBeDefined();
    expect(await store.readProtection(object, { signal })).toEqual({
      lock: undefined,
      legalHold: false,
      tags: {},
    });
    const lock = { mode: "governance", untilMs: inHours(1) } as const;
    await store.lockVersion(object, lock, { signal });
    const tags = { "archiver-rule": "a b", other: "2026-11-24T00:00:00.000Z" };
    await store.tagVersion(object, tags, { signal });
    expect(await store.readProtection(object, { signal })).toEqual({ lock, legalHold: false, tags });

    await expect(store.removeVersion(object, { signal })).rejects.toMatchObject({ code: "store-forbidden" });
    const shorter = { ...lock, untilMs: lock.untilMs - 60_000 };
    await expect(store.lockVersion(object, shorter, { signal })).rejects.toMatchObject({
      code: "store-forbidden",
    });
    const longer = { ...lock, untilMs: lock.untilMs + 60_000 };
    await store.lockVersion(object, longer, { signal });
    expect(await store.readProtection(object, { signal })).toMatchObject({ lock: longer });
    expect(Buffer.concat(await collect(store.readVersion(object, { signal }))).equals(BODY)).toBe(true);
  });

  test("reads and removes the recorded version, not the newest one", async () => {
    const { store, server } = await open();
    const object = await put(store, KEY, BODY);
    const client = clientOf(server);
    onTestFinished(() => client.destroy());
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: server.bucket }));
    const Key = Versions.find((version) => version.Key?.endsWith(KEY))?.Key ?? "";
    await client.send(new PutObjectCommand({ Bucket: server.bucket, Key, Body: "another" }));
    expect(Buffer.concat(await collect(store.readVersion(object, { signal }))).equals(BODY)).toBe(true);
    await store.removeVersion(object, { signal });
    expect(await store.readProtection(object, { signal })).toBeUndefined();
    await expect(collect(store.readVersion(object, { signal }))).rejects.toMatchObject({
      code: "store-copy-differs",
    });
    await store.removeVersion(object, { signal });
    const left = await client.send(new ListObjectVersionsCommand({ Bucket: server.bucket, Prefix: Key }));
    expect(left.Versions).toHaveLength(1);
    expect(left.DeleteMarkers ?? []).toEqual([]);
  });

  test("an archived export ends locked and tagged; duplicate and reordered events apply once", async () => {
    const { store } = await open();
    const ports = { store, clock: realClock, random: realRandom, observe: () => undefined };
    const policy = parseRetentionPolicy(
      JSON.stringify({
        schemaVersion: 1,
        default: { keepDays: 30, lock: "governance", storageClass: "GLACIER_IR" },
      }),
    );
    const settings = { scope: SCOPE, policy, maxRemovals: 1, downloadIntervalMs: 31_000 };
    const object = await archive(store);
    const reports: RetainReport[] = [];
    for (let event = 0; event < 3; event += 1) {
      reports.push(await retainObject(ports, settings, KEY, { signal }));
    }
    reports.push(await retainSweep(ports, settings, { signal }));
    expect(reports.map(({ counts }) => counts)).toEqual([
      { retained: 1 },
      { "up-to-date": 1 },
      { "up-to-date": 1 },
      { "up-to-date": 1 },
    ]);
    const protection = await store.readProtection(object, { signal });
    expect(protection).toMatchObject({
      lock: { mode: "governance" },
      tags: { "archiver-rule": "default", "archiver-storage-class": "GLACIER_IR" },
    });
    expect((protection?.lock?.untilMs ?? 0) - Date.now()).toBeGreaterThan(29.9 * 24 * HOUR_MS);
    const folder = `records/project/default/${ID}/${REVISION}/`;
    const keys = (await collect(store.list(folder, { signal }))).map(({ key }) => key.slice(folder.length));
    expect(keys.sort()).toEqual(["archived.json", "retained.json"]);
  });
});

test.each([
  ["keeps tags without lock", "generic", "generic-rich", true],
  ["OBS, whose locks are not S3's", "obs", "obs", true],
] as const)("a bucket without lock: %s", async (_name, profile, plays, canTag) => {
  const { store } = await standIn(profile, plays, { name: "plain" });
  expect(await store.retentionAbilities({ signal })).toEqual({ canLock: false, canTag });
  const object = await put(store, KEY, BODY);
  expect(object.versionId).toBeUndefined();
  expect(await store.readProtection(object, { signal })).toEqual({
    lock: undefined,
    legalHold: false,
    tags: {},
  });
  await store.tagVersion(object, { a: "1" }, { signal });
  expect(await store.readProtection(object, { signal })).toMatchObject({ lock: undefined, tags: { a: "1" } });
  const lock = { mode: "governance", untilMs: inHours(1) } as const;
  await expect(store.lockVersion(object, lock, { signal })).rejects.toMatchObject({
    code: "store-misconfigured",
  });
  await store.removeVersion(object, { signal });
  expect(await store.head(KEY, { signal })).toBeUndefined();
});

test.each(["NoSuchTagSet", "NoSuchTagSetError"])(
  "a store that knows tags may say %s of none",
  async (code) => {
    const { store, server } = await standIn("generic", "generic-rich", { name: "plain" });
    const object = await put(store, KEY, BODY);
    const answer = { kind: "status", status: 404, code } as const;
    const control = new S3Control(server.endpoint);
    await control.scriptFaults({ operation: "GetObjectTagging", times: 2, fault: answer });
    expect(await store.retentionAbilities({ signal })).toEqual({ canLock: false, canTag: true });
    expect(await store.readProtection(object, { signal })).toMatchObject({ tags: {} });
    const gone = { ...answer, code: "NoSuchKey" };
    await control.scriptFaults({ operation: "GetObjectTagging", fault: gone });
    await expect(store.readProtection(object, { signal })).rejects.toMatchObject({
      code: "store-copy-differs",
    });
  },
);

test("an object from before the bucket kept versions goes for good, one that was written again stays", async () => {
  const { store, server } = await standIn("generic", "generic-rich", { name: "plain" });
  const before = await put(store, KEY, BODY);
  await new S3Control(server.endpoint).changeSettings({ buckets: [{ name: "plain", versioning: true }] });
  await store.removeVersion(before, { signal });
  expect(await store.head(KEY, { signal })).toBeUndefined();
  const later = await put(store, KEY.replace("0a1b2c", "ffffff"), BODY);
  expect(later.versionId).toBeDefined();
  await expect(store.removeVersion({ key: later.key }, { signal })).rejects.toMatchObject({
    code: "store-copy-differs",
  });
});

test("nothing but exports is ever removed", async () => {
  const { store } = await standIn("aws", "aws", { name: "plain" });
  const key = "records/a.json";
  await store.putDocument(key, "{}", { kind: "always" }, { signal });
  await expect(store.removeVersion({ key }, { signal })).rejects.toMatchObject({
    code: "store-misconfigured",
  });
  expect(await store.head(key, { signal })).toBeDefined();
});
