import * as v from "valibot";

const nonEmpty = v.pipe(v.string(), v.minLength(1));
const positive = v.pipe(v.number(), v.integer(), v.minValue(1));

const accountSchema = v.strictObject({
  accessKeyId: nonEmpty,
  secretAccessKey: nonEmpty,
  /** Set for a temporary pair: every request must then send and sign the same token. */
  sessionToken: v.optional(nonEmpty),
  /** A temporary pair whose time is over: `ExpiredToken`. */
  expired: v.optional(v.boolean(), false),
});
export type Account = v.InferOutput<typeof accountSchema>;

const bucketSchema = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)),
  versioning: v.optional(v.boolean(), false),
  /** Versions were kept once: `Suspended` where versioning is off. */
  versioningSuspended: v.optional(v.boolean(), false),
  /** What is told of it: the stand-in itself removes nothing for its age. */
  lifecycle: v.optional(
    v.array(
      v.strictObject({
        id: nonEmpty,
        status: v.optional(v.picklist(["Enabled", "Disabled"]), "Enabled"),
        prefix: v.optional(v.string(), ""),
        tag: v.optional(v.strictObject({ key: nonEmpty, value: v.string() })),
        expireAfterDays: v.optional(positive),
      }),
    ),
    [],
  ),
  /** Object lock needs versioning. With default retention every PUT is a locked one. */
  objectLock: v.optional(
    v.strictObject({
      defaultRetention: v.optional(
        v.strictObject({ mode: v.picklist(["GOVERNANCE", "COMPLIANCE"]), days: positive }),
      ),
    }),
  ),
});
export type BucketSettings = v.InferOutput<typeof bucketSchema>;

/** What becomes of a condition: held to, not even read, or `501 NotImplemented`. */
const conditionSupport = v.picklist(["supported", "ignored", "not-implemented"]);
export type ConditionSupport = v.InferOutput<typeof conditionSupport>;

/** Everything the stand-in can be told. The defaults are AWS; `profiles.ts` has the others. */
export const settingsSchema = v.strictObject({
  accounts: v.optional(v.pipe(v.array(accountSchema), v.minLength(1)), [
    { accessKeyId: "S3SANDBOXKEY00000001", secretAccessKey: "s3SandboxSecret0123456789abcdefghijklmno" },
  ]),
  region: v.optional(nonEmpty, "us-east-1"),
  buckets: v.optional(v.pipe(v.array(bucketSchema), v.minLength(1)), [{ name: "archive" }]),
  /** How far the store's clock is ahead of the real one. */
  clockSkewMs: v.optional(v.pipe(v.number(), v.finite()), 0),
  /** Whether `Content-MD5` is compared with the body. */
  contentMd5: v.optional(v.picklist(["verified", "ignored"]), "verified"),
  /** Off: `x-amz-checksum-*` is not even read, as OBS is reported to do (iotda-api §5.2). */
  checksums: v.optional(v.boolean(), true),
  /** The checksum of an object that was sent without one; AWS adds a CRC64NVME. Slow for large bodies. */
  defaultChecksum: v.optional(v.picklist(["none", "CRC64NVME"]), "none"),
  /** `stored`: the framing ends up inside the object, as in some stores (iotda-api §5.2). */
  awsChunked: v.optional(v.picklist(["decoded", "stored", "refused"]), "decoded"),
  /** `If-None-Match: *`. */
  createOncePut: v.optional(conditionSupport, "supported"),
  createOnceCompletion: v.optional(conditionSupport, "supported"),
  /** `If-Match` on PutObject. */
  compareAndSwap: v.optional(conditionSupport, "supported"),
  minPartBytes: v.optional(positive, 5 * 1024 * 1024),
  maxPartNumber: v.optional(positive, 10_000),
  /** The most entries one page of any list has, whatever the request asks for. */
  maxPageEntries: v.optional(positive, 1000),
  /**
   * Off: `list-type` is not even read, so that version 1 answers, as OBS does (minio-go #1703); every page
   * that is not the last then names a NextMarker.
   */
  listObjectsV2: v.optional(v.boolean(), true),
  /** Off: `encoding-type` is not even read. */
  listEncoding: v.optional(v.boolean(), true),
  /** What is answered to the question for the tags of an object that has none. */
  noTags: v.optional(v.picklist(["empty-set", "no-such-tag-set"]), "empty-set"),
  /** A completion that is repeated after it succeeded. */
  completionRepeated: v.optional(v.picklist(["same-answer", "no-such-upload"]), "no-such-upload"),
  /** `hashed`: of a body over 256 KiB only the digests are kept, reading it is `501`. For benchmarks. */
  largeBodies: v.optional(v.picklist(["kept", "hashed"]), "kept"),
  /** Whether the log has the SHA-256 of bodies that no rule needs it for. Costs time. */
  logBodyHashes: v.optional(v.boolean(), true),
});

export type S3SettingsInput = v.InferInput<typeof settingsSchema>;
export type S3Settings = v.InferOutput<typeof settingsSchema>;

/** A change to running settings: only the named fields change. */
export const settingsPatchSchema = v.partial(settingsSchema);
export type S3SettingsPatch = v.InferOutput<typeof settingsPatchSchema>;

export function changedSettings(settings: S3Settings, patch: S3SettingsPatch): S3Settings {
  return v.parse(settingsSchema, { ...settings, ...patch });
}
