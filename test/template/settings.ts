import { readConfiguration } from "../../lib/config/configuration.ts";
import { ConfigurationError } from "../../lib/config/errors.ts";
import { ExpectedExportsError } from "../../lib/report/errors.ts";
import { parseExpectedExports } from "../../lib/report/expected.ts";
import { RetentionPolicyError } from "../../lib/retention/errors.ts";
import { parseRetentionPolicy } from "../../lib/retention/policy.ts";
import { at, fieldsOf, ofType, type Template, textOf } from "./template.ts";

/** What CloudFormation puts in the place of a reference in a setting. */
const REFERENCES: readonly (readonly [string, string])[] = [
  [`\${EventSecret}`, "arn:aws:secretsmanager:eu-central-1:123456789012:secret:EventSecret-1abcdefgh-AbCdEf"],
  [`\${AlarmTopic}`, "arn:aws:sns:eu-central-1:123456789012:stack-AlarmTopic-1abcdefgh"],
  [`\${ArchiveBucket}`, "stack-archivebucket-1abcdefgh"],
  [`\${TaskQueue}`, "https://sqs.eu-central-1.amazonaws.com/123456789012/tasks"],
  [`\${DeadLetterQueue}`, "https://sqs.eu-central-1.amazonaws.com/123456789012/letters"],
];

/** What Lambda sets in every function. */
const OF_LAMBDA = { AWS_REGION: "eu-central-1" };

/** Those that work by the policy, and with no queue. */
const OF_RETENTION: ReadonlySet<string> = new Set(["RetainLambdaFunction", "ExpireLambdaFunction"]);

const REFUSALS = [ConfigurationError, RetentionPolicyError, ExpectedExportsError];

/** The settings of each function, read as the program reads them. */
export function problemsOfSettings(template: Template): string[] {
  return ofType(template, "AWS::Lambda::Function").flatMap(([id, properties]) => {
    const variables = fieldsOf(at(properties, "Environment/Variables"));
    const environment = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, resolved(textOf(value))]),
    );
    try {
      const { retention, report } = readConfiguration(
        { ...environment, ...OF_LAMBDA },
        new Set(["platform", "store", "events", OF_RETENTION.has(id) ? "retention" : "queue"]),
      );
      if (retention?.policy.kind === "inline") {
        parseRetentionPolicy(retention.policy.text);
      }
      if (report.expect?.kind === "inline") {
        parseExpectedExports(report.expect.text);
      }
      return [];
    } catch (error) {
      if (REFUSALS.some((refusal) => error instanceof refusal) && error instanceof Error) {
        return [`${id}: ${error.message}`];
      }
      throw error;
    }
  });
}

function resolved(text: string): string {
  return REFERENCES.reduce((done, [reference, value]) => done.replace(reference, value), text);
}
