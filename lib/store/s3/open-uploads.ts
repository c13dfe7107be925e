import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { allEnded } from "../../domain/promises.ts";
import type { OpenUpload } from "../../ports/store-sweeper.ts";
import { bucketKeyOf, type S3Context, storeKeyOf } from "./client.ts";
import { ENDLESS_LIST } from "./fault-table.ts";
import { comesAfter, decodedKey, encodingFields, MAX_FRUITLESS_PAGES, MAX_LIST_PAGES } from "./listing.ts";
import { abortUpload } from "./multipart.ts";
import { faultError, notS3Error } from "./s3-error.ts";

/** How many uploads are aborted at a time. */
const ABORTS_AT_ONCE = 4;

/**
 * Every open upload for a key that begins with the prefix. MinIO is known to list them only for a prefix
 * that is a whole key.
 *
 * @throws S3Error, the signal's reason.
 */
export async function* listUploads(
  context: S3Context,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<OpenUpload> {
  const request = { operation: "ListMultipartUploads", subject: prefix };
  let marker: { readonly KeyMarker: string; readonly UploadIdMarker?: string } | undefined;
  let fruitless = 0;
  for (let page = 0; page < MAX_LIST_PAGES && fruitless < MAX_FRUITLESS_PAGES; page += 1) {
    fruitless += 1;
    const command = new ListMultipartUploadsCommand({
      Bucket: context.options.bucket,
      Prefix: bucketKeyOf(context, prefix),
      ...encodingFields(context),
      ...marker,
    });
    const answer = await context.caller.call(request, signal, async (http) => {
      const output = await context.client.send(command, http);
      if (output.IsTruncated === undefined) {
        throw notS3Error(request);
      }
      return output;
    });
    for (const { Key, UploadId, Initiated } of answer.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || Initiated === undefined) {
        throw notS3Error(request);
      }
      const key = storeKeyOf(context, decodedKey(Key, answer.EncodingType, request));
      if (key?.startsWith(prefix)) {
        fruitless = 0;
        yield { key, uploadId: UploadId, initiatedAtMs: Initiated.getTime() };
      }
    }
    if (answer.IsTruncated !== true) {
      return;
    }
    const { NextKeyMarker, NextUploadIdMarker } = answer;
    const nextKey =
      NextKeyMarker === undefined ? "" : decodedKey(NextKeyMarker, answer.EncodingType, request);
    const isSame = nextKey === marker?.KeyMarker && NextUploadIdMarker === marker.UploadIdMarker;
    if (nextKey === "" || isSame || (marker !== undefined && comesAfter(marker.KeyMarker, nextKey))) {
      throw notS3Error(request);
    }
    marker = {
      KeyMarker: nextKey,
      ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
    };
  }
  throw faultError(ENDLESS_LIST, request);
}

/** Aborts every open upload below the prefix; returns how many there were. @throws S3Error, the signal's reason. */
export async function abortUploadsUnder(
  context: S3Context,
  prefix: string,
  signal: AbortSignal,
): Promise<number> {
  return await abortListed(context, prefix, () => true, signal);
}

/** Aborts every open upload for exactly this key. @throws S3Error, the signal's reason. */
export async function abortUploadsOf(
  context: S3Context,
  { key }: { readonly key: string },
  signal: AbortSignal,
): Promise<number> {
  return await abortListed(context, key, (upload) => upload.key === key, signal);
}

async function abortListed(
  context: S3Context,
  prefix: string,
  isMeant: (upload: OpenUpload) => boolean,
  signal: AbortSignal,
): Promise<number> {
  let abortedCount = 0;
  let batch: OpenUpload[] = [];
  const abortBatch = async () => {
    const aborted = await allEnded(batch.map((upload) => abortUpload(context, upload, signal)));
    abortedCount += aborted.filter(Boolean).length;
    batch = [];
  };
  for await (const upload of listUploads(context, prefix, signal)) {
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
