import type { FUNCTION_RULES } from "./function-rules.ts";
import type { Wrongs } from "./sabotages.ts";

export const FUNCTION_SABOTAGES = {
  "functions run on arm64 and Node 24, log JSON from DEBUG on, and keep their logs for a limited time": [
    ["another processor", "DiscoverLambdaFunction/Properties/Architectures", ["x86_64"]],
    ["an older Node", "DiscoverLambdaFunction/Properties/Runtime", "nodejs20.x"],
    ["plain logs", "ArchiveLambdaFunction/Properties/LoggingConfig", undefined],
    [
      "a level above the program's own",
      "ArchiveLambdaFunction/Properties/LoggingConfig/ApplicationLogLevel",
      undefined,
    ],
    ["logs for ever", "ArchiveLogGroup/Properties/RetentionInDays", undefined],
  ],
  "an archive run has 14 minutes, and is alone unless a parameter says otherwise": [
    ["the longest time there is", "ArchiveLambdaFunction/Properties/Timeout", 900],
    ["as many runs as come", "ArchiveLambdaFunction/Properties/ReservedConcurrentExecutions", undefined],
  ],
  "an inventory has 14 minutes, memory for a large archive, and reads copies again as the stage says": [
    ["a time limit as discover has", "InventoryLambdaFunction/Properties/Timeout", 300],
    ["as little memory as discover", "InventoryLambdaFunction/Properties/MemorySize", 256],
    [
      "a limit of a year",
      "InventoryLambdaFunction/Properties/Environment/Variables/ARCHIVER_VERIFY_WITHIN_DAYS",
      "365",
    ],
    [
      "no budget of the stage's",
      "InventoryLambdaFunction/Properties/Environment/Variables/ARCHIVER_VERIFY_BYTES_PER_DAY",
      undefined,
    ],
  ],
  "a report is made in the time zone of its timer, and told to the topic of the alarms": [
    [
      "days of another zone",
      "ReportLambdaFunction/Properties/Environment/Variables/ARCHIVER_TIME_ZONE",
      "Asia/Shanghai",
    ],
    ["days of UTC", "ReportLambdaFunction/Properties/Environment/Variables/ARCHIVER_TIME_ZONE", undefined],
    ["no target is told", "ReportLambdaFunction/Properties/Environment/Variables/ARCHIVER_NOTIFY", undefined],
    [
      "good nights are silent",
      "ReportLambdaFunction/Properties/Environment/Variables/ARCHIVER_NOTIFY_ON",
      "problems",
    ],
    ["a minute for everything", "ReportLambdaFunction/Properties/Timeout", 60],
  ],
  "what could not start is not started late": [
    ["Lambda's own repetition", "DiscoverLambdaEvConf", undefined],
    ["six hours of waiting", "ArchiveLambdaEvConf/Properties/MaximumEventAgeInSeconds", 21600],
  ],
  "every function has a role of its own, for Lambda only": [
    ["a shared role", "DiscoverLambdaFunction/Properties/Role", { "Fn::GetAtt": ["ArchiveRole", "Arn"] }],
    [
      "a role for everybody",
      "ArchiveRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal",
      { AWS: "*" },
    ],
  ],
  "schedules are never repeated, and their dead-letter queue lets them in": [
    ["185 repetitions", "ArchivePressureSchedule/Properties/Target/RetryPolicy", undefined],
    ["an hour's patience", "DiscoverSchedule/Properties/Target/RetryPolicy/MaximumEventAgeInSeconds", 3600],
    ["no dead-letter queue", "ArchiveNightSchedule/Properties/Target/DeadLetterConfig", undefined],
    [
      "a dead-letter queue that no function may write to",
      "DiscoverSchedule/Properties/Target/DeadLetterConfig/Arn",
      { "Fn::GetAtt": ["DeadLetterQueue", "Arn"] },
    ],
    [
      "a queue policy for another service",
      "ScheduleDeadLetterQueuePolicy/Properties/PolicyDocument/Statement/0/Principal/Service",
      "events.amazonaws.com",
    ],
    [
      "a role for everybody's schedules",
      "ArchiveScheduleRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition",
      undefined,
    ],
  ],
  "discover runs every 10 minutes, archive every 15 by night, and hourly by day under pressure": [
    ["archiving all day", "ArchivePressureSchedule/Properties/Target/Input", '{"when":"always"}'],
    [
      "another time zone by day",
      "ArchivePressureSchedule/Properties/ScheduleExpressionTimezone",
      "Asia/Shanghai",
    ],
  ],
  "all functions are told the same archive, or none": [
    [
      "one that takes any archive",
      "ExpireLambdaFunction/Properties/Environment/Variables/ARCHIVER_ARCHIVE_ID",
      undefined,
    ],
    [
      "one that knows another",
      "ExportEventsLambdaFunction/Properties/Environment/Variables/ARCHIVER_ARCHIVE_ID",
      "6d1f0a52-9c1e-4a0b-8f53-2f6f3d1b7c10",
    ],
  ],
  "discover creates exports in the stage's share of the places only": [
    ["no share", "DiscoverLambdaFunction/Properties/Environment/Variables/ARCHIVER_EXPORT_PLACES", undefined],
  ],
  "night and day are the whole day, and do not overlap": [
    ["a gap", "ArchiveNightSchedule/Properties/ScheduleExpression", "cron(0/15 0-4 * * ? *)"],
    [
      "a range over midnight",
      "ArchiveNightSchedule/Properties/ScheduleExpression",
      "cron(0/15 22-5 * * ? *)",
    ],
  ],
} as const satisfies Wrongs<keyof typeof FUNCTION_RULES>;
