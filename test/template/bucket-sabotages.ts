import type { BUCKET_RULES } from "./bucket-rules.ts";
import type { Wrongs } from "./sabotages.ts";

export const BUCKET_SABOTAGES = {
  "every queue is encrypted and keeps its messages for 14 days": [
    ["a queue in the clear", "DeadLetterQueue/Properties/SqsManagedSseEnabled", false],
    ["the default of 4 days", "TaskQueue/Properties/MessageRetentionPeriod", undefined],
  ],
  "SQS itself moves a task only after 1,000 receives": [
    ["SQS gives tasks up", "TaskQueue/Properties/RedrivePolicy/maxReceiveCount", 5],
  ],
  "every bucket is encrypted, takes TLS only, and is closed to the public": [
    ["a bucket in the clear", "ArchiveBucket/Properties/BucketEncryption", undefined],
    ["HTTP", "ArchiveBucketPolicy", undefined],
    [
      "a bucket that may be made public",
      "ServerlessDeploymentBucket/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy",
      false,
    ],
  ],
  "a KMS key is used as a bucket key": [],
  "the archive outlives the stack": [
    ["gone with the stack", "ArchiveBucket/DeletionPolicy", "Delete"],
    ["gone with a replacement", "ArchiveBucket/UpdateReplacePolicy", undefined],
  ],
  "the archive is versioned, tells EventBridge, and locks nothing on its own": [
    ["no versions", "ArchiveBucket/Properties/VersioningConfiguration", undefined],
    ["no events", "ArchiveBucket/Properties/NotificationConfiguration", undefined],
    [
      "default retention",
      "ArchiveBucket/Properties/ObjectLockConfiguration",
      { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention: { Mode: "COMPLIANCE", Days: 1 } } },
    ],
  ],
  "unfinished uploads and past state go after a day, exports get colder and never go": [
    ["exports expire", "ArchiveBucket/Properties/LifecycleConfiguration/Rules/1/ExpirationInDays", 365],
    [
      "a tag that no function writes",
      "ArchiveBucket/Properties/LifecycleConfiguration/Rules/2/TagFilters/0/Key",
      "storage-class",
    ],
    ["uploads left open", "ArchiveBucket/Properties/LifecycleConfiguration/Rules/0/Status", "Disabled"],
  ],
} as const satisfies Wrongs<keyof typeof BUCKET_RULES>;
