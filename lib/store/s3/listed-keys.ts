import type { S3Context } from "./s3-context.ts";
import { notS3Error, type RequestSubject } from "./s3-error.ts";

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
