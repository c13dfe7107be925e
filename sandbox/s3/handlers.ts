import * as bucket from "./bucket-operations.ts";
import type { Handler } from "./exchange.ts";
import * as list from "./list-operations.ts";
import * as multipart from "./multipart-operations.ts";
import * as object from "./object-operations.ts";
import type { S3Operation } from "./routes.ts";

export const handlers: Readonly<Record<S3Operation, Handler>> = {
  AbortMultipartUpload: multipart.abortMultipartUpload,
  CompleteMultipartUpload: multipart.completeMultipartUpload,
  CreateMultipartUpload: multipart.createMultipartUpload,
  DeleteObject: object.deleteObject,
  GetBucketLifecycleConfiguration: bucket.getBucketLifecycleConfiguration,
  GetBucketLocation: bucket.getBucketLocation,
  GetBucketVersioning: bucket.getBucketVersioning,
  GetObject: object.getObject,
  GetObjectLockConfiguration: bucket.getObjectLockConfiguration,
  GetObjectRetention: bucket.getObjectRetention,
  GetObjectTagging: bucket.getObjectTagging,
  HeadBucket: bucket.headBucket,
  HeadObject: object.headObject,
  ListMultipartUploads: list.listMultipartUploads,
  ListObjects: list.listObjects,
  ListObjectVersions: list.listObjectVersions,
  ListObjectsV2: list.listObjectsV2,
  ListParts: list.listParts,
  PutObject: object.putObject,
  PutObjectRetention: bucket.putObjectRetention,
  PutObjectTagging: bucket.putObjectTagging,
  UploadPart: multipart.uploadPart,
};
