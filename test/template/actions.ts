/** The requests that functions send, by the SDK's command, with the permission each needs. */
export const ACTIONS_OF_COMMANDS: Readonly<Record<string, string | "not sent by functions">> = {
  HeadObjectCommand: "s3:GetObject",
  GetObjectCommand: "s3:GetObject",
  PutObjectCommand: "s3:PutObject",
  CreateMultipartUploadCommand: "s3:PutObject",
  UploadPartCommand: "s3:PutObject",
  CompleteMultipartUploadCommand: "s3:PutObject",
  AbortMultipartUploadCommand: "s3:AbortMultipartUpload",
  ListPartsCommand: "s3:ListMultipartUploadParts",
  ListObjectsCommand: "s3:ListBucket",
  ListObjectsV2Command: "s3:ListBucket",
  ListMultipartUploadsCommand: "s3:ListBucketMultipartUploads",
  ReceiveMessageCommand: "sqs:ReceiveMessage",
  ChangeMessageVisibilityCommand: "sqs:ChangeMessageVisibility",
  DeleteMessageCommand: "sqs:DeleteMessage",
  SendMessageBatchCommand: "sqs:SendMessage",
  GetQueueAttributesCommand: "sqs:GetQueueAttributes",
  GetBucketVersioningCommand: "s3:GetBucketVersioning",
  GetBucketLifecycleConfigurationCommand: "s3:GetLifecycleConfiguration",
  // `sweep`, and the views of an operator: with the operator's own permissions.
  DeleteObjectCommand: "not sent by functions",
  ChangeMessageVisibilityBatchCommand: "not sent by functions",
  GetObjectLockConfigurationCommand: "s3:GetBucketObjectLockConfiguration",
  GetObjectRetentionCommand: "s3:GetObjectRetention",
  PutObjectRetentionCommand: "s3:PutObjectRetention",
  GetObjectTaggingCommand: "s3:GetObjectTagging",
  // Always of one version.
  PutObjectTaggingCommand: "not sent by functions",
};

/** The same with the id of a version, where that needs another permission. */
export const ACTIONS_OF_VERSIONS: Readonly<Record<string, string>> = {
  HeadObjectCommand: "s3:GetObjectVersion",
  GetObjectCommand: "s3:GetObjectVersion",
  GetObjectTaggingCommand: "s3:GetObjectVersionTagging",
  PutObjectTaggingCommand: "s3:PutObjectVersionTagging",
  DeleteObjectCommand: "s3:DeleteObjectVersion",
};

/** What a HEAD shows only to those who may: legal holds, and that a version is not there. */
export const ACTIONS_OF_NO_REQUEST = ["s3:GetObjectLegalHold", "s3:ListBucketVersions"];
/** What Lambda does on behalf of a function that a queue starts. */
export const ACTIONS_OF_LAMBDA: readonly string[] = [
  "sqs:ReceiveMessage",
  "sqs:DeleteMessage",
  "sqs:GetQueueAttributes",
];
