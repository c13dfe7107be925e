import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type StoredObject, StoreError } from "../../ports/object-store.ts";
import { copyDiffers, KEY_TAKEN, UPLOAD_GONE } from "../store-errors.ts";
import { type BodyDigest, crc32Base64, digestFields } from "./checksums.ts";
import { bucketKeyOf, type S3Context } from "./client.ts";
import {
  checksumOf,
  headObject,
  placementFields,
  preconditionFields,
  putObject,
  type WrittenObject,
  writtenObject,
} from "./objects.ts";
import type { CallOutcome, EffectWatch } from "./s3-caller.ts";
import { notS3Error, S3Error } from "./s3-error.ts";

/** A multipart upload at the store. */
export interface UploadId {
  readonly key: string;
  readonly uploadId: string;
}

/** A part as the store took it. */
export interface SentPart {
  /** From 1. */
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly digest: BodyDigest;
}

interface Completion extends UploadId {
  /** By part number, without a gap. */
  readonly parts: readonly SentPart[];
  readonly sizeBytes: number;
  /** Over the whole body, where the store takes one. */
  readonly crc32: number | undefined;
  readonly ifAbsent: boolean;
}

/** The store joins gigabytes before it answers; S3 keeps the connection warm meanwhile. */
const COMPLETION_TIMEOUT_MS = 180_000;
const PART_ATTEMPTS = 6;

/** CreateMultipartUpload. @throws S3Error, the signal's reason. */
export async function createUpload(
  context: S3Context,
  { key, metadata }: { readonly key: string; readonly metadata: Readonly<Record<string, string>> },
  signal: AbortSignal,
  outcome: CallOutcome,
): Promise<UploadId> {
  const request = { operation: "CreateMultipartUpload", subject: key };
  const command = {
    Bucket: context.options.bucket,
    Key: bucketKeyOf(context, key),
    Metadata: { ...metadata },
    ...placementFields(context, key),
    ...(context.profile.keepsFullObjectCrc32
      ? { ChecksumAlgorithm: "CRC32" as const, ChecksumType: "FULL_OBJECT" as const }
      : {}),
  };
  const send = async (http: { abortSignal: AbortSignal }) => {
    const { UploadId } = await context.client.send(new CreateMultipartUploadCommand(command), http);
    if (UploadId === undefined || UploadId === "") {
      throw notS3Error(request);
    }
    return { key, uploadId: UploadId };
  };
  return await context.caller.call(request, signal, send, outcome);
}

/** UploadPart; the body must not change until the call settles. @throws S3Error, the signal's reason. */
export async function uploadPart(
  context: S3Context,
  { key, uploadId }: UploadId,
  part: { readonly partNumber: number; readonly body: Buffer; readonly digest: BodyDigest },
  signal: AbortSignal,
): Promise<SentPart> {
  const { partNumber, body, digest } = part;
  const request = {
    operation: "UploadPart",
    subject: `${key} part ${partNumber}`,
    bodyBytes: body.length,
    maxAttempts: PART_ATTEMPTS,
  };
  const command = {
    Bucket: context.options.bucket,
    Key: bucketKeyOf(context, key),
    UploadId: uploadId,
    PartNumber: partNumber,
    Body: body,
    ContentLength: body.length,
    ...digestFields(digest),
  };
  return await context.caller.call(request, signal, async (http) => {
    const { ETag } = await context.client.send(new UploadPartCommand(command), http);
    if (ETag === undefined) {
      throw notS3Error(request);
    }
    return { partNumber, sizeBytes: body.length, etag: ETag, digest };
  });
}

/** CompleteMultipartUpload. @throws S3Error (also for an error inside a 200), the signal's reason. */
export async function completeUpload(
  context: S3Context,
  completion: Completion,
  signal: AbortSignal,
  outcome: EffectWatch<WrittenObject>,
): Promise<WrittenObject> {
  const { key, uploadId, parts, sizeBytes, crc32, ifAbsent } = completion;
  const request = {
    operation: "CompleteMultipartUpload",
    subject: key,
    attemptTimeoutMs: COMPLETION_TIMEOUT_MS,
  };
  const command = {
    Bucket: context.options.bucket,
    Key: bucketKeyOf(context, key),
    UploadId: uploadId,
    MultipartUpload: {
      Parts: parts.map(({ partNumber, etag, digest }) => ({
        PartNumber: partNumber,
        ETag: etag,
        ...(digest.means === "crc32" ? { ChecksumCRC32: digest.base64 } : {}),
      })),
    },
    ...preconditionFields({ ifAbsent }),
    ...(crc32 === undefined
      ? {}
      : {
          ChecksumCRC32: crc32Base64(crc32),
          ChecksumType: "FULL_OBJECT" as const,
          MpuObjectSize: sizeBytes,
        }),
  };
  const send = async (http: { abortSignal: AbortSignal }) => {
    const { ETag, VersionId, ChecksumCRC32 } = await context.client.send(
      new CompleteMultipartUploadCommand(command),
      http,
    );
    if (ETag === undefined) {
      throw notS3Error(request);
    }
    return writtenObject(ETag, VersionId, ChecksumCRC32);
  };
  return await context.caller.call(request, signal, send, outcome);
}

/** AbortMultipartUpload. @returns whether there was such an upload. @throws S3Error, the signal's reason. */
export async function abortUpload(
  context: S3Context,
  { key, uploadId }: UploadId,
  signal: AbortSignal,
): Promise<boolean> {
  const command = new AbortMultipartUploadCommand({
    Bucket: context.options.bucket,
    Key: bucketKeyOf(context, key),
    UploadId: uploadId,
  });
  const request = { operation: "AbortMultipartUpload", subject: key };
  try {
    await context.caller.call(request, signal, (http) => context.client.send(command, http));
    return true;
  } catch (thrown) {
    if (isNoSuchUpload(thrown)) {
      return false;
    }
    throw thrown;
  }
}

/** Whether the store still knows the upload. @throws S3Error, the signal's reason. */
async function isUploadOpen(
  context: S3Context,
  { key, uploadId }: UploadId,
  signal: AbortSignal,
): Promise<boolean> {
  const command = new ListPartsCommand({
    Bucket: context.options.bucket,
    Key: bucketKeyOf(context, key),
    UploadId: uploadId,
    MaxParts: 1,
  });
  try {
    await context.caller.call({ operation: "ListParts", subject: key }, signal, (http) =>
      context.client.send(command, http),
    );
    return true;
  } catch (thrown) {
    if (isNoSuchUpload(thrown)) {
      return false;
    }
    throw thrown;
  }
}

/** Ceph calls the upload a key when it is asked for its parts. */
export function isNoSuchUpload(thrown: unknown): boolean {
  return (
    thrown instanceof S3Error &&
    thrown.httpStatus === 404 &&
    (thrown.code === "store-upload-gone" || thrown.code === "store-copy-differs")
  );
}

interface CompleterOptions {
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
        throw new StoreError(UPLOAD_GONE, key);
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
        throw thrown instanceof S3Error && thrown.code === "store-key-taken"
          ? new StoreError(KEY_TAKEN, key)
          : thrown;
      }
      written = found;
    }
    if (expected.crc32 !== undefined && written.crc32 !== undefined && written.crc32 !== expected.crc32) {
      throw new StoreError(copyDiffers("the store computed another CRC32"), key);
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
      throw new StoreError(KEY_TAKEN, key);
    }
    return { etag, ...(versionId === undefined ? {} : { versionId }) };
  }
}
