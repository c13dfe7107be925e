import { randomBytes } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { TestContext } from "vitest";
import { type S3Control, startS3 } from "../../sandbox/s3/start.ts";
import { realServer, type S3Server } from "../contract/s3-servers.ts";

/** Everything the archiver writes lies below this. */
export const PREFIX = "nightly";

export interface StoredVersion {
  /** Below the prefix. */
  readonly key: string;
  readonly versionId: string;
  /** A delete marker hides what is there and removes nothing. */
  readonly isMarker: boolean;
}

/** A bucket with object lock, read and written past the program through S3 alone. Keys are below the prefix. */
export class LockedBucket {
  readonly server: S3Server;
  /** What the archiver is told that the store is. */
  readonly profile: "aws" | "generic";
  /** Of the stand-in: its request log and its faults. */
  readonly control: S3Control | undefined;
  readonly #client: S3Client;

  constructor(server: S3Server, profile: "aws" | "generic", control?: S3Control) {
    this.server = server;
    this.profile = profile;
    this.control = control;
    const { endpoint, region, account } = server;
    const { accessKeyId, secretAccessKey } = account;
    this.#client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
  }

  /** What to set `ARCHIVER_STORE` to. */
  get url(): string {
    return `s3://${this.server.bucket}/${PREFIX}`;
  }

  /** The key as the store has it. */
  keyOf(key: string): string {
    return `${PREFIX}/${key}`;
  }

  /** Every version below a prefix, delete markers included. No test here has more than a page of them. */
  async versions(prefix: string): Promise<readonly StoredVersion[]> {
    const { Versions = [], DeleteMarkers = [] } = await this.#client.send(
      new ListObjectVersionsCommand({ Bucket: this.server.bucket, Prefix: this.keyOf(prefix) }),
    );
    const shown =
      (isMarker: boolean) => (version: { Key?: string | undefined; VersionId?: string | undefined }) => ({
        key: (version.Key ?? "").slice(PREFIX.length + 1),
        versionId: version.VersionId ?? "",
        isMarker,
      });
    return [...Versions.map(shown(false)), ...DeleteMarkers.map(shown(true))];
  }

  /** The keys below a prefix, sorted. */
  async keys(prefix: string): Promise<readonly string[]> {
    return [...new Set((await this.versions(prefix)).map(({ key }) => key))].sort();
  }

  async json(key: string): Promise<Record<string, unknown>> {
    const { Body } = await this.#client.send(
      new GetObjectCommand({ Bucket: this.server.bucket, Key: this.keyOf(key) }),
    );
    return JSON.parse((await Body?.transformToString()) ?? "") as Record<string, unknown>;
  }

  async put(key: string, document: object): Promise<void> {
    const Body = JSON.stringify(document);
    await this.#client.send(new PutObjectCommand({ Bucket: this.server.bucket, Key: this.keyOf(key), Body }));
  }

  /** The lock and the tags of one version, which must have a lock. */
  async protection({ key, versionId }: StoredVersion) {
    const version = { Bucket: this.server.bucket, Key: this.keyOf(key), VersionId: versionId };
    const { Retention } = await this.#client.send(new GetObjectRetentionCommand(version));
    const { TagSet = [] } = await this.#client.send(new GetObjectTaggingCommand(version));
    return {
      mode: Retention?.Mode,
      untilMs: Retention?.RetainUntilDate?.getTime() ?? 0,
      tags: Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value])),
    };
  }

  async make(): Promise<void> {
    const { bucket: Bucket } = this.server;
    await this.#client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  }

  /** With everything in it, past governance locks. */
  async remove(): Promise<void> {
    const { bucket: Bucket } = this.server;
    for (const { key, versionId: VersionId } of await this.versions("")) {
      const version = { Bucket, Key: this.keyOf(key), VersionId };
      await this.#client.send(new DeleteObjectCommand({ ...version, BypassGovernanceRetention: true }));
    }
    await this.#client.send(new DeleteBucketCommand({ Bucket }));
  }

  close(): void {
    this.#client.destroy();
  }
}

/** A bucket of this test's own on the stand-in. */
export async function openStandInBucket({
  onTestFinished,
}: Pick<TestContext, "onTestFinished">): Promise<LockedBucket> {
  const standIn = await startS3({
    profile: "aws",
    settings: { buckets: [{ name: "locked", versioning: true, objectLock: {} }] },
  });
  const bucket = new LockedBucket(standIn, "aws", standIn.control);
  onTestFinished(async () => {
    bucket.close();
    await standIn.stop();
  });
  return bucket;
}

/** A bucket of this test's own on the server that `S3_ENDPOINT` names. */
export async function openRealBucket({
  onTestFinished,
}: Pick<TestContext, "onTestFinished">): Promise<LockedBucket> {
  const server = realServer();
  if (server === undefined) {
    throw new Error("S3_ENDPOINT names no server");
  }
  const name = `retention-test-${randomBytes(6).toString("hex")}`;
  const bucket = new LockedBucket({ ...server, bucket: name }, "generic");
  await bucket.make();
  onTestFinished(async () => {
    await bucket.remove();
    bucket.close();
  });
  return bucket;
}
