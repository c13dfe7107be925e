import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  PutObjectCommand,
  type ServerSideEncryption,
  type StorageClass,
} from "@aws-sdk/client-s3";
import { unless } from "../../domain/promises.ts";
import {
  MAX_DOCUMENT_BYTES,
  type ObjectInfo,
  type ReadOptions,
  type StoredDocument,
  type WriteCondition,
} from "../../ports/object-store.ts";
import { documentBytes, documentText } from "../document-text.ts";
import type { EffectWatch, S3Bucket } from "./bucket.ts";
import { type BodyDigest, digestFields, digestOf } from "./checksums.ts";
import { TOO_SLOW, UNREACHABLE } from "./fault-table.ts";
import { notS3Error, S3Error, toS3Error } from "./s3-error.ts";

interface PutRequest {
  readonly key: string;
  /** Of known length, so that nothing is ever framed as aws-chunked. Must not change until the call settles. */
  readonly body: Buffer;
  readonly digest: BodyDigest;
  readonly condition: WriteCondition;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly cacheControl?: string;
}

/** What a write answers. */
export interface WrittenObject {
  readonly etag: string;
  readonly versionId?: string | undefined;
  /** The store's CRC32 over the whole object, base64, where it keeps one. */
  readonly crc32?: string | undefined;
}

/** An object as HEAD shows it, with its metadata. */
interface HeadAnswer extends ObjectInfo {
  readonly metadata: Readonly<Record<string, string>>;
}

/** Encryption for everything, the storage class for exports only. */
export function placementFields({ options }: S3Bucket, key: string) {
  const { sse, kmsKeyId, storageClass } = options;
  return {
    // Passed through as configured: a store may know more kinds than the SDK's type does.
    ServerSideEncryption: sse as ServerSideEncryption | undefined,
    SSEKMSKeyId: kmsKeyId,
    StorageClass: key.startsWith("exports/") ? (storageClass as StorageClass | undefined) : undefined,
  };
}

/** The condition of a write as the SDK takes it. */
export function conditionFields(condition: WriteCondition): { IfNoneMatch?: string; IfMatch?: string } {
  switch (condition.kind) {
    case "always":
      return {};
    case "if-absent":
      return { IfNoneMatch: "*" };
    case "if-match":
      return { IfMatch: `"${condition.etag}"` };
  }
}

/** PutObject. @throws S3Error, the signal's reason. */
export async function putObject(
  bucket: S3Bucket,
  { key, body, digest, condition, metadata, contentType, cacheControl }: PutRequest,
  signal: AbortSignal,
  watch?: EffectWatch<WrittenObject>,
): Promise<WrittenObject> {
  const request = { operation: "PutObject", subject: key, bodyBytes: body.length, signal };
  const command = new PutObjectCommand({
    ...bucket.object(key),
    Body: body,
    ContentLength: body.length,
    ContentType: contentType,
    CacheControl: cacheControl,
    Metadata: metadata === undefined ? undefined : { ...metadata },
    ...digestFields(digest),
    ...conditionFields(condition),
    ...placementFields(bucket, key),
  });
  return await bucket.send(request, command, writtenObject, watch);
}

/** What a write answered, in this program's words. */
export function writtenObject(answer: {
  ETag?: string | undefined;
  VersionId?: string | undefined;
  ChecksumCRC32?: string | undefined;
}): WrittenObject | undefined {
  const { ETag: etag, VersionId: versionId, ChecksumCRC32: crc32 } = answer;
  return etag === undefined ? undefined : { etag: unquoted(etag), versionId, crc32 };
}

/** ETags come quoted or not, from one and the same store; inside the program they never are. */
function unquoted(etag: string): string {
  return etag.replace(/^(?:W\/)?"(.*)"$/, "$1");
}

/** HeadObject; `undefined` when the store says that there is no such object. @throws S3Error, the signal's reason. */
export async function headObject(
  bucket: S3Bucket,
  key: string,
  signal: AbortSignal,
): Promise<HeadAnswer | undefined> {
  const { keepsFullObjectCrc32 } = bucket.profile;
  const command = new HeadObjectCommand({
    ...bucket.object(key),
    ChecksumMode: keepsFullObjectCrc32 ? "ENABLED" : undefined,
  });
  const head = bucket.send({ operation: "HeadObject", subject: key, signal }, command, (answer) => {
    const { ETag, ContentLength: sizeBytes, VersionId: versionId, Metadata: metadata = {} } = answer;
    if (ETag === undefined || sizeBytes === undefined) {
      return undefined;
    }
    // A COMPOSITE one is a checksum over checksums, of somebody else's upload.
    const crc32 = answer.ChecksumType === "COMPOSITE" ? undefined : answer.ChecksumCRC32;
    return {
      sizeBytes,
      etag: unquoted(ETag),
      ...(versionId === undefined ? {} : { versionId }),
      ...(keepsFullObjectCrc32 && crc32 !== undefined ? { checksum: checksumOf(crc32) } : {}),
      metadata,
    };
  });
  return await unless(isMissingObject, head, undefined);
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
async function getObject(
  bucket: S3Bucket,
  {
    key,
    range,
    versionId,
  }: { readonly key: string; readonly range?: string | undefined; readonly versionId?: string | undefined },
  signal: AbortSignal,
): Promise<GetObjectCommandOutput> {
  const command = new GetObjectCommand({ ...bucket.object(key, versionId), Range: range });
  // The body outlives this call: its end is its reader's business.
  return await bucket.send({ operation: "GetObject", subject: key, signal }, command, (answer) =>
    answer.ETag === undefined || answer.Body === undefined ? undefined : answer,
  );
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
  bucket: S3Bucket,
  key: string,
  { signal, range }: ReadOptions,
  versionId?: string,
): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  if (range !== undefined && range.startByte >= range.endByteExclusive) {
    return;
  }
  const bytes = range === undefined ? undefined : `bytes=${range.startByte}-${range.endByteExclusive - 1}`;
  const got = getObject(bucket, { key, range: bytes, versionId }, signal);
  // 416: the range begins at or after the object's end.
  const answer = await unless(
    (thrown) => thrown instanceof S3Error && thrown.httpStatus === 416,
    got,
    undefined,
  );
  if (answer !== undefined) {
    yield* bodyOf(answer, { key, isRanged: range !== undefined }, signal);
  }
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
  const limitWait = () => setTimeout(() => body.destroy(new S3Error(TOO_SLOW, request)), BODY_IDLE_MS);
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
    throw new S3Error(UNREACHABLE, request);
  }
}

/** Reads a small document; `undefined` when there is none. @throws StoreError, the signal's reason. */
export async function getDocument(
  bucket: S3Bucket,
  key: string,
  signal: AbortSignal,
): Promise<StoredDocument | undefined> {
  const answer = await unless(isMissingObject, getObject(bucket, { key }, signal), undefined);
  if (answer === undefined) {
    return undefined;
  }
  const etag = unquoted(answer.ETag ?? "");
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of bodyOf(answer, { key, isRanged: false }, signal)) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_DOCUMENT_BYTES) {
      return { text: undefined, etag };
    }
    chunks.push(chunk);
  }
  return { text: documentText(Buffer.concat(chunks)), etag };
}

/**
 * Writes a small document under a condition. `conflict`: the condition did not hold, or kept colliding with
 * other writers. One's own write whose answer was lost is recognised by its text.
 *
 * @throws StoreError, the signal's reason.
 */
export async function putDocument(
  bucket: S3Bucket,
  key: string,
  text: string,
  condition: WriteCondition,
  signal: AbortSignal,
): Promise<{ readonly etag: string } | "conflict"> {
  const body = documentBytes(key, text);
  const digest = digestOf(bucket.profile.bodyDigest, body);
  const put = { key, body, digest, condition, ...servedAs(key) };
  const watch: EffectWatch<WrittenObject> = { mayHaveHappened: false };
  try {
    const { etag } = await putObject(bucket, put, signal, watch);
    return { etag };
  } catch (thrown) {
    signal.throwIfAborted();
    if (condition.kind === "always" || !isConditionRefused(thrown)) {
      throw thrown;
    }
    const standing = watch.mayHaveHappened ? await getDocument(bucket, key, signal) : undefined;
    return standing?.text === text ? { etag: standing.etag } : "conflict";
  }
}

/** Browsers open pages straight from the bucket: a page is one of today, and none from a cache. */
function servedAs(key: string): Pick<PutRequest, "contentType" | "cacheControl"> {
  return key.endsWith(".html")
    ? { contentType: "text/html; charset=utf-8", cacheControl: "no-cache" }
    : { contentType: "application/json" };
}

/** 412; 404 where nothing is left to match; 409 when other writers were at it each time. */
export function isConditionRefused(thrown: unknown): boolean {
  return (
    thrown instanceof S3Error &&
    (thrown.httpStatus === 412 || thrown.s3Code === "ConditionalRequestConflict" || isMissingObject(thrown))
  );
}
