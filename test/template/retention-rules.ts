import { differencesOf } from "./expectations.ts";
import type { Rule } from "./rules.ts";
import { at, listOf, ofType, type Template, textOf } from "./template.ts";

/** Of what locks, tags and removes. */
export const RETENTION_RULES = {
  "retain, expire, inventory and report run once a day, at a time of the stage's zone": (template) =>
    ["Retain", "Expire", "Inventory", "Report"].flatMap((name) =>
      differencesOf(template, `${name}Schedule`, {
        ScheduleExpression: /^cron\(\d{1,2} \d{1,2} \* \* \? \*\)$/,
        ScheduleExpressionTimezone: textOf(
          at(template.Resources.ArchiveNightSchedule?.Properties, "ScheduleExpressionTimezone"),
        ),
        "Target/Arn": `\${${name}LambdaFunction.Arn}`,
        "Target/Input": "{}",
      }),
    ),

  "retain hears of every export that appears in the bucket, and of nothing else": (template) =>
    hasBucket(template)
      ? [
          ...differencesOf(template, "RetainRule", {
            State: "ENABLED",
            EventBusName: null,
            EventPattern: {
              source: ["aws.s3"],
              "detail-type": ["Object Created"],
              detail: {
                bucket: { name: [{ Ref: "ArchiveBucket" }] },
                object: { key: [{ prefix: "exports/" }] },
              },
            },
            "Targets/0/Arn": `\${RetainLambdaFunction.Arn}`,
            "Targets/0/Input": null,
            "Targets/0/InputPath": null,
            "Targets/1": null,
          }),
          ...differencesOf(template, "RetainRulePermission", {
            FunctionName: `\${RetainLambdaFunction.Arn}`,
            Action: "lambda:InvokeFunction",
            Principal: "events.amazonaws.com",
            SourceArn: `\${RetainRule.Arn}`,
          }),
        ]
      : [],

  "what EventBridge cannot deliver is tried for an hour, then kept where the rule may write": (template) =>
    hasBucket(template)
      ? [
          ...differencesOf(template, "RetainRule", {
            "Targets/0/RetryPolicy": { MaximumRetryAttempts: 4, MaximumEventAgeInSeconds: 3600 },
            "Targets/0/DeadLetterConfig/Arn": `\${RetainDeadLetterQueue.Arn}`,
          }),
          ...differencesOf(template, "RetainDeadLetterQueuePolicy", {
            "Queues/0": `\${RetainDeadLetterQueue}`,
            "PolicyDocument/Statement/0/Effect": "Allow",
            "PolicyDocument/Statement/0/Principal": { Service: "events.amazonaws.com" },
            "PolicyDocument/Statement/0/Action": "sqs:SendMessage",
            "PolicyDocument/Statement/0/Resource": `\${RetainDeadLetterQueue.Arn}`,
            "PolicyDocument/Statement/0/Condition": {
              ArnEquals: { "aws:SourceArn": { "Fn::GetAtt": ["RetainRule", "Arn"] } },
            },
            "PolicyDocument/Statement/1": null,
          }),
        ]
      : [],

  "only expire may remove, only versions of exports, and no role past a lock": (template) =>
    ofType(template, "AWS::IAM::Role").flatMap(([role, { Policies }]) =>
      listOf(Policies)
        .flatMap((policy) => listOf(at(policy, "PolicyDocument/Statement")))
        .flatMap((statement) =>
          listOf(at(statement, "Action"))
            .map(textOf)
            .filter((action) => /^s3:(?:Delete|Bypass|\*)/.test(action))
            .flatMap((action) =>
              listOf(at(statement, "Resource")).map((on) => `${role} may ${action} on ${textOf(on)}`),
            ),
        )
        .filter((grant) => grant !== REMOVAL),
    ),
} as const satisfies Readonly<Record<string, Rule>>;

const REMOVAL = `ExpireRole may s3:DeleteObjectVersion on \${ArchiveBucket.Arn}/exports/*`;

function hasBucket(template: Template): boolean {
  return template.Resources.ArchiveBucket !== undefined;
}
