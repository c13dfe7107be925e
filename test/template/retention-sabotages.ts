import type { RETENTION_RULES } from "./retention-rules.ts";
import type { Wrongs } from "./sabotages.ts";

export const RETENTION_SABOTAGES = {
  "retain, expire, inventory and report run once a day, at a time of the stage's zone": [
    ["no sweep", "RetainSchedule", undefined],
    ["no inventory", "InventorySchedule", undefined],
    ["no report", "ReportSchedule", undefined],
    ["every hour", "ExpireSchedule/Properties/ScheduleExpression", "rate(1 hour)"],
    ["another time zone", "ExpireSchedule/Properties/ScheduleExpressionTimezone", "Asia/Shanghai"],
    ["an event of the scheduler's own", "RetainSchedule/Properties/Target/Input", undefined],
    [
      "the wrong function",
      "RetainSchedule/Properties/Target/Arn",
      { "Fn::GetAtt": ["ExpireLambdaFunction", "Arn"] },
    ],
  ],
  "retain hears of every export that appears in the bucket, and of nothing else": [
    ["no rule", "RetainRule", undefined],
    ["a rule switched off", "RetainRule/Properties/State", "DISABLED"],
    ["every bucket", "RetainRule/Properties/EventPattern/detail/bucket", undefined],
    ["records too", "RetainRule/Properties/EventPattern/detail/object/key/0/prefix", ""],
    ["removals", "RetainRule/Properties/EventPattern/detail-type/0", "Object Deleted"],
    ["a rule that may not start it", "RetainRulePermission", undefined],
    ["everybody's rules", "RetainRulePermission/Properties/SourceArn", undefined],
    [
      "expire on events",
      "RetainRule/Properties/Targets/0/Arn",
      { "Fn::GetAtt": ["ExpireLambdaFunction", "Arn"] },
    ],
  ],
  "what EventBridge cannot deliver is tried for an hour, then kept where the rule may write": [
    ["185 tries", "RetainRule/Properties/Targets/0/RetryPolicy", undefined],
    ["events get lost", "RetainRule/Properties/Targets/0/DeadLetterConfig", undefined],
    ["a queue that is closed", "RetainDeadLetterQueuePolicy", undefined],
    [
      "a queue open to every rule",
      "RetainDeadLetterQueuePolicy/Properties/PolicyDocument/Statement/0/Condition",
      undefined,
    ],
  ],
  "only expire may remove, only versions of exports, and no role past a lock": [
    [
      "archive removes",
      "ArchiveRole/Properties/Policies/1/PolicyDocument/Statement/1/Action",
      ["s3:PutObject", "s3:DeleteObject"],
    ],
    [
      "inventory removes orphans",
      "InventoryRole/Properties/Policies/1/PolicyDocument/Statement/2/Action",
      ["s3:PutObject", "s3:DeleteObject"],
    ],
    [
      "report removes old reports",
      "ReportRole/Properties/Policies/1/PolicyDocument/Statement/1/Action",
      ["s3:PutObject", "s3:DeleteObject"],
    ],
    ["expire removes anything", "ExpireRole/Properties/Policies/1/PolicyDocument/Statement/2/Resource", "*"],
    [
      "expire bypasses locks",
      "ExpireRole/Properties/Policies/1/PolicyDocument/Statement/2/Action",
      ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"],
    ],
  ],
} as const satisfies Wrongs<keyof typeof RETENTION_RULES>;
