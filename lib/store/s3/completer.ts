import type { StoredObject } from "../../ports/object-store.ts";
import { copyDiffersError, keyTakenError, uploadGoneError } from "../upload-errors.ts";
import type { BodyDigest } from "./body-digest.ts";
import { crc32Base64 } from "./crc32-combine.ts";
import { checksumOf, headObject, putObject, type WrittenObject } from "./object-requests.ts";
import type { EffectWatch } from "./s3-caller.ts";
import type { S3Context } from "./s3-context.ts";
import { S3Error } from "./s3-error.ts";
import { type Completion, completeUpload, isNoSuchUpload, isUploadOpen } from "./upload-requests.ts";

export interface CompleterOptions {
  readonly context: S3Context;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly canCreateOnce: { readonly put: boolean; readonly completion: boolean };
}

/** What an object must show to be the one that was sent. */
interface Expected {
  readonly sizeBytes: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Base64, where the store keeps one. */
  readonly crc32: string | undefined;
}

/**
 * The one request that makes a body visible, and the search for its effect when the answer is lost: the key
 * has a random nonce, so that an object there that looks like ours is ours.
 */
export class Completer {
  readonly #options: CompleterOptions;

  constructor(options: CompleterOptions) {
    this.#options = options;
  }

  /** Puts a body that fits one request. @throws StoreError, the signal's reason. */
  async put(
    { body, digest, sha256 }: { readonly body: Buffer; readonly digest: BodyDigest; readonly sha256: string },
    signal: AbortSignal,
  ): Promise<StoredObject> {
    const { context, key, canCreateOnce } = this.#options;
    const metadata = { ...this.#options.metadata, sha256 };
    const crc32 = digest.means === "crc32" ? digest.base64 : undefined;
    const put = { key, body, digest, metadata, ifAbsent: canCreateOnce.put };
    return await this.#settle({ sizeBytes: body.length, metadata, crc32 }, signal, (outcome) =>
      putObject(context, put, signal, outcome),
    );
  }

  /** Joins the parts of an upload. @throws StoreError, the signal's reason. */
  async join(completion: Omit<Completion, "ifAbsent">, signal: AbortSignal): Promise<StoredObject> {
    const { context, key, metadata, canCreateOnce } = this.#options;
    const { sizeBytes } = completion;
    const crc32 = completion.crc32 === undefined ? undefined : crc32Base64(completion.crc32);
    const request = { ...completion, ifAbsent: canCreateOnce.completion };
    try {
      return await this.#settle({ sizeBytes, metadata, crc32 }, signal, (outcome) =>
        completeUpload(context, request, signal, outcome),
      );
    } catch (thrown) {
      // Ceph answers 500 to the completion of an aborted upload.
      const mayBeGone = thrown instanceof S3Error && (thrown.httpStatus ?? 0) >= 500;
      if (isNoSuchUpload(thrown) || (mayBeGone && !(await isUploadOpen(context, completion, signal)))) {
        throw uploadGoneError(key);
      }
      throw thrown;
    }
  }

  async #settle(
    expected: Expected,
    signal: AbortSignal,
    write: (outcome: EffectWatch<WrittenObject>) => Promise<WrittenObject>,
  ): Promise<StoredObject> {
    const { key } = this.#options;
    // Looked for before each further attempt too: no key is ever written twice (promise I2).
    const findEffect = async () => await this.#find(expected, signal);
    const outcome: EffectWatch<WrittenObject> = { mayHaveHappened: false, findEffect };
    let written: WrittenObject;
    try {
      written = await write(outcome);
    } catch (thrown) {
      signal.throwIfAborted();
      const found = outcome.mayHaveHappened ? await this.#find(expected, signal) : undefined;
      if (found === undefined) {
        throw thrown instanceof S3Error && thrown.code === "store-key-taken" ? keyTakenError(key) : thrown;
      }
      written = found;
    }
    if (expected.crc32 !== undefined && written.crc32 !== undefined && written.crc32 !== expected.crc32) {
      throw copyDiffersError(key, "the store computed another CRC32");
    }
    return {
      key,
      sizeBytes: expected.sizeBytes,
      etag: written.etag,
      ...(written.versionId === undefined ? {} : { versionId: written.versionId }),
      ...(expected.crc32 === undefined ? {} : { checksum: checksumOf(expected.crc32) }),
    };
  }

  /** @throws StoreError `store-key-taken` when the object there is another. */
  async #find(expected: Expected, signal: AbortSignal): Promise<WrittenObject | undefined> {
    const { context, key } = this.#options;
    const head = await headObject(context, key, signal);
    if (head === undefined) {
      return undefined;
    }
    const { metadata, checksum, sizeBytes, etag, versionId } = head;
    const hasOurDigest =
      checksum === undefined || expected.crc32 === undefined || checksum === checksumOf(expected.crc32);
    const hasOurMetadata = Object.entries(expected.metadata).every(
      ([name, value]) => metadata[name] === value,
    );
    if (sizeBytes !== expected.sizeBytes || !hasOurDigest || !hasOurMetadata) {
      throw keyTakenError(key);
    }
    return { etag, ...(versionId === undefined ? {} : { versionId }) };
  }
}
