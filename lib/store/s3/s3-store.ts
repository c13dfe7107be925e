import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { formatOtherSize } from "../../domain/format-bytes.ts";
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
import type { OpenUpload, StoreSweeper } from "../../ports/store-sweeper.ts";
import { copyDiffers, misuse, NO_DIGEST } from "../store-errors.ts";
import { S3Bucket } from "./bucket.ts";
import { makeS3Client, type S3StoreOptions, type S3StoreParts } from "./client.ts";
import { abortUploads, listObjects, listUploads } from "./listing.ts";
import { abortUpload } from "./multipart.ts";
import { getDocument, headObject, putDocument, readObject } from "./objects.ts";
import { PartPool } from "./part-pool.ts";
import { PROBE_KEY, probeS3Store } from "./preflight.ts";
import type { ConditionSupport, S3Profile } from "./profiles.ts";
import { S3Retention } from "./retention.ts";
import { S3Upload } from "./s3-upload.ts";
import { readStoreClockMs } from "./store-clock.ts";

/**
 * An object store in a bucket of S3, OBS or a store that speaks S3. Make one per process: its buffers are the
 * process's whole share (promise I7). Every method throws {@link StoreError}, or the signal's reason.
 */
export class S3Store extends S3Retention implements ObjectStore, StoreSweeper {
  readonly #bucket: S3Bucket;
  readonly #pool: PartPool;
  /** Until the first preflight, what the profile promises. */
  #abilities: ReturnType<typeof inForce>;

  /**
   * Sends nothing yet.
   *
   * @throws StoreError `store-misconfigured` for Huawei credentials that were not given.
   */
  constructor(options: S3StoreOptions, parts: S3StoreParts) {
    const bucket = new S3Bucket(makeS3Client(options, parts), options, parts);
    super(bucket);
    this.#bucket = bucket;
    this.#pool = new PartPool({ partSizeBytes: options.partSizeBytes, partCount: options.partsInFlight });
    this.#abilities = inForce(bucket.profile, { createOnce: false, compareAndSwap: false });
  }

  async preflight({ signal }: CallOptions): Promise<StoreAbilities> {
    return this.assume(await probeS3Store(this.#bucket, signal));
  }

  assume(found: FoundAbilities): StoreAbilities {
    this.#abilities = inForce(this.#bucket.profile, found);
    return this.#abilities;
  }

  async readClockMs({ signal }: CallOptions): Promise<number> {
    return await readStoreClockMs(this.#bucket, PROBE_KEY, signal);
  }

  async openUpload(key: string, options: OpenUploadOptions): Promise<Upload> {
    const { createOnce: put, createOnceAtCompletion: completion } = this.#abilities;
    const target = { bucket: this.#bucket, key, canCreateOnce: { put, completion } };
    return await S3Upload.open({ ...options, ...target, pool: this.#pool });
  }

  async head(key: string, { signal }: CallOptions): Promise<ObjectInfo | undefined> {
    const head = await headObject(this.#bucket, key, signal);
    if (head === undefined) {
      return undefined;
    }
    const { metadata: _notPartOfTheFacts, ...info } = head;
    return info;
  }

  async confirmStored(object: StoredObject, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted();
    if (this.#bucket.profile.verification !== "stored") {
      throw new StoreError(NO_DIGEST, object.key);
    }
    const head = await headObject(this.#bucket, object.key, signal);
    if (head === undefined) {
      throw new StoreError(copyDiffers("there is no object"), object.key);
    }
    if (head.sizeBytes !== object.sizeBytes) {
      throw new StoreError(copyDiffers(formatOtherSize(head.sizeBytes, object.sizeBytes)), object.key);
    }
    if (head.checksum === undefined || head.checksum !== object.checksum) {
      throw new StoreError(copyDiffers("its CRC32 is another, or missing"), object.key);
    }
  }

  read(key: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    return readObject(this.#bucket, key, options);
  }

  async *list(prefix: string, { signal }: CallOptions): AsyncGenerator<ListedObject> {
    for await (const object of listObjects(this.#bucket, prefix, signal)) {
      if (object.key !== PROBE_KEY) {
        yield object;
      }
    }
  }

  async abortUploadsUnder(prefix: string, { signal }: CallOptions): Promise<number> {
    return await abortUploads(this.#bucket, { prefix }, signal);
  }

  async getDocument(key: string, { signal }: CallOptions): Promise<StoredDocument | undefined> {
    return await getDocument(this.#bucket, key, signal);
  }

  async putDocument(
    key: string,
    text: string,
    condition: WriteCondition,
    { signal }: CallOptions,
  ): Promise<{ readonly etag: string } | "conflict"> {
    const { createOnce, compareAndSwap } = this.#abilities;
    const isKept = { always: true, "if-absent": createOnce, "if-match": compareAndSwap };
    // A store may ignore the header in silence.
    if (!isKept[condition.kind]) {
      throw new StoreError(misuse("this store ignores conditions of writes"), key);
    }
    return await putDocument(this.#bucket, key, text, condition, signal);
  }

  listUploads(prefix: string, { signal }: CallOptions): AsyncGenerator<OpenUpload> {
    return listUploads(this.#bucket, prefix, signal);
  }

  async abortUpload(key: string, uploadId: string, { signal }: CallOptions): Promise<boolean> {
    return await abortUpload(this.#bucket, { key, uploadId }, signal);
  }

  async removeObject(key: string, { signal }: CallOptions): Promise<void> {
    const command = new DeleteObjectCommand(this.#bucket.object(key));
    await this.#bucket.send({ operation: "DeleteObject", subject: key, signal }, command, () => true);
  }

  /** Ends the connections kept open; to be called once nothing is under way. */
  close(): void {
    this.#bucket.client.destroy();
  }
}

/** What was found counts only where the profile leaves it to trying. */
function inForce(profile: S3Profile, found: FoundAbilities): Required<Omit<StoreAbilities, "archiveId">> {
  const { conditionalPut, conditionalCompletion, verification } = profile;
  const holds = (support: ConditionSupport, isFound = false) =>
    support === "assumed" || (support === "probed" && isFound);
  return {
    createOnce: holds(conditionalPut, found.createOnce),
    compareAndSwap: holds(conditionalPut, found.compareAndSwap),
    createOnceAtCompletion: holds(conditionalCompletion, found.createOnceAtCompletion),
    verification,
  };
}
