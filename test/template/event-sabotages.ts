import type { EVENT_RULES } from "./event-rules.ts";
import type { Wrongs } from "./sabotages.ts";

const FUNCTION = "ExportEventsLambdaFunction/Properties";
const MAPPING = "ExportEventsEventSourceMappingSQSEventQueue/Properties";
const SENDERS = "EventQueuePolicy/Properties/PolicyDocument/Statement";

export const EVENT_SABOTAGES = {
  "the function URL is open, throttled, and the only thing that is": [
    ["no URL", "ExportEventsLambdaFunctionUrl", undefined],
    ["a URL that no sender can sign for", "ExportEventsLambdaFunctionUrl/Properties/AuthType", "AWS_IAM"],
    ["as many calls as come", `${FUNCTION}/ReservedConcurrentExecutions`, undefined],
    [
      "another function open to all",
      "SpareUrl",
      {
        Type: "AWS::Lambda::Url",
        Properties: {
          AuthType: "NONE",
          TargetFunctionArn: { "Fn::GetAtt": ["ArchiveLambdaFunction", "Arn"] },
        },
      },
    ],
    ["a way beside the URL", "ExportEventsLambdaPermissionFn/Properties/InvokedViaFunctionUrl", undefined],
    ["one permission of the two", "ExportEventsLambdaPermissionFn", undefined],
  ],
  "the event secret is made up, long enough, and exportEvents alone is told where it is": [
    ["a short one", "EventSecret/Properties/GenerateSecretString/PasswordLength", 8],
    ["one in the template", "EventSecret/Properties/SecretString", "eventSecret0123456789"],
    [
      "one in the function",
      `${FUNCTION}/Environment/Variables/ARCHIVER_EVENT_SECRET`,
      "eventSecret0123456789",
    ],
    [
      "one that CloudFormation puts into the function",
      `${FUNCTION}/Environment/Variables/SPARE`,
      { "Fn::Sub": `{{resolve:secretsmanager:\${EventSecret}:SecretString}}` },
    ],
    ["none", `${FUNCTION}/Environment/Variables/ARCHIVER_EVENT_SECRET_ID`, undefined],
    [
      "one for everybody",
      "DiscoverLambdaFunction/Properties/Environment/Variables/ARCHIVER_EVENT_SECRET_ID",
      { Ref: "EventSecret" },
    ],
  ],
  "a queued event that failed comes again on its own, for a day, and then waits for a person": [
    ["a batch that fails as one", `${MAPPING}/FunctionResponseTypes`, undefined],
    ["a queue that starts nothing", `${MAPPING}/Enabled`, false],
    ["events that come again while at work", "EventQueue/Properties/VisibilityTimeout", 30],
    ["five attempts", "EventQueue/Properties/RedrivePolicy/maxReceiveCount", 5],
    ["no dead-letter queue", "EventQueue/Properties/RedrivePolicy", undefined],
  ],
  "a full event queue leaves the function URL room": [
    ["all calls for the queue", `${MAPPING}/ScalingConfig/MaximumConcurrency`, 5],
    ["no limit", `${MAPPING}/ScalingConfig`, undefined],
  ],
  "one topic and one rule of this account may write to the event queue": [
    ["every topic", `${SENDERS}/0/Condition`, undefined],
    [
      "every rule of every account",
      `${SENDERS}/1/Condition/ArnLike/aws:SourceArn`,
      "arn:aws:events:*:*:rule/*",
    ],
    ["everybody", `${SENDERS}/0/Principal`, "*"],
    [
      "other conditions beside",
      `${SENDERS}/0/Condition/StringEquals`,
      { "aws:SourceAccount": "123456789012" },
    ],
  ],
} as const satisfies Wrongs<keyof typeof EVENT_RULES>;
