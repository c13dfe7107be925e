import type { VerificationLevel } from "../../ports/object-store.ts";

/** Whether a conditional request does what it says: known to, known not to, or to be tried out in each run. */
export type ConditionSupport = "assumed" | "off" | "probed";

/** The digest a request carries over its own body, so that the store refuses what arrives damaged. */
export type DigestMeans = "crc32" | "content-md5";

/** What a kind of object store does differently from the others (architecture §7). */
export interface S3Profile {
  readonly name: "aws" | "obs" | "generic";
  /** Sent with every body: objects, parts and documents. Object lock demands one on each of them. */
  readonly bodyDigest: DigestMeans;
  /** Whether the store keeps a CRC32 over the whole object, takes ours on completion, and shows it in HEAD. */
  readonly keepsFullObjectCrc32: boolean;
  /** `If-None-Match: *` and `If-Match` on PutObject. */
  readonly conditionalPut: ConditionSupport;
  /** `If-None-Match: *` on CompleteMultipartUpload; stores learned it later than on PutObject, or never. */
  readonly conditionalCompletion: ConditionSupport;
  /** Which version of ListObjects is asked: the second goes on from a token, the first after a key. */
  readonly listObjects: "v1" | "v2";
  /** Whether lists are asked for URL-encoded: XML cannot hold every key that a bucket can. */
  readonly encodesListings: boolean;
  /** How a stored copy is proved. */
  readonly verification: VerificationLevel;
  /** Whether S3's object lock is looked for; `off` where the same words mean something else. */
  readonly objectLock: "probed" | "off";
  /** For the SDK when neither setting nor endpoint names one; `undefined`: the SDK's own search. */
  readonly defaultRegion: string | undefined;
}

/**
 * ETags: in no profile are they compared with an MD5 of ours. They are one only for a plain PUT without
 * SSE-KMS and SSE-C, and the bucket's default encryption does not show in our configuration; for a multipart
 * object they never are (iotda-api §5.2). They tell one content from the next, nothing more.
 */
export const S3_PROFILES: Readonly<Record<S3Profile["name"], S3Profile>> = {
  aws: {
    name: "aws",
    // CRC32 is the cheapest digest S3 checks: MD5 halved the relay (bench/RESULTS.md).
    bodyDigest: "crc32",
    // S3 combines part CRCs into a FULL_OBJECT one and keeps it whatever the encryption is; HEAD shows it
    // with x-amz-checksum-mode, for SSE-KMS objects only to callers with kms:Decrypt.
    keepsFullObjectCrc32: true,
    // If-None-Match since August 2024, If-Match since November 2024, in every region.
    conditionalPut: "assumed",
    conditionalCompletion: "assumed",
    listObjects: "v2",
    encodesListings: true,
    verification: "stored",
    objectLock: "probed",
    defaultRegion: undefined,
  },
  obs: {
    name: "obs",
    // "x-amz-checksum-*: reported as ignored; only Content-MD5 is honoured" (iotda-api §5.2).
    bodyDigest: "content-md5",
    keepsFullObjectCrc32: false,
    // "If-None-Match: * not documented for PUT" (iotda-api §5.2). A probe would prove today only.
    conditionalPut: "off",
    conditionalCompletion: "off",
    // It ignores list-type=2 and gives the same first page for ever (minio-go #1703, #1704).
    listObjects: "v1",
    // "marker will not work and keep list same page forever" (rclone, HuaweiOBS.yaml).
    encodesListings: false,
    // ETag "not MD5 for multipart or SSE", and no whole-object digest: only reading back proves.
    verification: "read-back",
    // OBS has WORM retention of its own, with other headers and compliance only.
    objectLock: "off",
    defaultRegion: undefined,
  },
  generic: {
    name: "generic",
    // The one digest that S3-compatible stores of all ages check.
    bodyDigest: "content-md5",
    keepsFullObjectCrc32: false,
    // Ceph 18 takes neither, Ceph 20 both, others PutObject only; some ignore the header in silence.
    conditionalPut: "probed",
    conditionalCompletion: "probed",
    listObjects: "v2",
    encodesListings: true,
    verification: "read-back",
    objectLock: "probed",
    // What stores without regions expect in the signature.
    defaultRegion: "us-east-1",
  },
};

/** Part numbers run from 1 to this on S3 and OBS alike (iotda-api §5.2). */
export const MAX_PARTS = 10_000;
