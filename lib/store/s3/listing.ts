import type { ListedObject } from "../../ports/object-store.ts";
import { ENDLESS_LIST } from "./fault-table.ts";
import { type FetchPage, pageAfterKey, pageOfToken } from "./list-pages.ts";
import { comesAfter } from "./listed-keys.ts";
import type { S3Profile } from "./profiles.ts";
import { type S3Context, storeKeyOf } from "./s3-context.ts";
import { faultError } from "./s3-error.ts";

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
