import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  PutObjectCommand,
  type ServerSideEncryption,
  type StorageClass,
} from "@aws-sdk/client-s3";
import { noteSpentBytes } from "../../network/spent-buffers.ts";
import type { ObjectInfo, ReadOptions } from "../../ports/object-store.ts";
import { type BodyDigest, digestFields } from "./checksums.ts";
import { bucketKeyOf, type S3Context, unquoted } from "./client.ts";
import { UNREACHABLE } from "./fault-table.ts";
import type { EffectWatch } from "./s3-caller.ts";
import { faultError, notS3Error, S3Error, tooSlowError, toS3Error } from "./s3-error.ts";

/** When a write may happen. */
export interface Precondition {
  readonly ifAbsent?: boolean;
  readonly ifMatchEtag?: string;
}

interface PutRequest extends Precondition {
  readonly key: string;
  /** Of known length, so that nothing is ever framed as aws-chunked. Must not change until the call settles. */
  readonly body: Buffer;
  readonly digest: BodyDigest;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly contentType?: string;
}

export interface WrittenObject {
  readonly etag: string;
  readonly versionId?: string;
  /** The store's CRC32 over the whole object, base64, where it keeps one. */
  readonly crc32?: string;
}

/** An object as HEAD shows it, with its metadata. */
interface HeadAnswer extends ObjectInfo {
  readonly metadata: Readonly<Record<string, string>>;
}

/** Encryption for everything, the storage class for exports only. */
export function placementFields(
  { options }: S3Context,
  key: string,
): { ServerSideEncryption?: ServerSideEncryption; SSEKMSKeyId?: string; StorageClass?: StorageClass } {
  const { sse, kmsKeyId, storageClass } = options;
  return {
    // Passed through as configured: a store may know more kinds than the SDK's type does.
    ...(sse === undefined ? {} : { ServerSideEncryption: sse as ServerSideEncryption }),
    ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
    ...(storageClass === undefined || !key.startsWith("exports/")
      ? {}
      : { StorageClass: storageClass as StorageClass }),
  };
}

/** The conditions of a write as the SDK takes them. */
export function preconditionFields({ ifAbsent, ifMatchEtag }: Precondition): {
  IfNoneMatch?: string;
  IfMatch?: string;
} {
  return {
    ...(ifAbsent === true ? { IfNoneMatch: "*" } : {}),
    ...(ifMatchEtag === undefined ? {} : { IfMatch: `"${ifMatchEtag}"` }),
  };
}

/** PutObject. @throws S3Error, the signal's reason. */
export async function putObject(
  context: S3Context,
  put: PutRequest,
  signal: AbortSignal,
  outcome?: EffectWatch<WrittenObject>,
): Promise<WrittenObject> {
  const request = { operation: "PutObject", subject: put.key, bodyBytes: put.body.length };
  const command = {
    Bucket: context.options.bucket,
    Key: bucketKeyOf(context, put.key),
    Body: put.body,
    ContentLength: put.body.length,
    ...digestFields(put.digest),
    ...preconditionFields(put),
    ...placementFields(context, put.key),
    ...(put.metadata === undefined ? {} : { Metadata: { ...put.metadata } }),
    ...(put.contentType === undefined ? {} : { ContentType: put.contentType }),
  };
  const send = async (http: { abortSignal: AbortSignal }) => {
    const { ETag, VersionId, ChecksumCRC32 } = await context.client.send(new PutObjectCommand(command), http);
    if (ETag === undefined) {
      throw notS3Error(request);
    }
    return writtenObject(ETag, VersionId, ChecksumCRC32);
  };
  return await context.caller.call(request, signal, send, outcome);
}

/** What a write answered, without the fields it left out. */
export function writtenObject(
  etag: string,
  versionId: string | undefined,
  crc32: string | undefined,
): WrittenObject {
  return {
    etag: unquoted(etag),
    ...(versionId === undefined ? {} : { versionId }),
    ...(crc32 === undefined ? {} : { crc32 }),
  };
}

/** HeadObject; `undefined` when the store says that there is no such object. @throws S3Error, the signal's reason. */
export async function headObject(
  context: S3Context,
  key: string,
  signal: AbortSignal,
): Promise<HeadAnswer | undefined> {
  const request = { operation: "HeadObject", subject: key };
  const command = new HeadObjectCommand({
    Bucket: context.options.bucket,
    Key: bucketKeyOf(context, key),
    ...(context.profile.keepsFullObjectCrc32 ? { ChecksumMode: "ENABLED" } : {}),
  });
  try {
    return await context.caller.call(request, signal, async (http) => {
      const answer = await context.client.send(command, http);
      if (answer.ETag === undefined || answer.ContentLength === undefined) {
        throw notS3Error(request);
      }
      // A COMPOSITE one is a checksum over checksums, of somebody else's upload.
      const crc32 = answer.ChecksumType === "COMPOSITE" ? undefined : answer.ChecksumCRC32;
      return {
        sizeBytes: answer.ContentLength,
        etag: unquoted(answer.ETag),
        ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
        ...(context.profile.keepsFullObjectCrc32 && crc32 !== undefined
          ? { checksum: checksumOf(crc32) }
          : {}),
        metadata: answer.Metadata ?? {},
      };
    });
  } catch (thrown) {
    if (isMissingObject(thrown)) {
      return undefined;
    }
    throw thrown;
  }
}

/** The store's digest as the port writes it. */
export function checksumOf(crc32Base64: string): string {
  return `CRC32:${crc32Base64}`;
}

/** Whether the store said that the key has no object. A 404 that names the bucket is something else. */
export function isMissingObject(thrown: unknown): boolean {
  return thrown instanceof S3Error && thrown.code === "store-copy-differs" && thrown.httpStatus === 404;
}

/** GetObject, up to the first byte of the body. @throws S3Error, the signal's reason. */
export async function getObject(
  context: S3Context,
  get: { readonly key: string; readonly range?: string; readonly versionId?: string | undefined },
  signal: AbortSignal,
): Promise<GetObjectCommandOutput> {
  const request = { operation: "GetObject", subject: get.key };
  const command = new GetObjectCommand({
    Bucket: context.options.bucket,
    Key: bucketKeyOf(context, get.key),
    ...(get.range === undefined ? {} : { Range: get.range }),
    ...(get.versionId === undefined ? {} : { VersionId: get.versionId }),
  });
  return await context.caller.call(request, signal, async (http) => {
    // The body outlives this attempt: its end is its reader's business.
    const answer = await context.client.send(command, http);
    if (answer.ETag === undefined || answer.Body === undefined) {
      throw notS3Error(request);
    }
    return answer;
  });
}

/** How long the next bytes of a body are waited for. What its reader does between them is not counted. */
export const BODY_IDLE_MS = 60_000;

/**
 * The bytes of an object or of a range of it, cut short at the object's end. A body that breaks off is an
 * error, not resumed: whoever hashes it begins again.
 *
 * @param versionId without it, the newest version.
 * @throws S3Error, the signal's reason.
 */
export async function* readObject(
  context: S3Context,
  key: string,
  { signal, range }: ReadOptions,
  versionId?: string,
): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  if (range !== undefined && range.startByte >= range.endByteExclusive) {
    return;
  }
  const header =
    range === undefined ? {} : { range: `bytes=${range.startByte}-${range.endByteExclusive - 1}` };
  let answer: GetObjectCommandOutput;
  try {
    answer = await getObject(context, { key, ...header, versionId }, signal);
  } catch (thrown) {
    if (thrown instanceof S3Error && thrown.httpStatus === 416) {
      return; // the range begins at or after the object's end
    }
    throw thrown;
  }
  yield* bodyOf(answer, { key, isRanged: range !== undefined }, signal);
}

/** The body of an answer, exactly as long as announced. @throws S3Error, also of one that stalls; the signal's reason. */
export async function* bodyOf(
  answer: GetObjectCommandOutput,
  { key, isRanged }: { readonly key: string; readonly isRanged: boolean },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const request = { operation: "GetObject", subject: key };
  const { Body: body, ContentLength: announcedBytes, $metadata } = answer;
  if (body === undefined || !("destroy" in body) || announcedBytes === undefined) {
    throw notS3Error(request);
  }
  if (isRanged && $metadata.httpStatusCode !== 206) {
    body.destroy();
    throw notS3Error(request); // the whole object instead of a range would be read as that range
  }
  const stop = () => body.destroy();
  signal.addEventListener("abort", stop, { once: true });
  const limitWait = () => setTimeout(() => body.destroy(tooSlowError(request)), BODY_IDLE_MS);
  let receivedBytes = 0;
  let idle = limitWait();
  try {
    signal.throwIfAborted();
    for await (const chunk of body) {
      clearTimeout(idle);
      if (!(chunk instanceof Uint8Array)) {
        throw notS3Error(request);
      }
      receivedBytes += chunk.length;
      yield chunk;
      noteSpentBytes(chunk.length);
      signal.throwIfAborted();
      idle = limitWait();
    }
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown instanceof S3Error ? thrown : (toS3Error(thrown, request) ?? thrown);
  } finally {
    clearTimeout(idle);
    signal.removeEventListener("abort", stop);
    body.destroy();
  }
  signal.throwIfAborted();
  if (receivedBytes !== announcedBytes) {
    throw faultError(UNREACHABLE, request);
  }
}
