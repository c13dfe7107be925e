import { differences, differencesOf } from "./expectations.ts";
import type { Rule } from "./rules.ts";
import { at, fieldsOf, type Json, listOf, ofType, type Template, textOf } from "./template.ts";

const FUNCTION = "ExportEventsLambdaFunction";
const MAPPING = "ExportEventsEventSourceMappingSQSEventQueue";
const DAY_S = 86_400;
/** How many times a function's limit a message has to stay hidden (Lambda guide, "Using Lambda with Amazon SQS"). */
const HIDDEN_PER_LIMIT = 6;

/** Of what comes from outside: the function URL and the event queue. */
export const EVENT_RULES = {
  "the function URL is open, throttled, and the only thing that is": (template) => [
    ...ofType(template, "AWS::Lambda::Url").flatMap(([id, properties]) =>
      differences(id, properties, { TargetFunctionArn: `\${${FUNCTION}.Arn}` }),
    ),
    ...differencesOf(template, `${FUNCTION}Url`, { AuthType: "NONE" }),
    // A number: without one everybody may use up the account's concurrency.
    ...differencesOf(template, FUNCTION, { ReservedConcurrentExecutions: /^[1-9]\d?$/ }),
    ...forEverybody(template).flatMap(([id, properties]) =>
      differences(id, properties, {
        FunctionName: `\${${FUNCTION}.Arn}`,
        // Whoever comes in has come by the URL.
        ...(properties.Action === "lambda:InvokeFunction"
          ? { InvokedViaFunctionUrl: true }
          : { Action: "lambda:InvokeFunctionUrl", FunctionUrlAuthType: "NONE" }),
      }),
    ),
    ...(forEverybody(template).length === 2 ? [] : ["the URL needs two permissions"]),
  ],

  "the event secret is made up, long enough, and exportEvents alone is told where it is": (template) => [
    ...differencesOf(template, "EventSecret", {
      "GenerateSecretString/PasswordLength": 64,
      "GenerateSecretString/ExcludePunctuation": true,
      SecretString: null,
    }),
    ...ofType(template, "AWS::Lambda::Function").flatMap(([id, properties]) =>
      differences(id, properties, {
        "Environment/Variables/ARCHIVER_EVENT_SECRET_ID": id === FUNCTION ? `\${EventSecret}` : null,
        "Environment/Variables/ARCHIVER_EVENT_SECRET": null,
      }),
    ),
    // Whoever may read a function's settings reads what CloudFormation puts into them.
    ...ofType(template, "AWS::Lambda::Function")
      .filter(([, properties]) => JSON.stringify(properties).includes("{{resolve:"))
      .map(([id]) => `${id} has a secret in its settings`),
  ],

  "a queued event that failed comes again on its own, for a day, and then waits for a person": (template) => {
    const { VisibilityTimeout, RedrivePolicy } = template.Resources.EventQueue?.Properties ?? {};
    const limitS = Number(template.Resources[FUNCTION]?.Properties?.Timeout);
    const patienceS = Number(VisibilityTimeout) * Number(at(RedrivePolicy, "maxReceiveCount"));
    return [
      ...differencesOf(template, MAPPING, {
        EventSourceArn: `\${EventQueue.Arn}`,
        FunctionName: `\${${FUNCTION}.Arn}`,
        "FunctionResponseTypes/0": "ReportBatchItemFailures",
        Enabled: true,
      }),
      ...differencesOf(template, "EventQueue", {
        "RedrivePolicy/deadLetterTargetArn": `\${EventDeadLetterQueue.Arn}`,
      }),
      ...(Number(VisibilityTimeout) >= HIDDEN_PER_LIMIT * limitS ? [] : ["events come again while at work"]),
      ...(patienceS >= DAY_S ? [] : [`events are given up after ${patienceS} s`]),
    ];
  },

  "a full event queue leaves the function URL room": (template) => {
    const most = Number(at(template.Resources[MAPPING]?.Properties, "ScalingConfig/MaximumConcurrency"));
    const reserved = Number(template.Resources[FUNCTION]?.Properties?.ReservedConcurrentExecutions);
    return most < reserved ? [] : [`the queue may take ${most} of ${reserved} calls`];
  },

  "one topic and one rule of this account may write to the event queue": (template) => {
    const allowed = statementsOn(template, "EventQueue").map((statement) => {
      const { Sid: _name, Principal, Condition, ...rest } = statement;
      return [textOf(at(Principal, "Service")), sourceOf(Condition), JSON.stringify(rest)].join(" ");
    });
    const rest = JSON.stringify({
      Effect: "Allow",
      Action: "sqs:SendMessage",
      Resource: { "Fn::GetAtt": ["EventQueue", "Arn"] },
    });
    const from = (service: string, name: string) =>
      `${service}.amazonaws.com arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${name} ${rest}`;
    const name = `${textOf(template.Resources.ScheduleGroup?.Properties?.Name)}-events`;
    const expected = [from("sns", name), from("events", `rule/${name}`)];
    return allowed.join("\n") === expected.join("\n")
      ? []
      : [`the event queue lets in: ${allowed.join(", ")}`];
  },
} as const satisfies Readonly<Record<string, Rule>>;

function forEverybody(template: Template) {
  return ofType(template, "AWS::Lambda::Permission").filter(([, { Principal }]) => textOf(Principal) === "*");
}

function statementsOn(template: Template, queue: string) {
  return ofType(template, "AWS::SQS::QueuePolicy")
    .flatMap(([, policy]) => listOf(at(policy, "PolicyDocument/Statement")))
    .map(fieldsOf)
    .filter((statement) => textOf(statement.Resource) === `\${${queue}.Arn}`);
}

/** The source of a plain condition; of every other one the condition itself. */
function sourceOf(condition: Json | undefined): string {
  const source = at(condition, "ArnLike/aws:SourceArn");
  const isPlain =
    Object.keys(fieldsOf(condition)).join() === "ArnLike" &&
    Object.keys(fieldsOf(at(condition, "ArnLike"))).join() === "aws:SourceArn";
  return isPlain ? textOf(source) : textOf(condition);
}
