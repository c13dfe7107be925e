import { S3_PROFILES } from "../store/s3/profiles.ts";
import type { S3StoreConfiguration, StoreConfiguration } from "./configuration.ts";
import type { PartReader } from "./parts.ts";
import { readPlatformCredentials } from "./platform-part.ts";

/** Settings that mean something to S3 only. Left in place silently they would promise what a folder cannot do. */
const S3_ONLY = ["ARCHIVER_STORE_SSE", "ARCHIVER_STORE_KMS_KEY_ID", "ARCHIVER_STORE_STORAGE_CLASS"] as const;

/** Classes of AWS, OBS and those who speak as they do whose objects have to be restored, for hours, before a read. */
const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE", "COLD"]);

/** Reads the store's part; `undefined` when the problems noted leave none. */
export function readStore(reader: PartReader): StoreConfiguration | undefined {
  const location = reader.required("ARCHIVER_STORE");
  switch (location?.kind) {
    case undefined:
      return undefined;
    case "file":
      checkFileStore(reader);
      return location;
    case "s3":
      return readS3Store(reader, location);
  }
}

function checkFileStore(reader: PartReader): void {
  for (const name of S3_ONLY.filter((candidate) => reader.isSet.has(candidate))) {
    reader.note(
      name,
      "has no effect with a file:// store",
      "Remove it, or set ARCHIVER_STORE to s3://bucket/prefix.",
    );
  }
  if (reader.values.ARCHIVER_VERIFY === "stored") {
    reader.note(
      "ARCHIVER_VERIFY",
      "is stored, but a file:// store keeps no digest",
      "Set it to auto or read-back.",
    );
  }
}

function readS3Store(
  reader: PartReader,
  location: { readonly kind: "s3"; readonly bucket: string; readonly prefix: string },
): S3StoreConfiguration | undefined {
  const { values } = reader;
  const profile = values.ARCHIVER_STORE_PROFILE;
  const credentials = readStoreCredentials(reader);
  const pathStyle = values.ARCHIVER_STORE_PATH_STYLE;
  if (profile === undefined || credentials === undefined || pathStyle === undefined) {
    return undefined;
  }
  const endpoint = values.AWS_ENDPOINT_URL_S3;
  const named = profile === "auto" ? profileOf(endpoint) : profile;
  checkStorageClass(reader, named);
  return {
    ...location,
    profile: named,
    credentials,
    pathStyle,
    sse: values.ARCHIVER_STORE_SSE,
    kmsKeyId: values.ARCHIVER_STORE_KMS_KEY_ID,
    storageClass: values.ARCHIVER_STORE_STORAGE_CLASS,
    endpoint,
    region: values.AWS_REGION,
  };
}

/** Each export would be uploaded, could not be read back, and be uploaded again. */
function checkStorageClass(reader: PartReader, profile: S3StoreConfiguration["profile"]): void {
  const { ARCHIVER_STORE_STORAGE_CLASS: storageClass, ARCHIVER_VERIFY: verify } = reader.values;
  const level = verify === "auto" ? S3_PROFILES[profile].verification : verify;
  if (level === "read-back" && storageClass !== undefined && ARCHIVE_CLASSES.has(storageClass)) {
    reader.note(
      "ARCHIVER_STORE_STORAGE_CLASS",
      `is ${storageClass}, but copies are proved by reading them back, and that class cannot be read`,
      "Take a class that can be read at once; a lifecycle rule of the bucket can move proved copies to an archive class.",
    );
  }
}

function readStoreCredentials(reader: PartReader): S3StoreConfiguration["credentials"] | undefined {
  if (reader.values.ARCHIVER_STORE_CREDENTIALS !== "huawei") {
    return { kind: "aws" };
  }
  const keys = readPlatformCredentials(reader);
  return keys === undefined ? undefined : { kind: "huawei", keys };
}

/** The profile behind `auto`: by endpoint; none is AWS, as for the SDK (architecture §7). */
function profileOf(endpoint: URL | undefined): S3StoreConfiguration["profile"] {
  const host = endpoint?.hostname;
  if (host === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(host)) {
    return "aws";
  }
  return /^([^.]+\.)?obs\.[^.]+\.my(huaweicloud\.com|huaweicloud\.eu)$/.test(host) ? "obs" : "generic";
}
