import { splitOnce } from "../kit/signing.ts";
import { S3Refusal } from "./errors.ts";

/** Method, then `object` or `bucket`, then the query name that tells operations apart; the first match counts. */
const ROUTES = [
  ["POST", "object", "uploads", "CreateMultipartUpload"],
  ["POST", "object", "uploadId", "CompleteMultipartUpload"],
  ["PUT", "object", "uploadId", "UploadPart"],
  ["PUT", "object", "retention", "PutObjectRetention"],
  ["PUT", "object", "tagging", "PutObjectTagging"],
  ["PUT", "object", "", "PutObject"],
  ["GET", "object", "uploadId", "ListParts"],
  ["GET", "object", "retention", "GetObjectRetention"],
  ["GET", "object", "tagging", "GetObjectTagging"],
  ["GET", "object", "", "GetObject"],
  ["HEAD", "object", "", "HeadObject"],
  ["DELETE", "object", "uploadId", "AbortMultipartUpload"],
  ["DELETE", "object", "", "DeleteObject"],
  ["HEAD", "bucket", "", "HeadBucket"],
  ["GET", "bucket", "lifecycle", "GetBucketLifecycleConfiguration"],
  ["GET", "bucket", "location", "GetBucketLocation"],
  ["GET", "bucket", "versioning", "GetBucketVersioning"],
  ["GET", "bucket", "object-lock", "GetObjectLockConfiguration"],
  ["GET", "bucket", "uploads", "ListMultipartUploads"],
  ["GET", "bucket", "versions", "ListObjectVersions"],
  ["GET", "bucket", "list-type", "ListObjectsV2"],
  ["GET", "bucket", "", "ListObjects"],
] as const;
export type S3Operation = (typeof ROUTES)[number][3];
export const operations = ROUTES.map(([_method, _level, _name, operation]) => operation);

/** What a request is about. */
export interface Target {
  readonly operation: S3Operation | undefined;
  readonly bucket: string;
  /** Decoded; empty when the bucket itself is meant. */
  readonly key: string;
  readonly query: URLSearchParams;
}

/** Query names that stand for an operation of S3; one that no route knows is not taken for another operation. */
const SUBRESOURCES =
  /^(?:accelerate|acl|attributes|cors|delete|encryption|legal-hold|lifecycle|location|logging|notification|object-lock|policy|replication|requestPayment|restore|retention|select|tagging|torrent|uploadId|uploads|versioning|versions|website)$/;

/** Finds out bucket, key and operation, path style or virtual-host style. */
export function targetOf(method: string, url: string, host: string): Target {
  const [path, queryText] = splitOnce(url, "?");
  const query = new URLSearchParams(queryText);
  const virtualBucket = bucketOfHost(host);
  const [first, rest] = splitOnce(path.slice(1), "/");
  const bucket = virtualBucket ?? decodePath(first);
  const key = decodePath(virtualBucket === undefined ? rest : path.slice(1));
  const level = key === "" ? "bucket" : "object";
  const route = ROUTES.find(
    ([routeMethod, routeLevel, name]) =>
      routeMethod === method &&
      routeLevel === level &&
      (name === "" ? ![...query.keys()].some((one) => SUBRESOURCES.test(one)) : query.has(name)),
  );
  return { operation: route?.[3], bucket, key, query };
}

/** `bucket.s3.example:1234` and `bucket.localhost:1234` name a bucket; an IP address or a bare name does not. */
function bucketOfHost(host: string): string | undefined {
  const name = host.replace(/:\d+$/, "");
  const [, bucket] = /^(.+)\.(?:s3[.-].*|s3|localhost|obs\..*)$/.exec(name) ?? [];
  return bucket;
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Refusal("InvalidArgument", "The path is not valid percent-encoding.");
  }
}
