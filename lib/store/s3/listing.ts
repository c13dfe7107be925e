import {
  type _Object,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import { allEnded } from "../../domain/promises.ts";
import type { ListedObject } from "../../ports/object-store.ts";
import type { OpenUpload } from "../../ports/store-sweeper.ts";
import type { S3Bucket } from "./bucket.ts";
import { ENDLESS_LIST } from "./fault-table.ts";
import { abortUpload } from "./multipart.ts";
import { notS3Error, type RequestSubject, S3Error } from "./s3-error.ts";

/** Pages in a row without a new key of ours. A store may pass over as many delete markers as fill some of them. */
const MAX_FRUITLESS_PAGES = 100;

interface Page<Item, From> {
  /** By their keys in the bucket. */
  readonly items: readonly Item[];
  /** What the next page is asked for with; `undefined` on the last one. */
  readonly next: From | undefined;
}

/** Everything whose key begins with the prefix, by its key below the bucket's. @throws S3Error, the signal's reason. */
async function* allPages<Item extends { readonly key: string }, From>(
  bucket: S3Bucket,
  { subject: prefix, operation, signal }: RequestSubject & { readonly signal: AbortSignal },
  fetchPage: (from: From | undefined) => Promise<Page<Item, From>>,
  isNew: (key: string, greatest: string) => boolean,
): AsyncGenerator<Item> {
  let from: From | undefined;
  let greatest = "";
  for (let fruitless = 0; fruitless < MAX_FRUITLESS_PAGES; fruitless += 1) {
    const { items, next } = await fetchPage(from);
    let last = "";
    for (const item of items) {
      signal.throwIfAborted();
      const key = bucket.keyBelow(item.key);
      if (key?.startsWith(prefix)) {
        last = key;
        yield { ...item, key };
      }
    }
    if (next === undefined) {
      return;
    }
    from = next;
    if (last !== "" && isNew(last, greatest)) {
      fruitless = -1;
      greatest = last;
    }
  }
  throw new S3Error(ENDLESS_LIST, { operation, subject: prefix });
}

/** Every object whose key begins with the prefix. @throws S3Error, the signal's reason. */
export async function* listObjects(
  bucket: S3Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  const fetchPage = bucket.profile.listObjects === "v1" ? pageAfterKey : pageOfToken;
  const request = { operation: "ListObjects", subject: prefix, signal };
  yield* allPages(
    bucket,
    request,
    (from: string | undefined) => fetchPage(bucket, prefix, from, signal),
    comesAfter,
  );
}

/** By ListObjectsV2. @throws S3Error, also where the page leads nowhere; the signal's reason. */
async function pageOfToken(
  bucket: S3Bucket,
  prefix: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Page<ListedObject, string>> {
  const request = { operation: "ListObjectsV2", subject: prefix, signal };
  const command = new ListObjectsV2Command({ ...listFields(bucket, prefix), ContinuationToken: token });
  const answer = await bucket.send(request, command, listOf);
  const { IsTruncated, NextContinuationToken: next } = answer;
  if (IsTruncated && (next === undefined || next === token)) {
    throw notS3Error(request);
  }
  return { items: listedObjects(answer, request), next: IsTruncated ? next : undefined };
}

/**
 * By ListObjects. A store that does not read the marker would give its first page for ever: keys have to come
 * in order, and after the marker.
 */
export async function pageAfterKey(
  bucket: S3Bucket,
  prefix: string,
  marker: string | undefined,
  signal: AbortSignal,
): Promise<Page<ListedObject, string>> {
  const request = { operation: "ListObjects", subject: prefix, signal };
  const command = new ListObjectsCommand({ ...listFields(bucket, prefix), Marker: marker });
  const answer = await bucket.send(request, command, listOf);
  const items = listedObjects(answer, request);
  let last = marker;
  for (const { key } of items) {
    if (last !== undefined && !comesAfter(key, last)) {
      throw notS3Error(request);
    }
    last = key;
  }
  if (!answer.IsTruncated) {
    return { items, next: undefined };
  }
  // S3 names one only where keys are grouped, OBS always; without it the list goes on after the last key.
  const named = answer.NextMarker ?? "";
  const next = named === "" ? last : decodedKey(named, answer.EncodingType, request);
  if (next === undefined || next === marker || (last !== undefined && comesAfter(last, next))) {
    throw notS3Error(request);
  }
  return { items, next };
}

function listFields(bucket: S3Bucket, prefix: string) {
  const { bucket: Bucket } = bucket.options;
  const EncodingType = bucket.profile.encodesListings ? ("url" as const) : undefined;
  return { Bucket, Prefix: bucket.fullKey(prefix), EncodingType };
}

/** An answer without this field is not an empty listing: a proxy's page looks the same. */
function listOf<Output extends { IsTruncated?: boolean | undefined }>(
  answer: Output,
): (Output & { readonly IsTruncated: boolean }) | undefined {
  const { IsTruncated } = answer;
  return IsTruncated === undefined ? undefined : { ...answer, IsTruncated };
}

function listedObjects(
  { Contents = [], EncodingType }: Pick<ListObjectsV2CommandOutput, "Contents" | "EncodingType">,
  request: RequestSubject,
): readonly ListedObject[] {
  return Contents.map(({ Key, Size, LastModified }: _Object) => {
    if (Key === undefined || Size === undefined || LastModified === undefined) {
      throw notS3Error(request);
    }
    const key = decodedKey(Key, EncodingType, request);
    const isMarker = key.endsWith("/") && Size === 0;
    return {
      ...{ key, sizeBytes: Size, modifiedAtMs: LastModified.getTime() },
      // Consoles put one where somebody makes a "folder".
      ...(isMarker ? { oddity: "is a folder marker" } : {}),
    };
  });
}

interface UploadMarker {
  readonly KeyMarker: string;
  readonly UploadIdMarker: string | undefined;
}

/**
 * Every open upload for a key that begins with the prefix. MinIO is known to list them only for a prefix
 * that is a whole key.
 *
 * @throws S3Error, the signal's reason.
 */
export async function* listUploads(
  bucket: S3Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<OpenUpload> {
  const request = { operation: "ListMultipartUploads", subject: prefix, signal };
  const fetchPage = async (marker: UploadMarker | undefined): Promise<Page<OpenUpload, UploadMarker>> => {
    const command = new ListMultipartUploadsCommand({ ...listFields(bucket, prefix), ...marker });
    const answer = await bucket.send(request, command, listOf);
    const { Uploads = [], EncodingType, NextKeyMarker = "", NextUploadIdMarker: UploadIdMarker } = answer;
    const items = Uploads.map(({ Key, UploadId: uploadId, Initiated }) => {
      if (Key === undefined || uploadId === undefined || Initiated === undefined) {
        throw notS3Error(request);
      }
      return { key: decodedKey(Key, EncodingType, request), uploadId, initiatedAtMs: Initiated.getTime() };
    });
    if (!answer.IsTruncated) {
      return { items, next: undefined };
    }
    const KeyMarker = decodedKey(NextKeyMarker, EncodingType, request);
    const isSame = KeyMarker === marker?.KeyMarker && UploadIdMarker === marker.UploadIdMarker;
    if (KeyMarker === "" || isSame || (marker !== undefined && comesAfter(marker.KeyMarker, KeyMarker))) {
      throw notS3Error(request);
    }
    return { items, next: { KeyMarker, UploadIdMarker } };
  };
  // One key may have many uploads.
  yield* allPages(bucket, request, fetchPage, () => true);
}

/** How many uploads are aborted at a time. */
const ABORTS_AT_ONCE = 4;

/**
 * Aborts every open upload below the prefix, or for exactly this key; returns how many there were.
 *
 * @throws S3Error, the signal's reason.
 */
export async function abortUploads(
  bucket: S3Bucket,
  where: { readonly prefix: string } | { readonly key: string },
  signal: AbortSignal,
): Promise<number> {
  const isMeant = ({ key }: OpenUpload) => !("key" in where) || key === where.key;
  let abortedCount = 0;
  let batch: OpenUpload[] = [];
  const abortBatch = async () => {
    const aborted = await allEnded(batch.map((upload) => abortUpload(bucket, upload, signal)));
    abortedCount += aborted.filter(Boolean).length;
    batch = [];
  };
  for await (const upload of listUploads(bucket, "key" in where ? where.key : where.prefix, signal)) {
    if (isMeant(upload)) {
      batch.push(upload);
    }
    if (batch.length === ABORTS_AT_ONCE) {
      await abortBatch();
    }
  }
  await abortBatch();
  return abortedCount;
}

/** A key as listed; stores that ignore the wish for an encoding do not name one. @throws S3Error. */
export function decodedKey(listed: string, encoding: string | undefined, request: RequestSubject): string {
  if (encoding !== "url") {
    return listed;
  }
  try {
    return decodeURIComponent(listed.replaceAll("+", " "));
  } catch (thrown) {
    if (thrown instanceof URIError) {
      throw notS3Error(request);
    }
    throw thrown;
  }
}

/** Whether a key comes after another in the order of every S3 list: by UTF-8 bytes, not as JavaScript sorts. */
function comesAfter(key: string, other: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
}
