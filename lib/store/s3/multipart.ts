import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { unless } from "../../domain/promises.ts";
import { type StoredObject, StoreError, type WriteCondition } from "../../ports/object-store.ts";
import { copyDiffers, KEY_TAKEN, UPLOAD_GONE } from "../store-errors.ts";
import type { EffectWatch, S3Bucket } from "./bucket.ts";
import { type BodyDigest, crc32Base64, digestFields } from "./checksums.ts";
import {
  checksumOf,
  conditionFields,
  headObject,
  placementFields,
  putObject,
  type WrittenObject,
  writtenObject,
} from "./objects.ts";
import { S3Error } from "./s3-error.ts";

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

/** The parts of an upload, to be joined. */
interface Joined extends UploadId {
  /** By part number, without a gap. */
  readonly parts: readonly SentPart[];
  readonly sizeBytes: number;
  /** Over the whole body, where the store takes one. */
  readonly crc32: number | undefined;
}

/** The store joins gigabytes before it answers; S3 keeps the connection warm meanwhile. */
const COMPLETION_TIMEOUT_MS = 180_000;
const PART_ATTEMPTS = 6;
const FULL_OBJECT = "FULL_OBJECT" as const;

/** CreateMultipartUpload. @throws S3Error, the signal's reason. */
export async function createUpload(
  bucket: S3Bucket,
  { key, metadata }: { readonly key: string; readonly metadata: Readonly<Record<string, string>> },
  signal: AbortSignal,
  watch?: EffectWatch<UploadId>,
): Promise<UploadId> {
  const command = new CreateMultipartUploadCommand({
    ...bucket.object(key),
    Metadata: { ...metadata },
    ...placementFields(bucket, key),
    ...(bucket.profile.keepsFullObjectCrc32
      ? { ChecksumAlgorithm: "CRC32" as const, ChecksumType: FULL_OBJECT }
      : {}),
  });
  const request = { operation: "CreateMultipartUpload", subject: key, signal };
  const read = ({ UploadId: uploadId = "" }) => (uploadId === "" ? undefined : { key, uploadId });
  return await bucket.send(request, command, read, watch);
}

/** UploadPart; the body must not change until the call settles. @throws S3Error, the signal's reason. */
export async function uploadPart(
  bucket: S3Bucket,
  { key, uploadId }: UploadId,
  part: { readonly partNumber: number; readonly body: Buffer; readonly digest: BodyDigest },
  signal: AbortSignal,
): Promise<SentPart> {
  const { partNumber, body, digest } = part;
  const sizeBytes = body.length;
  const command = new UploadPartCommand({
    ...bucket.object(key),
    UploadId: uploadId,
    PartNumber: partNumber,
    Body: body,
    ContentLength: sizeBytes,
    ...digestFields(digest),
  });
  const subject = `${key} part ${partNumber}`;
  const limits = { bodyBytes: sizeBytes, maxAttempts: PART_ATTEMPTS };
  return await bucket.send(
    { operation: "UploadPart", subject, signal, ...limits },
    command,
    ({ ETag: etag }) => (etag === undefined ? undefined : { partNumber, sizeBytes, etag, digest }),
  );
}

/** CompleteMultipartUpload. @throws S3Error (also for an error inside a 200), the signal's reason. */
export async function completeUpload(
  bucket: S3Bucket,
  { key, uploadId, parts, sizeBytes, crc32 }: Joined,
  condition: WriteCondition,
  signal: AbortSignal,
  watch?: EffectWatch<WrittenObject>,
): Promise<WrittenObject> {
  const command = new CompleteMultipartUploadCommand({
    ...bucket.object(key),
    UploadId: uploadId,
    MultipartUpload: {
      Parts: parts.map(({ partNumber, etag, digest }) => ({
        PartNumber: partNumber,
        ETag: etag,
        ChecksumCRC32: digest.means === "crc32" ? digest.base64 : undefined,
      })),
    },
    ...conditionFields(condition),
    ...(crc32 === undefined
      ? {}
      : { ChecksumCRC32: crc32Base64(crc32), ChecksumType: FULL_OBJECT, MpuObjectSize: sizeBytes }),
  });
  const request = { operation: "CompleteMultipartUpload", subject: key, signal };
  const slow = { ...request, attemptTimeoutMs: COMPLETION_TIMEOUT_MS };
  return await bucket.send(slow, command, writtenObject, watch);
}

/** AbortMultipartUpload. @returns whether there was such an upload. @throws S3Error, the signal's reason. */
export async function abortUpload(
  bucket: S3Bucket,
  { key, uploadId }: UploadId,
  signal: AbortSignal,
): Promise<boolean> {
  const command = new AbortMultipartUploadCommand({ ...bucket.object(key), UploadId: uploadId });
  const request = { operation: "AbortMultipartUpload", subject: key, signal };
  return await unless(
    isNoSuchUpload,
    bucket.send(request, command, () => true),
    false,
  );
}

/** Whether the store still knows the upload. @throws S3Error, the signal's reason. */
async function isUploadOpen(
  bucket: S3Bucket,
  { key, uploadId }: UploadId,
  signal: AbortSignal,
): Promise<boolean> {
  const command = new ListPartsCommand({ ...bucket.object(key), UploadId: uploadId, MaxParts: 1 });
  const request = { operation: "ListParts", subject: key, signal };
  return await unless(
    isNoSuchUpload,
    bucket.send(request, command, () => true),
    false,
  );
}

/** Ceph calls the upload a key when it is asked for its parts. */
export function isNoSuchUpload(thrown: unknown): boolean {
  return (
    thrown instanceof S3Error &&
    thrown.httpStatus === 404 &&
    (thrown.code === "store-upload-gone" || thrown.code === "store-copy-differs")
  );
}

/** The object that a body is to become. */
export interface UploadTarget {
  readonly bucket: S3Bucket;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether a request may ask that the key be free, per kind of request. */
  readonly canCreateOnce: { readonly put: boolean; readonly completion: boolean };
}

/** Makes a body visible that fits one request. @throws StoreError, the signal's reason. */
export async function putWhole(
  { bucket, key, metadata, canCreateOnce }: UploadTarget,
  { body, digest, sha256 }: { readonly body: Buffer; readonly digest: BodyDigest; readonly sha256: string },
  signal: AbortSignal,
): Promise<StoredObject> {
  const condition = onceIf(canCreateOnce.put);
  const put = { key, body, digest, metadata: { ...metadata, sha256 }, condition };
  const crc32 = digest.means === "crc32" ? digest.base64 : undefined;
  const expected = { key, sizeBytes: body.length, metadata: put.metadata, crc32 };
  return await settle(bucket, expected, signal, (watch) => putObject(bucket, put, signal, watch));
}

/** Joins the parts of an upload and makes them visible. @throws StoreError, the signal's reason. */
export async function joinParts(
  { bucket, key, metadata, canCreateOnce }: UploadTarget,
  joined: Joined,
  signal: AbortSignal,
): Promise<StoredObject> {
  const crc32 = joined.crc32 === undefined ? undefined : crc32Base64(joined.crc32);
  const expected = { key, sizeBytes: joined.sizeBytes, metadata, crc32 };
  const condition = onceIf(canCreateOnce.completion);
  try {
    return await settle(bucket, expected, signal, (watch) =>
      completeUpload(bucket, joined, condition, signal, watch),
    );
  } catch (thrown) {
    // Ceph answers 500 to the completion of an aborted upload.
    const mayBeGone = thrown instanceof S3Error && (thrown.httpStatus ?? 0) >= 500;
    if (isNoSuchUpload(thrown) || (mayBeGone && !(await isUploadOpen(bucket, joined, signal)))) {
      throw new StoreError(UPLOAD_GONE, key);
    }
    throw thrown;
  }
}

function onceIf(canCreateOnce: boolean): WriteCondition {
  return { kind: canCreateOnce ? "if-absent" : "always" };
}

/** What an object must show to be the one that was sent. */
interface Expected {
  readonly key: string;
  readonly sizeBytes: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Base64, where the store keeps one. */
  readonly crc32: string | undefined;
}

/**
 * The one request that makes a body visible, and the search for its effect when the answer is lost: the key
 * has a random nonce, so that an object there that looks like ours is ours.
 */
async function settle(
  bucket: S3Bucket,
  expected: Expected,
  signal: AbortSignal,
  write: (watch: EffectWatch<WrittenObject>) => Promise<WrittenObject>,
): Promise<StoredObject> {
  const { key, sizeBytes, crc32 } = expected;
  // Looked for before each further attempt too: no key is ever written twice (promise I2).
  const findEffect = async () => await findWritten(bucket, expected, signal);
  const watch: EffectWatch<WrittenObject> = { mayHaveHappened: false, findEffect };
  let written: WrittenObject;
  try {
    written = await write(watch);
  } catch (thrown) {
    signal.throwIfAborted();
    const found = watch.mayHaveHappened ? await findEffect() : undefined;
    if (found === undefined) {
      throw thrown instanceof S3Error && thrown.code === KEY_TAKEN.code
        ? new StoreError(KEY_TAKEN, key)
        : thrown;
    }
    written = found;
  }
  const { etag, versionId } = written;
  if (crc32 !== undefined && written.crc32 !== undefined && written.crc32 !== crc32) {
    throw new StoreError(copyDiffers("the store computed another CRC32"), key);
  }
  return {
    ...{ key, sizeBytes, etag },
    ...(versionId === undefined ? {} : { versionId }),
    ...(crc32 === undefined ? {} : { checksum: checksumOf(crc32) }),
  };
}

/** @throws StoreError `store-key-taken` when the object there is another. */
async function findWritten(
  bucket: S3Bucket,
  { key, ...expected }: Expected,
  signal: AbortSignal,
): Promise<WrittenObject | undefined> {
  const head = await headObject(bucket, key, signal);
  if (head === undefined) {
    return undefined;
  }
  const { metadata, checksum, sizeBytes, etag, versionId } = head;
  const hasOurDigest =
    checksum === undefined || expected.crc32 === undefined || checksum === checksumOf(expected.crc32);
  const hasOurMetadata = Object.entries(expected.metadata).every(([name, value]) => metadata[name] === value);
  if (sizeBytes !== expected.sizeBytes || !hasOurDigest || !hasOurMetadata) {
    throw new StoreError(KEY_TAKEN, key);
  }
  return { etag, versionId };
}
