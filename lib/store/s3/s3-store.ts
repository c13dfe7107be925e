import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import {
  type FoundAbilities,
  type ListedObject,
  type ObjectInfo,
  type ObjectStore,
  type OpenUploadOptions,
  type ReadOptions,
  type StoreAbilities,
  type StoredDocument,
  type StoredObject,
  StoreError,
  type Upload,
  type WriteCondition,
} from "../../ports/object-store.ts";
import type { CallOptions } from "../../ports/platform.ts";
import type {
  ObjectVersion,
  RetentionAbilities,
  RetentionStore,
  VersionLock,
  VersionProtection,
} from "../../ports/retention-store.ts";
import type { OpenUpload, StoreSweeper } from "../../ports/store-sweeper.ts";
import { copyDiffers, misuse, NO_DIGEST } from "../store-errors.ts";
import {
  bucketKeyOf,
  makeS3Client,
  type S3Context,
  type S3StoreOptions,
  type S3StoreParts,
} from "./client.ts";
import { getDocument, putDocument } from "./documents.ts";
import { listObjects } from "./listing.ts";
import { abortUpload } from "./multipart.ts";
import { headObject, readObject } from "./objects.ts";
import { abortUploadsUnder, listUploads } from "./open-uploads.ts";
import { PartPool } from "./part-pool.ts";
import { PROBE_KEY, probeS3Store, type S3Abilities } from "./preflight.ts";
import { type ConditionSupport, S3_PROFILES } from "./profiles.ts";
import { S3RetentionStore } from "./retention-store.ts";
import { S3Caller } from "./s3-caller.ts";
import { S3Upload } from "./s3-upload.ts";
import { readStoreClockMs } from "./store-clock.ts";

const ABORT_DEADLINE_MS = 15_000;

/**
 * Makes the store; sends nothing yet. Make one per process: its buffers are the process's whole share
 * (promise I7).
 *
 * @throws StoreError `store-misconfigured` for Huawei credentials that were not given.
 */
export function createS3Store(options: S3StoreOptions, parts: S3StoreParts): S3Store {
  return new S3Store(options, parts);
}

/** An object store in a bucket of S3, OBS or a store that speaks S3. Every method throws {@link StoreError}, or the signal's reason. */
export class S3Store implements ObjectStore, StoreSweeper, RetentionStore {
  readonly #context: S3Context;
  readonly #parts: S3StoreParts;
  readonly #pool: PartPool;
  readonly #retention: S3RetentionStore;
  /** Of the last preflight. */
  #abilities: S3Abilities | undefined;

  constructor(options: S3StoreOptions, parts: S3StoreParts) {
    this.#parts = parts;
    this.#pool = new PartPool({ partSizeBytes: options.partSizeBytes, partCount: options.partsInFlight });
    this.#context = {
      client: makeS3Client(options, parts),
      caller: new S3Caller(parts),
      profile: S3_PROFILES[options.profile],
      options,
    };
    this.#retention = new S3RetentionStore(this.#context);
  }

  async preflight({ signal }: CallOptions): Promise<StoreAbilities> {
    this.#abilities = await probeS3Store(this.#context, signal);
    return this.#abilities;
  }

  assume(found: FoundAbilities): StoreAbilities {
    const { conditionalPut, conditionalCompletion, verification } = this.#context.profile;
    this.#abilities = {
      createOnce: isInForce(conditionalPut, found.createOnce),
      compareAndSwap: isInForce(conditionalPut, found.compareAndSwap),
      createOnceAtCompletion: isInForce(conditionalCompletion, found.createOnceAtCompletion),
      verification,
    };
    return this.#abilities;
  }

  async readClockMs({ signal }: CallOptions): Promise<number> {
    return await readStoreClockMs(this.#context, this.#parts.clock, PROBE_KEY, signal);
  }

  async openUpload(key: string, options: OpenUploadOptions): Promise<Upload> {
    const { metadata, expectedSizeBytes, signal } = options;
    const { conditionalPut, conditionalCompletion } = this.#context.profile;
    return await S3Upload.open({
      context: this.#context,
      pool: this.#pool,
      key,
      metadata,
      expectedSizeBytes,
      signal,
      canCreateOnce: {
        put: isRelied(conditionalPut, this.#abilities?.createOnce),
        completion: isRelied(conditionalCompletion, this.#abilities?.createOnceAtCompletion),
      },
      abortDeadlineMs: ABORT_DEADLINE_MS,
    });
  }

  async head(key: string, { signal }: CallOptions): Promise<ObjectInfo | undefined> {
    const head = await headObject(this.#context, key, signal);
    if (head === undefined) {
      return undefined;
    }
    const { metadata: _notPartOfTheFacts, ...info } = head;
    return info;
  }

  async confirmStored(object: StoredObject, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted();
    if (this.#context.profile.verification !== "stored") {
      throw new StoreError(NO_DIGEST, object.key);
    }
    const head = await headObject(this.#context, object.key, signal);
    if (head === undefined) {
      throw new StoreError(copyDiffers("there is no object"), object.key);
    }
    if (head.sizeBytes !== object.sizeBytes) {
      throw new StoreError(copyDiffers(`${head.sizeBytes} bytes instead of ${object.sizeBytes}`), object.key);
    }
    if (head.checksum === undefined || head.checksum !== object.checksum) {
      throw new StoreError(copyDiffers("its CRC32 is another, or missing"), object.key);
    }
  }

  async *read(key: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    yield* readObject(this.#context, key, options);
  }

  async *list(prefix: string, { signal }: CallOptions): AsyncGenerator<ListedObject> {
    for await (const object of listObjects(this.#context, prefix, signal)) {
      if (object.key !== PROBE_KEY) {
        yield object;
      }
    }
  }

  async abortUploadsUnder(prefix: string, { signal }: CallOptions): Promise<number> {
    return await abortUploadsUnder(this.#context, prefix, signal);
  }

  async getDocument(key: string, { signal }: CallOptions): Promise<StoredDocument | undefined> {
    return await getDocument(this.#context, key, signal);
  }

  async putDocument(
    key: string,
    text: string,
    condition: WriteCondition,
    { signal }: CallOptions,
  ): Promise<{ readonly etag: string } | "conflict"> {
    if (condition.kind !== "always" && !this.#keeps(condition.kind)) {
      throw new StoreError(misuse("this store ignores conditions of writes"), key);
    }
    return await putDocument(this.#context, key, text, condition, signal);
  }

  async *listUploads(prefix: string, { signal }: CallOptions): AsyncGenerator<OpenUpload> {
    yield* listUploads(this.#context, prefix, signal);
  }

  async abortUpload(key: string, uploadId: string, { signal }: CallOptions): Promise<boolean> {
    return await abortUpload(this.#context, { key, uploadId }, signal);
  }

  async removeObject(key: string, { signal }: CallOptions): Promise<void> {
    const { client, caller, options } = this.#context;
    const command = new DeleteObjectCommand({
      Bucket: options.bucket,
      Key: bucketKeyOf(this.#context, key),
    });
    await caller.call({ operation: "DeleteObject", subject: key }, signal, (http) =>
      client.send(command, http),
    );
  }

  async retentionAbilities(options: CallOptions): Promise<RetentionAbilities> {
    return await this.#retention.retentionAbilities(options);
  }

  async readProtection(version: ObjectVersion, options: CallOptions): Promise<VersionProtection | undefined> {
    return await this.#retention.readProtection(version, options);
  }

  async lockVersion(version: ObjectVersion, lock: VersionLock, options: CallOptions): Promise<void> {
    await this.#retention.lockVersion(version, lock, options);
  }

  async tagVersion(
    version: ObjectVersion,
    tags: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<void> {
    await this.#retention.tagVersion(version, tags, options);
  }

  async *readVersion(version: ObjectVersion, options: CallOptions): AsyncGenerator<Uint8Array> {
    yield* this.#retention.readVersion(version, options);
  }

  async removeVersion(version: ObjectVersion, options: CallOptions): Promise<void> {
    await this.#retention.removeVersion(version, options);
  }

  /** Ends the connections kept open; to be called once nothing is under way. */
  close(): void {
    this.#context.client.destroy();
  }

  /** Whether a conditional document write does what it says, as far as is known: a header may be ignored in silence. */
  #keeps(kind: "if-absent" | "if-match"): boolean {
    const found = kind === "if-absent" ? this.#abilities?.createOnce : this.#abilities?.compareAndSwap;
    return isRelied(this.#context.profile.conditionalPut, found);
  }
}

/** What was remembered counts only where the profile leaves it to trying. */
function isInForce(support: ConditionSupport, found: boolean | undefined): boolean {
  return support === "probed" ? found === true : support === "assumed";
}

function isRelied(support: ConditionSupport, found: boolean | undefined): boolean {
  return support === "assumed" || found === true;
}
