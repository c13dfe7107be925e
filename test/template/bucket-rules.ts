import { TAG } from "../../lib/retention/terms.ts";
import { differences, differencesOf } from "./expectations.ts";
import type { Rule } from "./rules.ts";
import { at, listOf, ofType, textOf } from "./template.ts";

const ENCRYPTION = "BucketEncryption/ServerSideEncryptionConfiguration/0";
const FOURTEEN_DAYS_S = 1_209_600;

/** Of what is kept: the queues and the buckets. */
export const BUCKET_RULES = {
  "every queue is encrypted and keeps its messages for 14 days": (template) =>
    ofType(template, "AWS::SQS::Queue").flatMap(([id, properties]) =>
      differences(id, properties, { SqsManagedSseEnabled: true, MessageRetentionPeriod: FOURTEEN_DAYS_S }),
    ),

  "SQS itself moves a task only after 1,000 receives": (template) =>
    differencesOf(template, "TaskQueue", {
      "RedrivePolicy/maxReceiveCount": 1000,
      "RedrivePolicy/deadLetterTargetArn": `\${DeadLetterQueue.Arn}`,
    }),

  "every bucket is encrypted, takes TLS only, and is closed to the public": (template) =>
    ofType(template, "AWS::S3::Bucket").flatMap(([id, properties]) => [
      ...differences(id, properties, {
        [`${ENCRYPTION}/ServerSideEncryptionByDefault/SSEAlgorithm`]: /^(AES256|aws:kms)$/,
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      }),
      ...(ofType(template, "AWS::S3::BucketPolicy").some(
        ([, policy]) =>
          textOf(policy.Bucket) === `\${${id}}` &&
          listOf(at(policy, "PolicyDocument/Statement")).some(
            (statement) =>
              at(statement, "Effect") === "Deny" &&
              at(statement, "Principal") === "*" &&
              at(statement, "Action") === "s3:*" &&
              listOf(at(statement, "Resource")).length === 2 &&
              textOf(at(statement, "Condition/Bool/aws:SecureTransport")) === "false",
          ),
      )
        ? []
        : [`${id} takes requests without TLS`]),
    ]),

  "a KMS key is used as a bucket key": (template) =>
    ofType(template, "AWS::S3::Bucket")
      .filter(([, { BucketEncryption }]) => textOf(BucketEncryption).includes("aws:kms"))
      .flatMap(([id, properties]) =>
        differences(id, properties, {
          [`${ENCRYPTION}/BucketKeyEnabled`]: true,
          [`${ENCRYPTION}/ServerSideEncryptionByDefault/KMSMasterKeyID`]: /^arn:aws:kms:/,
        }),
      ),

  "the archive outlives the stack": (template) =>
    ["ArchiveBucket", "ArchiveBucketPolicy"]
      .map((id) => ({ id, resource: template.Resources[id] }))
      .filter(
        ({ resource }) =>
          resource !== undefined &&
          (resource.DeletionPolicy !== "Retain" || resource.UpdateReplacePolicy !== "Retain"),
      )
      .map(({ id }) => `${id} goes with the stack`),

  "the archive is versioned, tells EventBridge, and locks nothing on its own": (template) =>
    ofType(template, "AWS::S3::Bucket")
      .filter(([id]) => id === "ArchiveBucket")
      .flatMap(([id, properties]) =>
        differences(id, properties, {
          "VersioningConfiguration/Status": "Enabled",
          "NotificationConfiguration/EventBridgeConfiguration/EventBridgeEnabled": true,
          "OwnershipControls/Rules/0/ObjectOwnership": "BucketOwnerEnforced",
          ObjectLockEnabled: /^(true|false)$/,
          ObjectLockConfiguration: null,
        }),
      ),

  "unfinished uploads and past state go after a day, exports get colder and never go": (template) =>
    ofType(template, "AWS::S3::Bucket")
      .filter(([id]) => id === "ArchiveBucket")
      .flatMap(([id, properties]) =>
        differences(id, properties, {
          "LifecycleConfiguration/Rules": [
            {
              Id: "unfinished-uploads",
              Status: "Enabled",
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
            },
            {
              Id: "colder-exports",
              Status: "Enabled",
              Prefix: "exports/",
              Transitions: [
                { StorageClass: "STANDARD_IA", TransitionInDays: 30 },
                { StorageClass: "GLACIER_IR", TransitionInDays: 90 },
              ],
            },
            ...["GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"].map((StorageClass) => ({
              Id: `tagged-${StorageClass.toLowerCase().replace("_", "-")}`,
              Status: "Enabled",
              Prefix: "exports/",
              TagFilters: [{ Key: TAG.storageClass, Value: StorageClass }],
              Transitions: [{ StorageClass, TransitionInDays: 0 }],
            })),
            {
              Id: "past-state",
              Status: "Enabled",
              Prefix: "state/",
              NoncurrentVersionExpiration: { NoncurrentDays: 1 },
            },
          ],
        }),
      ),
} as const satisfies Readonly<Record<string, Rule>>;
