import {
  type _Object,
  ListObjectsCommand,
  type ListObjectsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import type { ListedObject } from "../../ports/object-store.ts";
import { bucketKeyOf, type S3Context, storeKeyOf } from "./client.ts";
import { ENDLESS_LIST } from "./fault-table.ts";
import type { S3Profile } from "./profiles.ts";
import { faultError, notS3Error, type RequestSubject } from "./s3-error.ts";

/** Pages of 1,000: a listing that goes on for longer goes in circles. */
export const MAX_LIST_PAGES = 100_000;
/** Pages in a row without a new key of ours. A store may pass over as many delete markers as fill some of them. */
export const MAX_FRUITLESS_PAGES = 100;

const FETCH_PAGE: Readonly<Record<S3Profile["listObjects"], FetchPage>> = {
  v1: pageAfterKey,
  v2: pageOfToken,
};

/** Every object whose key begins with the prefix. @throws S3Error, the signal's reason. */
export async function* listObjects(
  context: S3Context,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  const fetchPage = FETCH_PAGE[context.profile.listObjects];
  let from: string | undefined;
  let greatest = "";
  let fruitless = 0;
  for (let page = 0; page < MAX_LIST_PAGES && fruitless < MAX_FRUITLESS_PAGES; page += 1) {
    const { objects, next } = await fetchPage(context, prefix, from, signal);
    let last = "";
    for (const object of objects) {
      signal.throwIfAborted();
      const key = storeKeyOf(context, object.key);
      if (key?.startsWith(prefix)) {
        last = key;
        yield { ...object, key };
      }
    }
    if (next === undefined) {
      return;
    }
    from = next;
    fruitless = comesAfter(last, greatest) ? 0 : fruitless + 1;
    greatest = fruitless === 0 ? last : greatest;
  }
  throw faultError(ENDLESS_LIST, { operation: "ListObjects", subject: prefix });
}

export interface ListPage {
  /** By their keys in the bucket. */
  readonly objects: readonly ListedObject[];
  /** What the next page is asked for with; `undefined` on the last one. */
  readonly next: string | undefined;
}

/**
 * One page of a listing of objects whose keys begin with the prefix.
 *
 * @param from as the page before said it; without it, the first page.
 * @throws S3Error, also where the page leads nowhere; the signal's reason.
 */
type FetchPage = (
  context: S3Context,
  prefix: string,
  from: string | undefined,
  signal: AbortSignal,
) => Promise<ListPage>;

/** By ListObjectsV2. */
async function pageOfToken(
  context: S3Context,
  prefix: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<ListPage> {
  const request = { operation: "ListObjectsV2", subject: prefix };
  const command = new ListObjectsV2Command({
    ...listFields(context, prefix),
    ...(token === undefined ? {} : { ContinuationToken: token }),
  });
  const answer = await context.caller.call(request, signal, async (http) =>
    requireList(await context.client.send(command, http), request),
  );
  const { IsTruncated, NextContinuationToken: next } = answer;
  if (IsTruncated && (next === undefined || next === token)) {
    throw notS3Error(request);
  }
  return { objects: listedObjects(answer, request), next: IsTruncated ? next : undefined };
}

/**
 * By ListObjects. A store that does not read the marker would give its first page for ever: keys have to come
 * in order, and after the marker.
 */
export async function pageAfterKey(
  context: S3Context,
  prefix: string,
  marker: string | undefined,
  signal: AbortSignal,
): Promise<ListPage> {
  const request = { operation: "ListObjects", subject: prefix };
  const command = new ListObjectsCommand({
    ...listFields(context, prefix),
    ...(marker === undefined ? {} : { Marker: marker }),
  });
  const answer = await context.caller.call(request, signal, async (http) =>
    requireList(await context.client.send(command, http), request),
  );
  const objects = listedObjects(answer, request);
  let last = marker;
  for (const { key } of objects) {
    if (last !== undefined && !comesAfter(key, last)) {
      throw notS3Error(request);
    }
    last = key;
  }
  if (!answer.IsTruncated) {
    return { objects, next: undefined };
  }
  // S3 names one only where keys are grouped, OBS always; without it the list goes on after the last key.
  const named = answer.NextMarker ?? "";
  const next = named === "" ? last : decodedKey(named, answer.EncodingType, request);
  if (next === undefined || next === marker || (last !== undefined && comesAfter(last, next))) {
    throw notS3Error(request);
  }
  return { objects, next };
}

function listFields(context: S3Context, prefix: string) {
  return {
    Bucket: context.options.bucket,
    Prefix: bucketKeyOf(context, prefix),
    ...encodingFields(context),
  };
}

/** An answer without this field is not an empty listing: a proxy's page looks the same. */
function requireList<Output extends ListObjectsCommandOutput | ListObjectsV2CommandOutput>(
  answer: Output,
  request: RequestSubject,
): Output & { readonly IsTruncated: boolean } {
  const { IsTruncated } = answer;
  if (IsTruncated === undefined) {
    throw notS3Error(request);
  }
  return { ...answer, IsTruncated };
}

function listedObjects(
  { Contents = [], EncodingType }: { Contents?: _Object[] | undefined; EncodingType?: string | undefined },
  request: RequestSubject,
): readonly ListedObject[] {
  return Contents.map(({ Key, Size, LastModified }) => {
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

/** The wish for URL-encoded keys, where the store is known to understand it. */
export function encodingFields({ profile }: S3Context): { EncodingType?: "url" } {
  return profile.encodesListings ? { EncodingType: "url" } : {};
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
export function comesAfter(key: string, other: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
}
