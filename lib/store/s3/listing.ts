import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { ListedObject } from "../../ports/object-store.ts";
import { bucketKeyOf, type S3Context, storeKeyOf } from "./s3-context.ts";
import { notS3Error, type RequestSubject } from "./s3-error.ts";

/** Pages of 1,000: a listing that goes on for longer goes in circles. */
export const MAX_LIST_PAGES = 100_000;

/** Every object whose key begins with the prefix. @throws S3Error, the signal's reason. */
export async function* listObjects(
  context: S3Context,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  const request = { operation: "ListObjectsV2", subject: prefix };
  let token: string | undefined;
  for (let page = 0; page < MAX_LIST_PAGES; page += 1) {
    const command = new ListObjectsV2Command({
      Bucket: context.options.bucket,
      Prefix: bucketKeyOf(context, prefix),
      // XML cannot hold every key that a bucket can.
      EncodingType: "url",
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    const answer = await context.caller.call(request, signal, async (http) => {
      const {
        Contents = [],
        IsTruncated,
        EncodingType,
        NextContinuationToken,
      } = await context.client.send(command, http);
      // An answer without this field is no empty listing: a proxy's page looks the same (anchors B.9).
      if (IsTruncated === undefined) {
        throw notS3Error(request);
      }
      return { Contents, IsTruncated, EncodingType, NextContinuationToken };
    });
    for (const { Key, Size, LastModified } of answer.Contents) {
      signal.throwIfAborted();
      if (Key === undefined || Size === undefined || LastModified === undefined) {
        throw notS3Error(request);
      }
      const key = storeKeyOf(context, decodedKey(Key, answer.EncodingType, request));
      if (key?.startsWith(prefix)) {
        yield { key, sizeBytes: Size, modifiedAtMs: LastModified.getTime() };
      }
    }
    if (!answer.IsTruncated) {
      return;
    }
    if (answer.NextContinuationToken === undefined || answer.NextContinuationToken === token) {
      throw notS3Error(request);
    }
    token = answer.NextContinuationToken;
  }
  throw notS3Error(request);
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
