import { formatBytes } from "../../domain/format-bytes.ts";
import {
  type BodyProof,
  type OpenUploadOptions,
  type StoredObject,
  StoreError,
  type Upload,
} from "../../ports/object-store.ts";
import { proofMismatch, UNAVAILABLE, UPLOAD_GONE } from "../store-errors.ts";
import type { EffectWatch } from "./bucket.ts";
import { combineCrc32, DigestBuilder } from "./checksums.ts";
import { abortUploads } from "./listing.ts";
import {
  abortUpload,
  createUpload,
  joinParts,
  putWhole,
  type SentPart,
  type UploadId,
  type UploadTarget,
  uploadPart,
} from "./multipart.ts";
import type { PartBuffer, PartPool, PartShare } from "./part-pool.ts";
import { MAX_PARTS } from "./profiles.ts";

const ABORT_DEADLINE_MS = 15_000;

/** The signal governs the whole upload but `abort`. */
interface OpenS3Upload extends UploadTarget, OpenUploadOptions {
  readonly pool: PartPool;
}

/** A buffer being filled. */
interface OpenPart {
  readonly buffer: PartBuffer;
  readonly digest: DigestBuilder;
  sizeBytes: number;
}

/**
 * A body on its way to one key: cut into buffers of the shared pool, each sent with its digest and again from
 * its buffer when that fails. A body that fits one buffer is one PutObject; the multipart upload begins with
 * the second. The source is never asked for a byte twice.
 */
export class S3Upload implements Upload {
  readonly #options: OpenS3Upload;
  readonly #share: PartShare;
  /** Aborted by the caller's signal and by {@link abort}: everything in flight ends with it. */
  readonly #ending = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #sent: SentPart[] = [];
  readonly #creation: EffectWatch<UploadId> = { mayHaveHappened: false };
  #uploadId: Promise<UploadId> | undefined;
  #current: OpenPart | undefined;
  #partCount = 0;
  #sizeBytes = 0;
  #failure: { readonly thrown: unknown } | undefined;
  #completing: Promise<StoredObject> | undefined;
  #stored: StoredObject | undefined;
  #abortion: Promise<void> | undefined;

  private constructor(options: OpenS3Upload, share: PartShare) {
    this.#options = options;
    this.#share = share;
    const { signal } = options;
    if (signal.aborted) {
      this.#ending.abort(signal.reason);
    }
    signal.addEventListener("abort", this.#passOn, { once: true });
  }

  /**
   * Waits for a place in the pool; sends nothing.
   *
   * @throws StoreError `store-too-large` when the body cannot fit in 10,000 parts; the signal's reason.
   */
  static async open(options: OpenS3Upload): Promise<S3Upload> {
    const { pool, expectedSizeBytes, signal } = options;
    signal.throwIfAborted();
    if (expectedSizeBytes !== undefined && expectedSizeBytes > pool.partSizeBytes * MAX_PARTS) {
      throw tooLargeError(options.key, pool.partSizeBytes);
    }
    return new S3Upload(options, await pool.join(signal));
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      this.#throwIfEnded();
      const part = await this.#partWithRoom();
      const room = part.buffer.bytes.length - part.sizeBytes;
      const piece = chunk.subarray(offset, offset + room);
      part.buffer.bytes.set(piece, part.sizeBytes);
      part.digest.update(piece);
      part.sizeBytes += piece.length;
      offset += piece.length;
      this.#sizeBytes += piece.length;
    }
    this.#throwIfEnded();
  }

  async complete(proof: BodyProof): Promise<StoredObject> {
    if (this.#stored !== undefined) {
      return this.#stored;
    }
    this.#throwIfEnded();
    if (proof.sizeBytes !== this.#sizeBytes || !/^[0-9a-f]{64}$/.test(proof.sha256)) {
      throw new StoreError(proofMismatch(proof.sizeBytes, this.#sizeBytes), this.#options.key);
    }
    this.#completing = this.#uploadId === undefined ? this.#putWhole(proof) : this.#joinParts();
    this.#stored = await this.#completing;
    this.#giveUpPlace();
    return this.#stored;
  }

  /** Parts in flight are ended, not waited for; only then is the upload aborted, so that none arrives after it. */
  async abort(): Promise<void> {
    if (this.#stored !== undefined) {
      return;
    }
    this.#abortion ??= this.#end();
    try {
      await this.#abortion;
    } catch (thrown) {
      this.#abortion = undefined; // the next call tries again
      throw thrown;
    }
  }

  readonly #passOn = (): void => this.#ending.abort(this.#options.signal.reason);

  #throwIfEnded(): void {
    this.#ending.signal.throwIfAborted();
    if (this.#failure !== undefined) {
      throw this.#failure.thrown;
    }
  }

  async #partWithRoom(): Promise<OpenPart> {
    if (this.#current !== undefined && this.#current.sizeBytes === this.#options.pool.partSizeBytes) {
      this.#sendCurrent();
    }
    if (this.#current === undefined) {
      if (this.#partCount === MAX_PARTS) {
        throw tooLargeError(this.#options.key, this.#options.pool.partSizeBytes);
      }
      const buffer = await this.#options.pool.acquire(this.#share, this.#ending.signal);
      const digest = new DigestBuilder(this.#options.bucket.profile.bodyDigest);
      this.#current = { buffer, digest, sizeBytes: 0 };
      this.#partCount += 1;
    }
    return this.#current;
  }

  /** Puts the filled part on its way. Its failure shows at the next write, or at completion. */
  #sendCurrent(): void {
    const part = this.#current;
    if (part === undefined) {
      return;
    }
    this.#current = undefined;
    const { bucket, key, metadata } = this.#options;
    this.#uploadId ??= createUpload(bucket, { key, metadata }, this.#ending.signal, this.#creation);
    const sending = this.#send(this.#uploadId, this.#partCount, part)
      .catch((thrown: unknown) => {
        this.#failure ??= { thrown };
      })
      .finally(() => {
        this.#options.pool.release(this.#share, part.buffer);
        this.#inFlight.delete(sending);
      });
    this.#inFlight.add(sending);
  }

  async #send(uploadId: Promise<UploadId>, partNumber: number, part: OpenPart): Promise<void> {
    const body = part.buffer.bytes.subarray(0, part.sizeBytes);
    const request = { partNumber, body, digest: part.digest.digest() };
    this.#sent.push(await uploadPart(this.#options.bucket, await uploadId, request, this.#ending.signal));
  }

  async #putWhole(proof: BodyProof): Promise<StoredObject> {
    const part = this.#current;
    const body = part?.buffer.bytes.subarray(0, part.sizeBytes) ?? Buffer.alloc(0);
    const digest = (part?.digest ?? new DigestBuilder(this.#options.bucket.profile.bodyDigest)).digest();
    return await putWhole(this.#options, { body, digest, sha256: proof.sha256 }, this.#ending.signal);
  }

  async #joinParts(): Promise<StoredObject> {
    this.#sendCurrent();
    await Promise.all(this.#inFlight);
    this.#throwIfEnded();
    const parts = this.#sent.toSorted((a, b) => a.partNumber - b.partNumber);
    const sentBytes = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (this.#uploadId === undefined || parts.length !== this.#partCount || sentBytes !== this.#sizeBytes) {
      throw new Error("the parts that were sent are not the bytes that were written");
    }
    const upload = await this.#uploadId;
    const joined = { ...upload, parts, sizeBytes: sentBytes, crc32: wholeCrc32(parts) };
    return await joinParts(this.#options, joined, this.#ending.signal);
  }

  async #end(): Promise<void> {
    this.#ending.abort(new StoreError(UPLOAD_GONE, this.#options.key));
    await Promise.allSettled([...this.#inFlight, this.#completing]);
    this.#giveUpPlace();
    const { bucket, key } = this.#options;
    const deadline = AbortSignal.timeout(ABORT_DEADLINE_MS);
    try {
      const upload = await this.#uploadIdIfAny();
      if (upload !== undefined) {
        await abortUpload(bucket, upload, deadline);
      }
      if (this.#creation.mayHaveHappened) {
        // An answer with an upload's id was lost; the key is this upload's alone.
        await abortUploads(bucket, { key }, deadline);
      }
    } catch (thrown) {
      throw deadline.aborted ? notAbortedError(key) : thrown;
    }
  }

  async #uploadIdIfAny(): Promise<UploadId | undefined> {
    const [settled] = await Promise.allSettled([this.#uploadId]);
    return settled.status === "fulfilled" ? settled.value : undefined;
  }

  #giveUpPlace(): void {
    this.#options.signal.removeEventListener("abort", this.#passOn);
    if (this.#current !== undefined) {
      this.#options.pool.release(this.#share, this.#current.buffer);
      this.#current = undefined;
    }
    this.#options.pool.leave(this.#share);
  }
}

/** The CRC32 of all parts as one body; `undefined` where parts carry another digest. */
function wholeCrc32(parts: readonly SentPart[]): number | undefined {
  let whole = 0;
  for (const { digest, sizeBytes } of parts) {
    if (digest.means !== "crc32") {
      return undefined;
    }
    whole = combineCrc32(whole, digest.crc32, sizeBytes);
  }
  return whole;
}

function notAbortedError(key: string): StoreError {
  const problem = "the store did not abort the upload in time";
  const hint = "The next attempt at this task, or `iotda-archiver sweep`, ends the upload.";
  return new StoreError({ ...UNAVAILABLE, problem, hint }, key);
}

/** More parts than the store takes. */
function tooLargeError(key: string, partSizeBytes: number): StoreError {
  const problem = `the body does not fit in ${MAX_PARTS} parts of ${formatBytes(partSizeBytes)}`;
  const hint = `Raise ARCHIVER_PART_SIZE_BYTES: one object has up to ${MAX_PARTS} parts of that size.`;
  return new StoreError({ code: "store-too-large", scope: "task", retry: "never", problem, hint }, key);
}
