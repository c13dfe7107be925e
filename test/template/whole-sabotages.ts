import type { WHOLE_RULES } from "./rules.ts";
import type { Wrongs } from "./sabotages.ts";

export const WHOLE_SABOTAGES = {
  "the template is valid CloudFormation": [
    ["unknown type", "AlarmTopic/Type", "AWS::SNS::Topics"],
    ["unknown property", "TaskQueue/Properties/Encrypted", true],
    ["text for a number", "TaskQueue/Properties/VisibilityTimeout", "2 minutes"],
    ["text for a yes", "ArchiveBucket/Properties/ObjectLockEnabled", "no"],
    ["unknown property deep inside", "ArchiveNightSchedule/Properties/Target/RetryPolicy/MaximumAttempts", 0],
    ["missing property", "ArchiveRole/Properties/AssumeRolePolicyDocument", undefined],
    ["list as an object", "ArchiveBucket/Properties/LifecycleConfiguration/Rules", { Id: "one" }],
    ["dangling Ref", "AlarmMail/Properties/TopicArn", { Ref: "AlertTopic" }],
    [
      "bad GetAtt",
      "ArchiveNightSchedule/Properties/Target/Arn",
      { "Fn::GetAtt": ["ArchiveLambdaFunction", "ARN"] },
    ],
    [
      "dangling reference in a Sub",
      "AlarmMail/Properties/Endpoint",
      { "Fn::Sub": `\${AlarmTopics.TopicName}@example.com` },
    ],
    ["dangling DependsOn", "ArchiveLambdaFunction/DependsOn", ["Nothing"]],
  ],
  "each role may do exactly what its function does": [
    [
      "archive may remove objects",
      "ArchiveRole/Properties/Policies/1/PolicyDocument/Statement/1/Action",
      ["s3:PutObject", "s3:DeleteObject"],
    ],
    [
      "exportEvents may read every secret",
      "ExportEventsRole/Properties/Policies/0/PolicyDocument/Statement/4/Resource",
      "*",
    ],
    [
      "exportEvents may not read the event secret",
      "ExportEventsRole/Properties/Policies/0/PolicyDocument/Statement/4",
      undefined,
    ],
    [
      "discover may read the event secret",
      "DiscoverRole/Properties/Policies/0/PolicyDocument/Statement/1/Resource",
      { Ref: "EventSecret" },
    ],
    [
      "archive may write holds",
      "ArchiveRole/Properties/Policies/1/PolicyDocument/Statement/1/Resource/10",
      { "Fn::Sub": `\${ArchiveBucket.Arn}/holds/*` },
    ],
    ...(
      [
        ["Archive", "retained", 1],
        ["Archive", "expired", 1],
        ["Retain", "archived", 3],
        ["Expire", "archived", 3],
        ["Inventory", "expired", 2],
        ["Report", "dead-letter", 1],
      ] as const
    ).map(
      ([role, kind, statement]) =>
        [
          `${role} may write the record ${kind}`,
          `${role}Role/Properties/Policies/1/PolicyDocument/Statement/${statement}/Resource/1`,
          { "Fn::Sub": `\${ArchiveBucket.Arn}/records/*/${kind}*.json` },
        ] as const,
    ),
    [
      "archive may write every kind of record",
      "ArchiveRole/Properties/Policies/1/PolicyDocument/Statement/1/Resource/1",
      { "Fn::Sub": `\${ArchiveBucket.Arn}/records/*` },
    ],
    [
      "archive may not say which archive it begins",
      "ArchiveRole/Properties/Policies/1/PolicyDocument/Statement/1/Resource/0",
      undefined,
    ],
    ...(
      [
        ["Retain", 3, 3],
        ["Expire", 3, 4],
        ["Inventory", 2, 5],
        ["Report", 1, 4],
        ["ExportEvents", 1, 3],
      ] as const
    ).map(
      ([role, statement, end]) =>
        [
          `${role} may write archive.json`,
          `${role}Role/Properties/Policies/1/PolicyDocument/Statement/${statement}/Resource/${end}`,
          { "Fn::Sub": `\${ArchiveBucket.Arn}/archive.json` },
        ] as const,
    ),
    [
      "events may not see which archive it is",
      "ExportEventsRole/Properties/Policies/1/PolicyDocument/Statement/0/Resource/0",
      undefined,
    ],
    [
      "events may not remember what the store can do",
      "ExportEventsRole/Properties/Policies/1/PolicyDocument/Statement/1/Resource/2",
      undefined,
    ],
    [
      "archive may list everything",
      "ArchiveRole/Properties/Policies/1/PolicyDocument/Statement/3/Condition",
      undefined,
    ],
    [
      "archive may not acknowledge",
      "ArchiveRole/Properties/Policies/0/PolicyDocument/Statement/2/Action/2",
      "sqs:GetQueueUrl",
    ],
    [
      "retain may remove",
      "RetainRole/Properties/Policies/1/PolicyDocument/Statement/2/Action",
      ["s3:PutObjectRetention", "s3:PutObjectVersionTagging", "s3:DeleteObjectVersion"],
    ],
    [
      "retain may write exports",
      "RetainRole/Properties/Policies/1/PolicyDocument/Statement/3/Resource/0",
      { "Fn::Sub": `\${ArchiveBucket.Arn}/exports/*` },
    ],
    [
      "retain may bypass locks",
      "RetainRole/Properties/Policies/1/PolicyDocument/Statement/2/Action/2",
      "s3:BypassGovernanceRetention",
    ],
    [
      "expire may remove records",
      "ExpireRole/Properties/Policies/1/PolicyDocument/Statement/2/Resource",
      { "Fn::Sub": `\${ArchiveBucket.Arn}/*` },
    ],
    [
      "expire may hide objects",
      "ExpireRole/Properties/Policies/1/PolicyDocument/Statement/2/Action",
      ["s3:DeleteObjectVersion", "s3:DeleteObject"],
    ],
    [
      "expire may not see legal holds",
      "ExpireRole/Properties/Policies/1/PolicyDocument/Statement/1/Action/2",
      undefined,
    ],
    [
      "inventory may write exports",
      "InventoryRole/Properties/Policies/1/PolicyDocument/Statement/2/Resource/0",
      { "Fn::Sub": `\${ArchiveBucket.Arn}/exports/*` },
    ],
    [
      "inventory may write every state, the pace of downloads too",
      "InventoryRole/Properties/Policies/1/PolicyDocument/Statement/2/Resource/2",
      { "Fn::Sub": `\${ArchiveBucket.Arn}/state/*` },
    ],
    [
      "inventory may not see that a version is gone",
      "InventoryRole/Properties/Policies/1/PolicyDocument/Statement/5/Action/1",
      undefined,
    ],
    [
      "inventory may send dead letters",
      "InventoryRole/Properties/Policies/0/PolicyDocument/Statement/2/Resource",
      { "Fn::GetAtt": ["DeadLetterQueue", "Arn"] },
    ],
    [
      "inventory may not end uploads",
      "InventoryRole/Properties/Policies/1/PolicyDocument/Statement/3/Resource/0",
      undefined,
    ],
    [
      "report may take messages",
      "ReportRole/Properties/Policies/0/PolicyDocument/Statement/2/Action",
      ["sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
    ],
    [
      "report may write to every topic",
      "ReportRole/Properties/Policies/0/PolicyDocument/Statement/3/Resource/1",
      "*",
    ],
    ["report may tell no topic", "ReportRole/Properties/Policies/0/PolicyDocument/Statement/3", undefined],
    [
      "report may write run reports",
      "ReportRole/Properties/Policies/1/PolicyDocument/Statement/1/Resource/1",
      { "Fn::Sub": `\${ArchiveBucket.Arn}/runs/*` },
    ],
    [
      "report may read exports",
      "ReportRole/Properties/Policies/1/PolicyDocument/Statement/0/Resource/2",
      { "Fn::Sub": `\${ArchiveBucket.Arn}/exports/*` },
    ],
    [
      "everything allowed",
      "ArchiveRole/Properties/Policies/0/PolicyDocument/Statement/4",
      { Effect: "Allow", Action: "s3:*", Resource: "*" },
    ],
    [
      "all but one thing allowed",
      "ArchiveRole/Properties/Policies/0/PolicyDocument/Statement/4",
      { Effect: "Allow", NotAction: "iam:*", Action: "s3:GetObject", Resource: "*" },
    ],
    [
      "events may write exports",
      "ExportEventsRole/Properties/Policies/1/PolicyDocument/Statement/1/Resource/0",
      { "Fn::Sub": `\${ArchiveBucket.Arn}/exports/*` },
    ],
    ["every secret", "DiscoverRole/Properties/Policies/0/PolicyDocument/Statement/1/Resource", "*"],
    [
      "a managed policy",
      "DiscoverRole/Properties/ManagedPolicyArns",
      ["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
    ],
    [
      "an unknown role",
      "SpareRole",
      {
        Type: "AWS::IAM::Role",
        Properties: {
          Policies: [
            {
              PolicyName: "all",
              PolicyDocument: { Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] },
            },
          ],
        },
      },
    ],
    [
      "a policy beside the roles",
      "SparePolicy",
      {
        Type: "AWS::IAM::RolePolicy",
        Properties: {
          RoleName: { Ref: "ArchiveRole" },
          PolicyName: "all",
          PolicyDocument: { Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] },
        },
      },
    ],
  ],
  "the functions' settings are accepted by the program": [
    ["misspelt setting", "ArchiveLambdaFunction/Properties/Environment/Variables/ARCHIVER_DELETION", "never"],
    [
      "a policy without a default",
      "RetainLambdaFunction/Properties/Environment/Variables/ARCHIVER_RETENTION_POLICY",
      '{"schemaVersion":1}',
    ],
    [
      "no policy",
      "ExpireLambdaFunction/Properties/Environment/Variables/ARCHIVER_RETENTION_POLICY",
      undefined,
    ],
    [
      "a status that there is not",
      "ExportEventsLambdaFunction/Properties/Environment/Variables/ARCHIVER_EXPORT_ON",
      "any:Finished",
    ],
    [
      "a share of a byte",
      "InventoryLambdaFunction/Properties/Environment/Variables/ARCHIVER_VERIFY_BYTES_PER_DAY",
      "0.5",
    ],
    [
      "a list of expected exports without rules",
      "ReportLambdaFunction/Properties/Environment/Variables/ARCHIVER_EXPECT",
      '{"rules":{}}',
    ],
    ["a third language", "ReportLambdaFunction/Properties/Environment/Variables/ARCHIVER_LANGUAGE", "de"],
    ["no queue", "DiscoverLambdaFunction/Properties/Environment/Variables/ARCHIVER_QUEUE", undefined],
  ],
} as const satisfies Wrongs<keyof typeof WHOLE_RULES>;
