import {
  type _Object,
  ListObjectsCommand,
  type ListObjectsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import type { ListedObject } from "../../ports/object-store.ts";
import { comesAfter, decodedKey, encodingFields } from "./listed-keys.ts";
import { bucketKeyOf, type S3Context } from "./s3-context.ts";
import { notS3Error, type RequestSubject } from "./s3-error.ts";

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
export type FetchPage = (
  context: S3Context,
  prefix: string,
  from: string | undefined,
  signal: AbortSignal,
) => Promise<ListPage>;

/** By ListObjectsV2. */
export const pageOfToken: FetchPage = async (context, prefix, token, signal) => {
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
};

/**
 * By ListObjects. A store that does not read the marker would give its first page for ever: keys have to come
 * in order, and after the marker.
 */
export const pageAfterKey: FetchPage = async (context, prefix, marker, signal) => {
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
};

function listFields(context: S3Context, prefix: string) {
  return {
    Bucket: context.options.bucket,
    Prefix: bucketKeyOf(context, prefix),
    ...encodingFields(context),
  };
}

/** An answer without this field is no empty listing: a proxy's page looks the same (anchors B.9). */
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
