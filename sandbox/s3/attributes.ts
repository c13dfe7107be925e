import { S3Refusal } from "./errors.ts";
import type { BucketSettings } from "./settings.ts";
import { textOf } from "./xml.ts";

/** What a request that creates an object says about it, beside its bytes. */
export interface ObjectAttributes {
  /** Headers given back as they came: content type and its like, `x-amz-meta-*`, encryption. */
  readonly headers: Readonly<Record<string, string>>;
  readonly storageClass: string;
  /** Under KMS an ETag is not an MD5 digest. */
  readonly opaqueEtag: boolean;
  readonly tags: Readonly<Record<string, string>>;
  readonly retention: Retention | undefined;
}

export interface Retention {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  readonly untilMs: number;
}

const KEPT =
  /^(?:content-type|content-disposition|content-language|cache-control|expires|x-amz-meta-.+|x-amz-server-side-encryption(?:-aws-kms-key-id|-bucket-key-enabled)?)$/;
const MAX_METADATA_BYTES = 2048;
const MAX_KEY_BYTES = 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
const STORAGE_CLASSES = new Set([
  ..."STANDARD REDUCED_REDUNDANCY STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING".split(" "),
  ..."GLACIER DEEP_ARCHIVE GLACIER_IR EXPRESS_ONEZONE WARM COLD".split(" "),
]);

/**
 * Reads the headers of PutObject and CreateMultipartUpload.
 *
 * @throws S3Refusal for what S3 would refuse, and NotImplemented for what this stand-in does not play.
 */
export function attributesOf(
  headers: ReadonlyMap<string, string>,
  key: string,
  bucket: BucketSettings,
  nowMs: number,
): ObjectAttributes {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new S3Refusal("KeyTooLongError");
  }
  for (const unplayed of ["x-amz-copy-source", "x-amz-server-side-encryption-customer-algorithm"]) {
    if (headers.has(unplayed)) {
      throw new S3Refusal("NotImplemented", `This stand-in does not play ${unplayed}.`);
    }
  }
  const kept = Object.fromEntries([...headers].filter(([name]) => KEPT.test(name)));
  const encoding = withoutAwsChunked(headers.get("content-encoding") ?? "");
  const metadata = [...headers].filter(([name]) => name.startsWith("x-amz-meta-"));
  const metadataBytes = metadata.reduce(
    (sum, [name, value]) => sum + name.length - "x-amz-meta-".length + Buffer.byteLength(value),
    0,
  );
  if (metadataBytes > MAX_METADATA_BYTES) {
    throw new S3Refusal("MetadataTooLarge");
  }
  const storageClass = headers.get("x-amz-storage-class") ?? "STANDARD";
  if (!STORAGE_CLASSES.has(storageClass)) {
    throw new S3Refusal("InvalidArgument", "The storage class you specified is not valid");
  }
  return {
    headers: { ...kept, ...(encoding === "" ? {} : { "content-encoding": encoding }) },
    storageClass,
    opaqueEtag: isKms(headers),
    tags: tagsOf(new URLSearchParams(headers.get("x-amz-tagging") ?? "")),
    retention: retentionInHeaders(headers, bucket) ?? defaultRetention(bucket, nowMs),
  };
}

function withoutAwsChunked(encoding: string): string {
  const names = encoding.split(",").map((name) => name.trim());
  return names.filter((name) => name !== "" && name !== "aws-chunked").join(",");
}

function isKms(headers: ReadonlyMap<string, string>): boolean {
  const encryption = headers.get("x-amz-server-side-encryption");
  const keyId = headers.get("x-amz-server-side-encryption-aws-kms-key-id");
  if (encryption !== undefined && !["AES256", "aws:kms", "aws:kms:dsse"].includes(encryption)) {
    throw new S3Refusal("InvalidArgument", "The encryption method specified is not supported");
  }
  const kms = encryption?.startsWith("aws:kms") === true;
  if (keyId !== undefined && !kms) {
    throw new S3Refusal("InvalidArgument", "A KMS key id is only allowed with encryption aws:kms");
  }
  return kms;
}

export function tagsOf(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  const tags = Object.fromEntries(pairs);
  if (Object.keys(tags).length > 10) {
    throw new S3Refusal("InvalidArgument", "Object tags cannot be greater than 10");
  }
  return tags;
}

function retentionInHeaders(
  headers: ReadonlyMap<string, string>,
  bucket: BucketSettings,
): Retention | undefined {
  const mode = headers.get("x-amz-object-lock-mode");
  const until = headers.get("x-amz-object-lock-retain-until-date");
  return mode === undefined && until === undefined ? undefined : parseRetention(mode, until, bucket);
}

/** The `<Retention>` document of PutObjectRetention. */
export function retentionInXml(xml: string, bucket: BucketSettings): Retention {
  return parseRetention(textOf(xml, "Mode"), textOf(xml, "RetainUntilDate"), bucket);
}

function parseRetention(
  mode: string | undefined,
  until: string | undefined,
  bucket: BucketSettings,
): Retention {
  if (bucket.objectLock === undefined) {
    throw new S3Refusal("InvalidRequest", "Bucket is missing Object Lock Configuration");
  }
  const untilMs = Date.parse(until ?? "");
  if ((mode !== "GOVERNANCE" && mode !== "COMPLIANCE") || Number.isNaN(untilMs)) {
    throw new S3Refusal(
      "InvalidArgument",
      "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
    );
  }
  return { mode, untilMs };
}

function defaultRetention({ objectLock }: BucketSettings, nowMs: number): Retention | undefined {
  const rule = objectLock?.defaultRetention;
  return rule && { mode: rule.mode, untilMs: nowMs + rule.days * DAY_MS };
}
