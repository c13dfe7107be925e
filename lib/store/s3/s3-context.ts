import type { S3Client } from "@aws-sdk/client-s3";
import type { S3Profile } from "./profiles.ts";
import type { S3Caller } from "./s3-caller.ts";
import type { S3StoreOptions } from "./s3-options.ts";

/** What every request of one store needs. */
export interface S3Context {
  readonly client: S3Client;
  readonly caller: S3Caller;
  readonly profile: S3Profile;
  readonly options: S3StoreOptions;
}

/** The key in the bucket of a key below the prefix. */
export function bucketKeyOf({ options }: S3Context, key: string): string {
  return options.prefix === "" ? key : `${options.prefix}/${key}`;
}

/** The key below the prefix of a key in the bucket; `undefined` for the prefix itself and for what lies elsewhere. */
export function storeKeyOf(context: S3Context, bucketKey: string): string | undefined {
  const folder = bucketKeyOf(context, "");
  const key = bucketKey.startsWith(folder) ? bucketKey.slice(folder.length) : "";
  return key === "" ? undefined : key;
}

/** ETags come quoted or not, from one and the same store; inside the program they never are. */
export function unquoted(etag: string): string {
  return etag.replace(/^(?:W\/)?"(.*)"$/, "$1");
}
