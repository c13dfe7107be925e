import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type BodyDigest, digestFields } from "./body-digest.ts";
import { crc32Base64 } from "./crc32-combine.ts";
import { placementFields, preconditionFields, type WrittenObject, writtenObject } from "./object-requests.ts";
import type { CallOutcome, EffectWatch } from "./s3-caller.ts";
import { bucketKeyOf, type S3Context } from "./s3-context.ts";
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

export interface Completion extends UploadId {
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
export async function isUploadOpen(
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
