import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { S3StandIn } from "../start.ts";

/** An SDK client for a stand-in: one try, path style, the SDK's own defaults otherwise. */
export function clientFor(standIn: S3StandIn, more: S3ClientConfig = {}): S3Client {
  const { accessKeyId, secretAccessKey, sessionToken } = standIn.account;
  return new S3Client({
    endpoint: standIn.endpoint,
    region: standIn.region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    ...more,
  });
}
