import * as v from "valibot";
import { count, type FaultProgress, nonEmpty } from "../kit/faults.ts";
import type { LoggedRequest } from "../kit/request-log.ts";
import type { TypedChecksum } from "./checksums.ts";
import type { S3FaultRule } from "./faults.ts";
import type { S3Operation } from "./routes.ts";

/** Everything below this path is the stand-in's own. No bucket can have this name. */
export const CONTROL_PREFIX = "/__s3";

/** One version of an object as the control shows it. */
export interface S3ObjectView {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string;
  readonly deleteMarker: boolean;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly checksum?: TypedChecksum;
  /** Content type and its like, `x-amz-meta-*`, encryption; lowercase names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly modifiedAtMs: number;
  readonly retention?: { readonly mode: string; readonly untilMs: number };
}

export interface S3UploadView {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  readonly initiatedAtMs: number;
  readonly partNumbers: readonly number[];
}

/** What the store logs of a request besides what every stand-in does, as it came over the wire. */
export interface S3RequestDetails {
  readonly operation: S3Operation | "unknown";
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly bucket?: string;
  readonly key?: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lowercase names; all of them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the body was framed as aws-chunked, by what its headers say. */
  readonly awsChunked: boolean;
  /** Of the body as it came over the wire, framing included, and as far as it was read. */
  readonly bodyBytes: number;
  readonly bodySha256?: string;
}

/** One request to the store. */
export type S3LogEntry = LoggedRequest & S3RequestDetails;

/** The whole truth about the store. */
export interface S3StateView {
  /** Every version, oldest first within a key. */
  readonly objects: readonly S3ObjectView[];
  readonly openUploads: readonly S3UploadView[];
  readonly faults: readonly FaultProgress<S3FaultRule>[];
}

const object = { bucket: v.optional(nonEmpty), key: nonEmpty };

/** What the control can do behind the back of clients. Without a bucket the first one is meant. */
export const interferenceSchema = v.variant("kind", [
  /** Inverts one stored byte of the current object; digests and ETag stay. */
  v.strictObject({ kind: v.literal("flip-byte"), ...object, at: count }),
  /** Cuts the stored bytes; digests and ETag stay. */
  v.strictObject({ kind: v.literal("truncate"), ...object, bytes: count }),
  /** Removes the current version for good, locked or not. */
  v.strictObject({ kind: v.literal("remove"), ...object }),
  /** Makes an object or upload older: what ends by age can be tried without waiting. */
  v.strictObject({ kind: v.literal("age"), ...object, byMs: count }),
  /** Aborts every open upload for the key. */
  v.strictObject({ kind: v.literal("abort-uploads"), ...object }),
]);
export type S3Interference = v.InferOutput<typeof interferenceSchema>;
