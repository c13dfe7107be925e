import { differences, differencesOf } from "./expectations.ts";
import type { Rule } from "./rules.ts";
import { at, type Json, listOf, ofType, type Template, textOf } from "./template.ts";

const LAMBDA = "AWS::Lambda::Function";
const SCHEDULE = "AWS::Scheduler::Schedule";

/** Of the functions and what starts them. */
export const FUNCTION_RULES = {
  "functions run on arm64 and Node 24, log JSON from DEBUG on, and keep their logs for a limited time": (
    template,
  ) =>
    ofType(template, LAMBDA).flatMap(([id, properties]) => [
      ...differences(id, properties, {
        "Architectures/0": "arm64",
        Runtime: "nodejs24.x",
        "LoggingConfig/LogFormat": "JSON",
        "LoggingConfig/ApplicationLogLevel": "DEBUG",
        Handler: /^dist\/functions\/[a-z]+\.handler$/i,
      }),
      ...(logGroupsOf(template, properties).some((group) => Number(group.RetentionInDays) > 0)
        ? []
        : [`${id} keeps its logs for ever`]),
    ]),

  "an archive run has 14 minutes, and is alone unless a parameter says otherwise": (template) =>
    differencesOf(template, "ArchiveLambdaFunction", { Timeout: 840, ReservedConcurrentExecutions: 1 }),

  "an inventory has 14 minutes, memory for a large archive, and reads copies again as the stage says": (
    template,
  ) =>
    differencesOf(template, "InventoryLambdaFunction", {
      Timeout: 840,
      MemorySize: 512,
      "Environment/Variables/ARCHIVER_VERIFY_WITHIN_DAYS": 90,
      "Environment/Variables/ARCHIVER_VERIFY_BYTES_PER_DAY": 10 * 1024 ** 3,
    }),

  "a report is made in the time zone of its timer, and told to the topic of the alarms": (template) =>
    differencesOf(template, "ReportLambdaFunction", {
      Timeout: 300,
      MemorySize: 512,
      "Environment/Variables/ARCHIVER_NOTIFY": `sns:\${AlarmTopic}`,
      "Environment/Variables/ARCHIVER_NOTIFY_ON": "every-night",
      "Environment/Variables/ARCHIVER_TIME_ZONE": textOf(
        propertyOf(template, "ReportSchedule", "ScheduleExpressionTimezone"),
      ),
    }),

  "what could not start is not started late": (template) =>
    ofType(template, LAMBDA).flatMap(([id]) => {
      const configured = ofType(template, "AWS::Lambda::EventInvokeConfig").find(
        ([, properties]) => textOf(properties.FunctionName) === `\${${id}}`,
      );
      return configured === undefined
        ? [`${id} is started up to three times`]
        : differences(configured[0], configured[1], {
            MaximumRetryAttempts: 0,
            MaximumEventAgeInSeconds: 60,
          });
    }),

  "every function has a role of its own, for Lambda only": (template) => {
    const roles = ofType(template, LAMBDA).map(([, properties]) => textOf(properties.Role));
    return [
      ...(new Set(roles).size === roles.length ? [] : ["two functions share a role"]),
      ...roles.flatMap((role) =>
        problemsOfTrust(template, role, { service: "lambda.amazonaws.com", condition: null }),
      ),
    ];
  },

  "schedules are never repeated, and their dead-letter queue lets them in": (template) =>
    ofType(template, SCHEDULE).flatMap(([id, properties]) => [
      ...differences(id, properties, {
        GroupName: `\${ScheduleGroup}`,
        "FlexibleTimeWindow/Mode": "OFF",
        "Target/RetryPolicy/MaximumRetryAttempts": 0,
        "Target/RetryPolicy/MaximumEventAgeInSeconds": 60,
      }),
      ...problemsOfTarget(template, id, properties),
    ]),

  "discover runs every 10 minutes, archive every 15 by night, and hourly by day under pressure": (
    template,
  ) => [
    ...differencesOf(template, "DiscoverSchedule", {
      ScheduleExpression: "rate(10 minutes)",
      "Target/Arn": `\${DiscoverLambdaFunction.Arn}`,
    }),
    ...differencesOf(template, "ArchiveNightSchedule", {
      ScheduleExpression: /^cron\(0\/15 \S+ \* \* \? \*\)$/,
      ScheduleExpressionTimezone: /^[A-Za-z_]+\/[A-Za-z_]+$/,
      "Target/Arn": `\${ArchiveLambdaFunction.Arn}`,
      "Target/Input": '{"when":"always"}',
    }),
    ...differencesOf(template, "ArchivePressureSchedule", {
      ScheduleExpression: /^cron\(0 \S+ \* \* \? \*\)$/,
      ScheduleExpressionTimezone: textOf(
        propertyOf(template, "ArchiveNightSchedule", "ScheduleExpressionTimezone"),
      ),
      "Target/Arn": `\${ArchiveLambdaFunction.Arn}`,
      "Target/Input": '{"when":"pressure"}',
    }),
  ],

  "discover creates exports in the stage's share of the places only": (template) =>
    differencesOf(template, "DiscoverLambdaFunction", {
      "Environment/Variables/ARCHIVER_EXPORT_PLACES": 50,
    }),

  "all functions are told the same archive, or none": (template) => {
    const setting = "Environment/Variables/ARCHIVER_ARCHIVE_ID";
    const ids = new Set(ofType(template, LAMBDA).map(([, properties]) => at(properties, setting)));
    return ids.size === 1 && !ids.has(undefined) ? [] : [`the functions are told ${ids.size} archives`];
  },

  "night and day are the whole day, and do not overlap": (template) => {
    const hours = ["ArchiveNightSchedule", "ArchivePressureSchedule"].flatMap((id) =>
      hoursOf(textOf(propertyOf(template, id, "ScheduleExpression"))),
    );
    const day = Array.from({ length: 24 }, (_, hour) => hour);
    return hours.toSorted((one, other) => one - other).join() === day.join()
      ? []
      : [`archive is started in the hours ${hours.join()}`];
  },
} as const satisfies Readonly<Record<string, Rule>>;

function propertyOf(template: Template, logicalId: string, path: string): Json | undefined {
  return at(template.Resources[logicalId]?.Properties, path);
}

function logGroupsOf(
  template: Template,
  { FunctionName }: { [name: string]: Json },
): { [name: string]: Json }[] {
  return ofType(template, "AWS::Logs::LogGroup")
    .map(([, group]) => group)
    .filter((group) => group.LogGroupName === `/aws/lambda/${textOf(FunctionName)}`);
}

/** Whether a role, given as `${Role.Arn}`, may be taken on by one service only. */
function problemsOfTrust(
  template: Template,
  roleArn: string,
  { service, condition }: { readonly service: string; readonly condition: Json },
): string[] {
  const role = roleArn.slice(2, -".Arn}".length);
  const statements = listOf(propertyOf(template, role, "AssumeRolePolicyDocument/Statement"));
  return statements.length === 1
    ? differencesOf(template, role, {
        "AssumeRolePolicyDocument/Statement/0/Principal": { Service: service },
        "AssumeRolePolicyDocument/Statement/0/Condition": condition,
      })
    : [`${role} may be taken on in ${statements.length} ways`];
}

/** The role may start the function and write to the queue; the queue's own policy lets Scheduler write too. */
function problemsOfTarget(template: Template, id: string, schedule: { [name: string]: Json }): string[] {
  const role = textOf(at(schedule, "Target/RoleArn"));
  const queue = textOf(at(schedule, "Target/DeadLetterConfig/Arn"));
  const statements = listOf(propertyOf(template, role.slice(2, -".Arn}".length), "Policies")).flatMap(
    (policy) => listOf(at(policy, "PolicyDocument/Statement")),
  );
  const mayDo = (action: string, resource: string) =>
    statements.some(
      (statement) =>
        listOf(at(statement, "Action")).includes(action) && textOf(at(statement, "Resource")) === resource,
    );
  const letsIn = ofType(template, "AWS::SQS::QueuePolicy")
    .flatMap(([, policy]) => listOf(at(policy, "PolicyDocument/Statement")))
    .some(
      (statement) =>
        at(statement, "Effect") === "Allow" &&
        at(statement, "Principal/Service") === "scheduler.amazonaws.com" &&
        at(statement, "Action") === "sqs:SendMessage" &&
        textOf(at(statement, "Resource")) === queue,
    );
  const target = textOf(at(schedule, "Target/Arn"));
  return [
    ...(mayDo("lambda:InvokeFunction", target) ? [] : [`${id} may not start ${target}`]),
    ...(mayDo("sqs:SendMessage", queue) ? [] : [`${id} may not write to its dead-letter queue ${queue}`]),
    ...(letsIn ? [] : [`the dead-letter queue ${queue} does not let ${id} in`]),
    ...problemsOfTrust(template, role, {
      service: "scheduler.amazonaws.com",
      condition: {
        StringEquals: {
          "aws:SourceAccount": { Ref: "AWS::AccountId" },
          "aws:SourceArn": { "Fn::GetAtt": ["ScheduleGroup", "Arn"] },
        },
      },
    }),
  ];
}

/** The hours of a cron expression: `0-5`, `22,23,0-4`. */
function hoursOf(cron: string): number[] {
  const [, field = ""] = cron.split(" ");
  return field.split(",").flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split("-").map(Number);
    return Number.isInteger(first) && last < 24
      ? Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
      : [Number.NaN];
  });
}
