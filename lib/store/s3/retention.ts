import {
  DeleteObjectCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import { unless } from "../../domain/promises.ts";
import { StoreError } from "../../ports/object-store.ts";
import type { CallOptions } from "../../ports/platform.ts";
import type {
  LockMode,
  ObjectVersion,
  RetentionAbilities,
  RetentionStore,
  VersionLock,
  VersionProtection,
} from "../../ports/retention-store.ts";
import { misuse, OBJECT_GONE, requireExport } from "../store-errors.ts";
import type { S3Bucket } from "./bucket.ts";
import { isMissingObject, readObject } from "./objects.ts";
import { PROBE_KEY } from "./preflight.ts";
import { S3Error } from "./s3-error.ts";

/** A version that is there; without an id, the only one of a bucket without versions. */
interface FoundVersion extends ObjectVersion {
  readonly versionId: string | undefined;
  readonly legalHold: boolean;
}

const MODES: Readonly<Record<LockMode, "GOVERNANCE" | "COMPLIANCE">> = {
  governance: "GOVERNANCE",
  compliance: "COMPLIANCE",
};
/** What stores answer that do not know an operation. */
const UNKNOWN_OPERATION: ReadonlySet<number | undefined> = new Set([405, 501]);
/** The names under which stores say that an object, or a bucket, has no lock. */
const NO_LOCK: ReadonlySet<string | undefined> = new Set([
  "NoSuchObjectLockConfiguration",
  "ObjectLockConfigurationNotFoundError",
]);
/** The names under which stores say, as a 404, that an object has no tags; S3 gives an empty set. */
const NO_TAGS: ReadonlySet<string | undefined> = new Set(["NoSuchTagSet", "NoSuchTagSetError"]);

const isUnknownOperation = (thrown: unknown) =>
  thrown instanceof S3Error && UNKNOWN_OPERATION.has(thrown.httpStatus);
const saysNoLock = (thrown: unknown) => thrown instanceof S3Error && NO_LOCK.has(thrown.s3Code);
const saysNoTags = (thrown: unknown) => thrown instanceof S3Error && NO_TAGS.has(thrown.s3Code);

/** Locks, tags and removals of single versions in a bucket. Never sends the header that bypasses governance. */
export class S3Retention implements RetentionStore {
  readonly #bucket: S3Bucket;
  #abilities: RetentionAbilities | undefined;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  async retentionAbilities({ signal }: CallOptions): Promise<RetentionAbilities> {
    const { objectLock } = this.#bucket.profile;
    this.#abilities ??= {
      canLock: objectLock === "probed" && (await this.#hasObjectLock(signal)),
      canTag: await this.#knowsTags(signal),
    };
    return this.#abilities;
  }

  async readProtection(version: ObjectVersion, options: CallOptions): Promise<VersionProtection | undefined> {
    const { canLock, canTag } = await this.retentionAbilities(options);
    const found = await this.#find(version, options.signal);
    if (found === undefined) {
      return undefined;
    }
    return {
      lock: canLock ? await this.#lockOf(found, options.signal) : undefined,
      legalHold: found.legalHold,
      tags: canTag ? await this.#tagsOf(found, options.signal) : {},
    };
  }

  async lockVersion(
    { key, versionId }: ObjectVersion,
    { mode, untilMs }: VersionLock,
    options: CallOptions,
  ): Promise<void> {
    if (!(await this.retentionAbilities(options)).canLock) {
      throw new StoreError(misuse("this store cannot lock objects"));
    }
    const command = new PutObjectRetentionCommand({
      ...this.#bucket.object(key, versionId),
      Retention: { Mode: MODES[mode], RetainUntilDate: new Date(untilMs) },
    });
    const request = { operation: "PutObjectRetention", subject: key, signal: options.signal };
    await this.#bucket.send(request, command, () => true);
  }

  async tagVersion(
    { key, versionId }: ObjectVersion,
    tags: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<void> {
    if (!(await this.retentionAbilities(options)).canTag) {
      throw new StoreError(misuse("this store cannot tag objects"));
    }
    const command = new PutObjectTaggingCommand({
      ...this.#bucket.object(key, versionId),
      Tagging: { TagSet: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
    });
    const request = { operation: "PutObjectTagging", subject: key, signal: options.signal };
    await this.#bucket.send(request, command, () => true);
  }

  readVersion({ key, versionId }: ObjectVersion, { signal }: CallOptions): AsyncGenerator<Uint8Array> {
    return readObject(this.#bucket, key, { signal }, versionId);
  }

  async removeVersion(version: ObjectVersion, { signal }: CallOptions): Promise<void> {
    requireExport(version.key);
    const found = await this.#find(version, signal);
    if (found === undefined) {
      return;
    }
    const { key, versionId } = found;
    const command = new DeleteObjectCommand(this.#bucket.object(key, versionId));
    const removal = this.#bucket.send(
      { operation: "DeleteObject", subject: key, signal },
      command,
      () => true,
    );
    await unless(isMissingObject, removal, undefined);
  }

  /** Whether the bucket was made with object lock. Throws where access is denied: that is not an answer. */
  async #hasObjectLock(signal: AbortSignal): Promise<boolean> {
    const { bucket } = this.#bucket.options;
    const command = new GetObjectLockConfigurationCommand({ Bucket: bucket });
    const request = { operation: "GetObjectLockConfiguration", subject: bucket, signal };
    const read = this.#bucket.send(
      request,
      command,
      ({ ObjectLockConfiguration: found }) => found?.ObjectLockEnabled === "Enabled",
    );
    return await unless((thrown) => isUnknownOperation(thrown) || saysNoLock(thrown), read, false);
  }

  /** Whether the store knows tags; asked about a key that may have no object. */
  async #knowsTags(signal: AbortSignal): Promise<boolean> {
    const tags = unless(isMissingObject, this.#tagsOf({ key: PROBE_KEY }, signal), {});
    return (await unless(isUnknownOperation, tags, undefined)) !== undefined;
  }

  /**
   * The version a record means. One that was written before the bucket kept versions has the id `null` now:
   * removed without its id it would only be hidden. Any other id is another object than the recorded one.
   */
  async #find({ key, versionId }: ObjectVersion, signal: AbortSignal): Promise<FoundVersion | undefined> {
    const command = new HeadObjectCommand(this.#bucket.object(key, versionId));
    const head = this.#bucket.send({ operation: "HeadObject", subject: key, signal }, command, (answer) =>
      answer.ETag === undefined ? undefined : answer,
    );
    const answer = await unless(isMissingObject, head, undefined);
    if (answer === undefined) {
      return undefined;
    }
    const { VersionId, ObjectLockLegalHoldStatus } = answer;
    if (versionId === undefined && VersionId !== undefined && VersionId !== "null") {
      throw otherVersionError(key);
    }
    return { key, versionId: versionId ?? VersionId, legalHold: ObjectLockLegalHoldStatus === "ON" };
  }

  /** Asked for on its own, since HEAD leaves the lock out without permission to see it. */
  async #lockOf({ key, versionId }: ObjectVersion, signal: AbortSignal): Promise<VersionLock | undefined> {
    const command = new GetObjectRetentionCommand(this.#bucket.object(key, versionId));
    const request = { operation: "GetObjectRetention", subject: key, signal };
    const lock = this.#bucket.send(request, command, ({ Retention: retention }) => {
      const mode = (["governance", "compliance"] as const).find((name) => MODES[name] === retention?.Mode);
      const untilMs = retention?.RetainUntilDate?.getTime();
      return mode === undefined || untilMs === undefined ? undefined : { mode, untilMs };
    });
    return await unless(saysNoLock, lock, undefined);
  }

  /** None is not an error, however the store says it. */
  async #tagsOf(
    { key, versionId }: ObjectVersion,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>>> {
    const command = new GetObjectTaggingCommand(this.#bucket.object(key, versionId));
    const request = { operation: "GetObjectTagging", subject: key, signal };
    const tags = this.#bucket.send(request, command, ({ TagSet = [] }) =>
      Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value])),
    );
    return await unless(saysNoTags, tags, {});
  }
}

function otherVersionError(key: string): StoreError {
  const problem = "the record names no version, but the object has one";
  const hint =
    "A program wrote the object again after the bucket began to keep versions. Find out which one. Retention leaves the object alone.";
  return new StoreError({ ...OBJECT_GONE, retry: "never", problem, hint }, key);
}
