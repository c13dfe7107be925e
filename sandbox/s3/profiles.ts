import type { S3SettingsInput } from "./settings.ts";

/** Stores as clients meet them, as settings. Single settings can still be changed on top. */
export const s3Profiles = {
  /** AWS: everything documented is there. */
  aws: { completionRepeated: "same-answer", defaultChecksum: "CRC64NVME" },
  /**
   * Huawei OBS (iotda-api §5.2): Content-MD5 only, no conditions, no aws-chunked, parts from 100 KiB, lists by
   * version 1 only and as they are, a 404 for no tags.
   */
  obs: {
    region: "cn-north-4",
    checksums: false,
    awsChunked: "refused",
    createOncePut: "ignored",
    createOnceCompletion: "ignored",
    compareAndSwap: "ignored",
    minPartBytes: 100 * 1024,
    listObjectsV2: false,
    listEncoding: false,
    noTags: "no-such-tag-set",
  },
  /** The least an S3-compatible store offers; conditions are refused out loud. */
  "generic-poorest": {
    checksums: false,
    awsChunked: "refused",
    createOncePut: "not-implemented",
    createOnceCompletion: "not-implemented",
    compareAndSwap: "not-implemented",
    maxPageEntries: 2,
  },
  /** Like Ceph RGW 20: checksums, trailers and conditions. */
  "generic-rich": {},
} as const satisfies Record<string, S3SettingsInput>;

export type S3ProfileName = keyof typeof s3Profiles;
