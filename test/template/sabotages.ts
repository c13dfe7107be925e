import type { RuleName } from "./rules.ts";
import type { Json, Template } from "./template.ts";

/** One thing made wrong in a template: the value at a path below `Resources`, or none. */
export interface Sabotage {
  readonly what: string;
  readonly path: string;
  readonly to: Json | undefined;
  /** The rule that must see it. */
  readonly rule: RuleName;
}

const ALLOW = { Effect: "Allow", Action: "s3:*", Resource: "*" };
const ARCHIVE_POLICIES = "ArchiveRole/Properties/Policies";
const STATEMENT = "PolicyDocument/Statement";

const rows: readonly (readonly [RuleName, string, string, Json | undefined])[] = [
  ["the template is valid CloudFormation", "unknown type", "AlarmTopic/Type", "AWS::SNS::Topics"],
  ["the template is valid CloudFormation", "unknown property", "TaskQueue/Properties/Encrypted", true],
  [
    "the template is valid CloudFormation",
    "text for a number",
    "TaskQueue/Properties/VisibilityTimeout",
    "2 minutes",
  ],
  [
    "the template is valid CloudFormation",
    "text for a yes",
    "ArchiveBucket/Properties/ObjectLockEnabled",
    "no",
  ],
  [
    "the template is valid CloudFormation",
    "unknown property deep inside",
    "ArchiveNightSchedule/Properties/Target/RetryPolicy/MaximumAttempts",
    0,
  ],
  [
    "the template is valid CloudFormation",
    "missing property",
    "ArchiveRole/Properties/AssumeRolePolicyDocument",
    undefined,
  ],
  [
    "the template is valid CloudFormation",
    "list as an object",
    "ArchiveBucket/Properties/LifecycleConfiguration/Rules",
    { Id: "one" },
  ],
  [
    "the template is valid CloudFormation",
    "dangling Ref",
    "AlarmMail/Properties/TopicArn",
    { Ref: "AlertTopic" },
  ],
  [
    "the template is valid CloudFormation",
    "bad GetAtt",
    "ArchiveNightSchedule/Properties/Target/Arn",
    { "Fn::GetAtt": ["ArchiveLambdaFunction", "ARN"] },
  ],
  [
    "the template is valid CloudFormation",
    "dangling reference in a Sub",
    "AlarmMail/Properties/Endpoint",
    { "Fn::Sub": `\${AlarmTopics.TopicName}@example.com` },
  ],
  [
    "the template is valid CloudFormation",
    "dangling DependsOn",
    "ArchiveLambdaFunction/DependsOn",
    ["Nothing"],
  ],

  [
    "each role may do exactly what its function does",
    "archive may remove objects",
    `${ARCHIVE_POLICIES}/1/${STATEMENT}/1/Action`,
    ["s3:PutObject", "s3:DeleteObject"],
  ],
  [
    "each role may do exactly what its function does",
    "archive may write holds",
    `${ARCHIVE_POLICIES}/1/${STATEMENT}/1/Resource/6`,
    { "Fn::Sub": `\${ArchiveBucket.Arn}/holds/*` },
  ],
  [
    "each role may do exactly what its function does",
    "archive may list everything",
    `${ARCHIVE_POLICIES}/1/${STATEMENT}/3/Condition`,
    undefined,
  ],
  [
    "each role may do exactly what its function does",
    "archive may not acknowledge",
    `${ARCHIVE_POLICIES}/0/${STATEMENT}/2/Action/2`,
    "sqs:GetQueueUrl",
  ],
  [
    "each role may do exactly what its function does",
    "everything allowed",
    `${ARCHIVE_POLICIES}/0/${STATEMENT}/4`,
    ALLOW,
  ],
  [
    "each role may do exactly what its function does",
    "all but one thing allowed",
    `${ARCHIVE_POLICIES}/0/${STATEMENT}/4`,
    { Effect: "Allow", NotAction: "iam:*", Action: "s3:GetObject", Resource: "*" },
  ],
  [
    "each role may do exactly what its function does",
    "every secret",
    `DiscoverRole/Properties/Policies/0/${STATEMENT}/1/Resource`,
    "*",
  ],
  [
    "each role may do exactly what its function does",
    "a managed policy",
    "DiscoverRole/Properties/ManagedPolicyArns",
    ["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
  ],
  [
    "each role may do exactly what its function does",
    "a role that nobody knows",
    "SpareRole",
    {
      Type: "AWS::IAM::Role",
      Properties: { Policies: [{ PolicyName: "all", PolicyDocument: { Statement: [ALLOW] } }] },
    },
  ],
  [
    "each role may do exactly what its function does",
    "a policy beside the roles",
    "SparePolicy",
    {
      Type: "AWS::IAM::RolePolicy",
      Properties: {
        RoleName: { Ref: "ArchiveRole" },
        PolicyName: "all",
        PolicyDocument: { Statement: [ALLOW] },
      },
    },
  ],

  [
    "the functions' settings are accepted by the program",
    "misspelt setting",
    "ArchiveLambdaFunction/Properties/Environment/Variables/ARCHIVER_DELETION",
    "never",
  ],
  [
    "the functions' settings are accepted by the program",
    "no queue",
    "DiscoverLambdaFunction/Properties/Environment/Variables/ARCHIVER_QUEUE",
    undefined,
  ],

  [
    "functions run on arm64 and Node 24, log JSON, and keep their logs for a limited time",
    "another processor",
    "DiscoverLambdaFunction/Properties/Architectures",
    ["x86_64"],
  ],
  [
    "functions run on arm64 and Node 24, log JSON, and keep their logs for a limited time",
    "an older Node",
    "DiscoverLambdaFunction/Properties/Runtime",
    "nodejs20.x",
  ],
  [
    "functions run on arm64 and Node 24, log JSON, and keep their logs for a limited time",
    "plain logs",
    "ArchiveLambdaFunction/Properties/LoggingConfig",
    undefined,
  ],
  [
    "functions run on arm64 and Node 24, log JSON, and keep their logs for a limited time",
    "logs for ever",
    "ArchiveLogGroup/Properties/RetentionInDays",
    undefined,
  ],
  [
    "an archive run has 14 minutes, and is alone unless a parameter says otherwise",
    "the longest time there is",
    "ArchiveLambdaFunction/Properties/Timeout",
    900,
  ],
  [
    "an archive run has 14 minutes, and is alone unless a parameter says otherwise",
    "as many runs as come",
    "ArchiveLambdaFunction/Properties/ReservedConcurrentExecutions",
    undefined,
  ],
  ["what could not start is not started late", "Lambda's own repetition", "DiscoverLambdaEvConf", undefined],
  [
    "what could not start is not started late",
    "six hours of waiting",
    "ArchiveLambdaEvConf/Properties/MaximumEventAgeInSeconds",
    21_600,
  ],
  [
    "every function has a role of its own, for Lambda only",
    "a shared role",
    "DiscoverLambdaFunction/Properties/Role",
    { "Fn::GetAtt": ["ArchiveRole", "Arn"] },
  ],
  [
    "every function has a role of its own, for Lambda only",
    "a role for everybody",
    "ArchiveRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal",
    { AWS: "*" },
  ],
  [
    "schedules are never repeated, and their dead-letter queue lets them in",
    "185 repetitions",
    "ArchivePressureSchedule/Properties/Target/RetryPolicy",
    undefined,
  ],
  [
    "schedules are never repeated, and their dead-letter queue lets them in",
    "an hour's patience",
    "DiscoverSchedule/Properties/Target/RetryPolicy/MaximumEventAgeInSeconds",
    3600,
  ],
  [
    "schedules are never repeated, and their dead-letter queue lets them in",
    "no dead-letter queue",
    "ArchiveNightSchedule/Properties/Target/DeadLetterConfig",
    undefined,
  ],
  [
    "schedules are never repeated, and their dead-letter queue lets them in",
    "a dead-letter queue that nobody may write to",
    "DiscoverSchedule/Properties/Target/DeadLetterConfig/Arn",
    { "Fn::GetAtt": ["DeadLetterQueue", "Arn"] },
  ],
  [
    "schedules are never repeated, and their dead-letter queue lets them in",
    "a queue policy for another service",
    `ScheduleDeadLetterQueuePolicy/Properties/${STATEMENT}/0/Principal/Service`,
    "events.amazonaws.com",
  ],
  [
    "schedules are never repeated, and their dead-letter queue lets them in",
    "a role for everybody's schedules",
    "ArchiveScheduleRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition",
    undefined,
  ],
  [
    "discover runs every 10 minutes, archive every 15 by night, and hourly by day under pressure",
    "archiving all day",
    "ArchivePressureSchedule/Properties/Target/Input",
    '{"when":"always"}',
  ],
  [
    "discover runs every 10 minutes, archive every 15 by night, and hourly by day under pressure",
    "another time zone by day",
    "ArchivePressureSchedule/Properties/ScheduleExpressionTimezone",
    "Asia/Shanghai",
  ],
  [
    "night and day are the whole day, and do not overlap",
    "a gap",
    "ArchiveNightSchedule/Properties/ScheduleExpression",
    "cron(0/15 0-4 * * ? *)",
  ],
  [
    "night and day are the whole day, and do not overlap",
    "a range over midnight",
    "ArchiveNightSchedule/Properties/ScheduleExpression",
    "cron(0/15 22-5 * * ? *)",
  ],

  [
    "every queue is encrypted and keeps its messages for 14 days",
    "a queue in the clear",
    "DeadLetterQueue/Properties/SqsManagedSseEnabled",
    false,
  ],
  [
    "every queue is encrypted and keeps its messages for 14 days",
    "the default of 4 days",
    "TaskQueue/Properties/MessageRetentionPeriod",
    undefined,
  ],
  [
    "SQS itself moves a task only after 1,000 receives",
    "SQS gives tasks up",
    "TaskQueue/Properties/RedrivePolicy/maxReceiveCount",
    5,
  ],
  [
    "every bucket is encrypted, takes TLS only, and is closed to the public",
    "a bucket in the clear",
    "ArchiveBucket/Properties/BucketEncryption",
    undefined,
  ],
  [
    "every bucket is encrypted, takes TLS only, and is closed to the public",
    "HTTP",
    "ArchiveBucketPolicy",
    undefined,
  ],
  [
    "every bucket is encrypted, takes TLS only, and is closed to the public",
    "a bucket that may be made public",
    "ServerlessDeploymentBucket/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy",
    false,
  ],
  ["the archive outlives the stack", "gone with the stack", "ArchiveBucket/DeletionPolicy", "Delete"],
  [
    "the archive outlives the stack",
    "gone with a replacement",
    "ArchiveBucket/UpdateReplacePolicy",
    undefined,
  ],
  [
    "the archive is versioned, tells EventBridge, and locks nothing by itself",
    "no versions",
    "ArchiveBucket/Properties/VersioningConfiguration",
    undefined,
  ],
  [
    "the archive is versioned, tells EventBridge, and locks nothing by itself",
    "no events",
    "ArchiveBucket/Properties/NotificationConfiguration",
    undefined,
  ],
  [
    "the archive is versioned, tells EventBridge, and locks nothing by itself",
    "default retention",
    "ArchiveBucket/Properties/ObjectLockConfiguration",
    { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention: { Mode: "COMPLIANCE", Days: 1 } } },
  ],
  [
    "unfinished uploads and past state go after a day, exports get colder and never go",
    "exports expire",
    "ArchiveBucket/Properties/LifecycleConfiguration/Rules/1/ExpirationInDays",
    365,
  ],
  [
    "unfinished uploads and past state go after a day, exports get colder and never go",
    "uploads left open",
    "ArchiveBucket/Properties/LifecycleConfiguration/Rules/0/Status",
    "Disabled",
  ],

  ["there is an alarm for everything that a person must hear of", "no alarm", "ExportsLostAlarm", undefined],
  [
    "there is an alarm for everything that a person must hear of",
    "an alarm too late",
    "TasksHeldAlarm/Properties/Threshold",
    50,
  ],
  [
    "there is an alarm for everything that a person must hear of",
    "silence is fine",
    "NoCompletedRunAlarm/Properties/TreatMissingData",
    "notBreaching",
  ],
  [
    "every alarm tells the topic, which tells a person",
    "an alarm that tells nobody",
    "SystemFailuresAlarm/Properties/AlarmActions",
    [],
  ],
  [
    "every alarm tells the topic, which tells a person",
    "an alarm switched off",
    "SystemFailuresAlarm/Properties/ActionsEnabled",
    false,
  ],
  ["every alarm tells the topic, which tells a person", "a topic that tells nobody", "AlarmMail", undefined],
  [
    "the topic takes the alarms of this stack",
    "an alarm of another name",
    "TasksHeldAlarm/Properties/AlarmName",
    "tasks-held",
  ],
  [
    "alarms and dashboard look at metrics that the functions write",
    "a metric that nobody writes",
    "TasksHeldAlarm/Properties/MetricName",
    "HeldTasks",
  ],
  [
    "alarms and dashboard look at metrics that the functions write",
    "another service's metric",
    "DiscoverLambdaFunction/Properties/Environment/Variables/POWERTOOLS_SERVICE_NAME",
    "discover",
  ],
  [
    "the dashboard shows every number of the archiver",
    "an empty dashboard",
    "Dashboard/Properties/DashboardBody",
    '{"widgets":[{"properties":{"metrics":[["IotdaArchiver","TasksHeld"]]}}]}',
  ],
];

export const SABOTAGES: readonly Sabotage[] = rows.map(([rule, what, path, to]) => ({
  rule,
  what,
  path,
  to,
}));

/** What is made wrong in the encrypted variant. */
export const KMS_SABOTAGES: readonly Sabotage[] = [
  {
    rule: "a KMS key is used as a bucket key",
    what: "a request to KMS for every object",
    path: "ArchiveBucket/Properties/BucketEncryption/ServerSideEncryptionConfiguration/0/BucketKeyEnabled",
    to: undefined,
  },
  {
    rule: "each role may do exactly what its function does",
    what: "no permission to use the key",
    path: `${ARCHIVE_POLICIES}/2`,
    to: undefined,
  },
];

/** A copy of the template with one thing wrong. @throws when there is nothing at the path's parent. */
export function sabotaged(template: Template, { path, to }: Sabotage): Template {
  const copy = structuredClone(template);
  const names = path.split("/");
  const last = names.pop() ?? "";
  let parent: unknown = copy.Resources;
  for (const name of names) {
    parent = Reflect.get(containerOf(parent, path), name);
  }
  const container = containerOf(parent, path);
  if (to !== undefined) {
    Reflect.set(container, last, to);
  } else if (!Reflect.has(container, last)) {
    throw new Error(`nothing to remove at ${path}`);
  } else if (Array.isArray(container)) {
    container.splice(Number(last), 1);
  } else {
    Reflect.deleteProperty(container, last);
  }
  return copy;
}

function containerOf(value: unknown, path: string): object {
  if (typeof value !== "object" || value === null) {
    throw new Error(`nothing lies at ${path}`);
  }
  return value;
}
