import type { ListedObject } from "../../ports/object-store.ts";
import { type FetchPage, pageAfterKey, pageOfToken } from "./list-pages.ts";
import type { S3Profile } from "./profiles.ts";
import { type S3Context, storeKeyOf } from "./s3-context.ts";
import { notS3Error } from "./s3-error.ts";

/** Pages of 1,000: a listing that goes on for longer goes in circles. */
export const MAX_LIST_PAGES = 100_000;

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
  for (let page = 0; page < MAX_LIST_PAGES; page += 1) {
    const { objects, next } = await fetchPage(context, prefix, from, signal);
    for (const object of objects) {
      signal.throwIfAborted();
      const key = storeKeyOf(context, object.key);
      if (key?.startsWith(prefix)) {
        yield { ...object, key };
      }
    }
    if (next === undefined) {
      return;
    }
    from = next;
  }
  throw notS3Error({ operation: "ListObjects", subject: prefix });
}
