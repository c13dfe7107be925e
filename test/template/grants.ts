import { at, fieldsOf, type Json, listOf, ofType, type Template, textOf } from "./template.ts";

/** Forms that no rule here reads: everything a role may do stands in the role. */
const POLICIES_ELSEWHERE = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"];

export type Grants = Readonly<Record<string, readonly string[]>>;

const BUCKET = `\${ArchiveBucket.Arn}`;
const SCHEDULE_LETTERS = `\${ScheduleDeadLetterQueue.Arn}`;
const keys = (...names: string[]) => names.map((name) => `${BUCKET}/${name}`);
const prefixes = (...names: string[]) => [
  `${BUCKET} if ${JSON.stringify({ StringLikeIfExists: { "s3:prefix": names } })}`,
];

/** What each role may do without its store: action, then resources. `%` stands for service and stage. */
const BASE: Readonly<Record<string, Grants>> = {
  ArchiveRole: {
    ...logsAndSecret("archive"),
    "sqs:ReceiveMessage": [`\${TaskQueue.Arn}`],
    "sqs:ChangeMessageVisibility": [`\${TaskQueue.Arn}`],
    "sqs:DeleteMessage": [`\${TaskQueue.Arn}`],
    "sqs:SendMessage": [`\${TaskQueue.Arn}`, `\${DeadLetterQueue.Arn}`],
  },
  ArchiveScheduleRole: {
    "lambda:InvokeFunction": [`\${ArchiveLambdaFunction.Arn}`],
    "sqs:SendMessage": [SCHEDULE_LETTERS],
  },
  DiscoverRole: { ...logsAndSecret("discover"), "sqs:SendMessage": [`\${TaskQueue.Arn}`] },
  ExportEventsRole: {
    ...logs("exportEvents"),
    "sqs:ReceiveMessage": [`\${EventQueue.Arn}`],
    "sqs:DeleteMessage": [`\${EventQueue.Arn}`],
    "sqs:GetQueueAttributes": [`\${EventQueue.Arn}`],
    "sqs:SendMessage": [`\${TaskQueue.Arn}`, `\${DeadLetterQueue.Arn}`],
    "secretsmanager:GetSecretValue": [`\${EventSecret}`],
  },
  DiscoverScheduleRole: {
    "lambda:InvokeFunction": [`\${DiscoverLambdaFunction.Arn}`],
    "sqs:SendMessage": [SCHEDULE_LETTERS],
  },
  RetainRole: logs("retain"),
  RetainScheduleRole: {
    "lambda:InvokeFunction": [`\${RetainLambdaFunction.Arn}`],
    "sqs:SendMessage": [SCHEDULE_LETTERS],
  },
  ExpireRole: logsAndSecret("expire"),
  ExpireScheduleRole: {
    "lambda:InvokeFunction": [`\${ExpireLambdaFunction.Arn}`],
    "sqs:SendMessage": [SCHEDULE_LETTERS],
  },
  InventoryRole: { ...logsAndSecret("inventory"), "sqs:SendMessage": [`\${TaskQueue.Arn}`] },
  InventoryScheduleRole: {
    "lambda:InvokeFunction": [`\${InventoryLambdaFunction.Arn}`],
    "sqs:SendMessage": [SCHEDULE_LETTERS],
  },
  ReportRole: {
    ...logsAndSecret("report"),
    "sqs:GetQueueAttributes": [`\${TaskQueue.Arn}`, `\${DeadLetterQueue.Arn}`],
    "sns:Publish": [`\${AlarmTopic}`, `${arnOf("sns")}:%-night*`],
  },
  DoctorRole: {
    ...logsAndSecret("doctor"),
    "sqs:GetQueueAttributes": [`\${TaskQueue.Arn}`, `\${DeadLetterQueue.Arn}`],
    "sns:GetTopicAttributes": [`\${AlarmTopic}`, `${arnOf("sns")}:%-night*`],
  },
  ReportScheduleRole: {
    "lambda:InvokeFunction": [`\${ReportLambdaFunction.Arn}`],
    "sqs:SendMessage": [SCHEDULE_LETTERS],
  },
};

/** What a store elsewhere adds, which is opened with the platform's access key. */
const WITHOUT_BUCKET: Readonly<Record<string, Grants>> = {
  RetainRole: secret(),
  ExportEventsRole: {
    "secretsmanager:GetSecretValue": [`\${EventSecret}`, ...Object.values(secret()).flat()],
  },
};

/** What is asked about an export's protection, and about the bucket. */
const PROTECTION: Grants = {
  "s3:GetObjectVersion": keys("exports/*"),
  "s3:GetObjectRetention": keys("exports/*"),
  "s3:GetObjectLegalHold": keys("exports/*"),
  "s3:GetObjectVersionTagging": keys("exports/*"),
  "s3:GetObjectTagging": keys("state/preflight.json"),
  "s3:AbortMultipartUpload": keys("state/preflight.json"),
  "s3:GetBucketObjectLockConfiguration": [BUCKET],
  "s3:ListBucketMultipartUploads": [BUCKET],
  "s3:ListBucketVersions": [BUCKET],
};

/** What a bucket of the stack adds. */
const WITH_BUCKET: Readonly<Record<string, Grants>> = {
  ArchiveRole: {
    "s3:GetObject": keys(
      "archive.json",
      "exports/*",
      "records/*",
      "dead-letters/*",
      "runs/*",
      "holds/*",
      "state/*",
    ),
    "s3:PutObject": keys(
      "archive.json",
      "exports/*",
      "records/*/archived*.json",
      "records/*/deleted*.json",
      "records/*/dead-letter*.json",
      "dead-letters/*",
      "runs/*",
      "state/pacing.json",
      "state/preflight.json",
      "state/store.json",
    ),
    "s3:AbortMultipartUpload": keys("exports/*", "state/preflight.json"),
    "s3:ListMultipartUploadParts": keys("exports/*", "state/preflight.json"),
    "s3:ListBucket": prefixes("exports/*", "holds/*", "records/*", "runs/*", "state/*"),
    "s3:ListBucketMultipartUploads": [BUCKET],
  },
  DiscoverRole: {
    "s3:GetObject": keys("archive.json", "exports/*", "records/*", "holds/*", "requests/*", "state/*"),
    "s3:PutObject": keys(
      "archive.json",
      "requests/*",
      "state/discovered.json",
      "state/preflight.json",
      "state/store.json",
    ),
    "s3:AbortMultipartUpload": keys("state/preflight.json"),
    "s3:ListBucket": prefixes("holds/*", "records/*", "requests/*", "state/*"),
    "s3:ListBucketMultipartUploads": [BUCKET],
  },
  RetainRole: {
    ...PROTECTION,
    "s3:GetObject": keys("archive.json", "catalogue/*", "records/*", "retention/*", "state/*"),
    "s3:PutObject": keys("records/*/retained*.json", "state/preflight.json", "state/store.json"),
    "s3:PutObjectRetention": keys("exports/*"),
    "s3:PutObjectVersionTagging": keys("exports/*"),
    "s3:ListBucket": prefixes("catalogue/*", "records/*", "state/*"),
  },
  ExpireRole: {
    ...PROTECTION,
    "s3:GetObject": keys("archive.json", "catalogue/*", "records/*", "holds/*", "retention/*", "state/*"),
    "s3:PutObject": keys(
      "records/*/expired*.json",
      "records/*/deleted*.json",
      "state/preflight.json",
      "state/store.json",
    ),
    "s3:DeleteObjectVersion": keys("exports/*"),
    "s3:ListBucket": prefixes("catalogue/*", "exports/*", "holds/*", "records/*", "state/*"),
  },
  InventoryRole: {
    "s3:GetObject": keys(
      "archive.json",
      "exports/*",
      "records/*",
      "holds/*",
      "catalogue/*",
      "verification/*",
      "state/*",
    ),
    "s3:GetObjectVersion": keys("exports/*"),
    "s3:PutObject": keys(
      "catalogue/*",
      "verification/*",
      "state/inventory/*",
      "state/preflight.json",
      "state/store.json",
    ),
    "s3:AbortMultipartUpload": keys("exports/*", "state/preflight.json"),
    "s3:ListBucket": prefixes("catalogue/*", "exports/*", "holds/*", "records/*", "state/*"),
    "s3:ListBucketMultipartUploads": [BUCKET],
    "s3:ListBucketVersions": [BUCKET],
  },
  ReportRole: {
    "s3:GetObject": keys(
      "archive.json",
      "catalogue/*",
      "expected/*",
      "notifications/*",
      "records/*",
      "reports/*",
      "runs/*",
      "state/*",
    ),
    "s3:PutObject": keys("notifications/*", "reports/*", "state/preflight.json", "state/store.json"),
    "s3:AbortMultipartUpload": keys("state/preflight.json"),
    "s3:ListBucket": prefixes("catalogue/*", "records/*", "runs/*", "state/*"),
    "s3:ListBucketMultipartUploads": [BUCKET],
  },
  DoctorRole: {
    "s3:GetObject": keys("archive.json", "expected/*", "notifications/*", "retention/*", "runs/*", "state/*"),
    "s3:ListBucket": prefixes("holds/*", "records/*", "runs/*", "state/*"),
    "s3:ListBucketMultipartUploads": [BUCKET],
    "s3:GetBucketVersioning": [BUCKET],
    "s3:GetLifecycleConfiguration": [BUCKET],
  },
  ExportEventsRole: {
    "s3:GetObject": keys(
      "archive.json",
      "records/*/archived*.json",
      "requests/*",
      "state/preflight.json",
      "state/preflight-missing.json",
      "state/store.json",
    ),
    "s3:PutObject": keys("requests/*", "state/preflight.json", "state/store.json"),
    "s3:AbortMultipartUpload": keys("state/preflight.json"),
    "s3:ListBucket": prefixes("records/*", "state/preflight.json"),
    "s3:ListBucketMultipartUploads": [BUCKET],
  },
};

function logsAndSecret(functionName: string): Grants {
  return { ...logs(functionName), ...secret() };
}

function logs(functionName: string): Grants {
  const streams = [`${arnOf("logs")}:log-group:/aws/lambda/%-${functionName}:log-stream:*`];
  return { "logs:CreateLogStream": streams, "logs:PutLogEvents": streams };
}

function secret(): Grants {
  return {
    "secretsmanager:GetSecretValue": [`${arnOf("secretsmanager")}:secret:iotda-archiver/@-??????`],
  };
}

function arnOf(service: string): string {
  return `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}`;
}

/** S3 uses the bucket's key in a function's name; the function itself may not. */
const THROUGH_S3 = { "kms:ViaService": { "Fn::Sub": `s3.\${AWS::Region}.amazonaws.com` } };

/** Every action that some role may have. */
export const GRANTED_ACTIONS: ReadonlySet<string> = new Set(
  [...Object.values(BASE), ...Object.values(WITH_BUCKET)].flatMap((grants) => Object.keys(grants)),
);

/** Every permission that a role has too much or too little, for functions of a stage and its kind of store. */
export function problemsOfGrants(template: Template, stage: string): string[] {
  const roles = new Map(ofType(template, "AWS::IAM::Role"));
  const names = new Set([...roles.keys(), ...Object.keys(BASE)]);
  const elsewhere = POLICIES_ELSEWHERE.flatMap((type) => ofType(template, type)).map(
    ([policy]) => `${policy} gives permissions outside of the roles`,
  );
  const inRoles = [...names].flatMap((role) => {
    const expected = expectedOf(template, role, stage);
    const granted = grantsOf(roles.get(role) ?? {});
    const excess = granted.difference(expected);
    const lack = expected.difference(granted);
    return [
      ...[...excess].map((grant) => `${role} may ${grant}`),
      ...[...lack].map((grant) => `${role} may not ${grant}`),
    ];
  });
  return [...elsewhere, ...inRoles];
}

/** Whether a role may send a request to the bucket: an action on a key, or on a listing's prefix. */
export function mayInBucket(role: string, action: string, on: { key: string } | { prefix: string }): boolean {
  const resources = WITH_BUCKET[role]?.[action] ?? [];
  if (resources.includes(BUCKET)) {
    return "prefix" in on;
  }
  const patterns = resources.flatMap((resource) =>
    "key" in on
      ? [resource.slice(BUCKET.length + 1)]
      : [...resource.matchAll(/"([a-z-]+\/[^"]+)"/g)].map(([, pattern = ""]) => pattern),
  );
  const text = "key" in on ? on.key : on.prefix;
  return patterns.some((pattern) => matchesWildcards(text, pattern));
}

/** The keys of the bucket on which a role may do something, as patterns. */
export function keysInBucket(role: string, action: string): readonly string[] {
  const resources = WITH_BUCKET[role]?.[action] ?? [];
  return resources
    .filter((resource) => resource.startsWith(`${BUCKET}/`))
    .map((resource) => resource.slice(BUCKET.length + 1));
}

/** As IAM compares: `*` stands for any characters, slashes too. */
export function matchesWildcards(text: string, pattern: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[^A-Za-z0-9/_-]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}

function expectedOf(template: Template, role: string, stage: string): Set<string> {
  const bucket = template.Resources.ArchiveBucket;
  const encryption = "BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault";
  const key = at(bucket?.Properties, `${encryption}/KMSMasterKeyID`);
  const withBucket = (bucket === undefined ? WITHOUT_BUCKET : WITH_BUCKET)[role] ?? {};
  const throughS3 = [`${textOf(key)} if ${JSON.stringify({ StringEquals: THROUGH_S3 })}`];
  const withKey: Grants =
    key === undefined || WITH_BUCKET[role] === undefined
      ? {}
      : { "kms:GenerateDataKey": throughS3, "kms:Decrypt": throughS3 };
  const grants = { ...BASE[role], ...withBucket, ...withKey };
  return new Set(
    Object.entries(grants).flatMap(([action, resources]) =>
      resources.map(
        (resource) =>
          `${action} on ${resource.replace("%", `iotda-archiver-${stage}`).replace("/@-", `/${stage}-`)}`,
      ),
    ),
  );
}

function grantsOf(role: { [name: string]: Json }): Set<string> {
  const statements = listOf(role.Policies).flatMap((policy) =>
    listOf(at(policy, "PolicyDocument/Statement")),
  );
  const managed = listOf(role.ManagedPolicyArns).map((arn) => `whatever ${textOf(arn)} says`);
  const granted = statements.flatMap((statement) => {
    // Any other form of statement than the plain one shows as an unexpected grant.
    const { Sid: _name, Effect, Action, Resource, Condition, ...other } = fieldsOf(statement);
    const rest = Effect === "Allow" && Object.keys(other).length === 0 ? "" : JSON.stringify(statement);
    const condition = Condition === undefined ? "" : ` if ${JSON.stringify(Condition)}`;
    return listOf(Action).flatMap((action) =>
      listOf(Resource).map((resource) => `${textOf(action)} on ${textOf(resource)}${condition}${rest}`),
    );
  });
  return new Set([...granted, ...managed]);
}
