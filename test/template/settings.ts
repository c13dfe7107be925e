import { readConfiguration } from "../../lib/config/environment.ts";
import { ConfigurationError } from "../../lib/config/errors.ts";
import { at, fieldsOf, ofType, type Template, textOf } from "./template.ts";

/** What CloudFormation puts in the place of a reference in a setting. */
const REFERENCES: readonly (readonly [string, string])[] = [
  [`\${ArchiveBucket}`, "stack-archivebucket-1abcdefgh"],
  [`\${TaskQueue}`, "https://sqs.eu-central-1.amazonaws.com/123456789012/tasks"],
  [`\${DeadLetterQueue}`, "https://sqs.eu-central-1.amazonaws.com/123456789012/letters"],
];

/** What Lambda sets in every function. */
const OF_LAMBDA = { AWS_REGION: "eu-central-1" };

/** The settings of each function, read as the program reads them. */
export function problemsOfSettings(template: Template): string[] {
  return ofType(template, "AWS::Lambda::Function").flatMap(([id, properties]) => {
    const variables = fieldsOf(at(properties, "Environment/Variables"));
    const environment = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, resolved(textOf(value))]),
    );
    try {
      readConfiguration({ ...environment, ...OF_LAMBDA }, new Set(["platform", "store", "queue"]));
      return [];
    } catch (error) {
      if (error instanceof ConfigurationError) {
        return [`${id}: ${error.message}`];
      }
      throw error;
    }
  });
}

function resolved(text: string): string {
  return REFERENCES.reduce((done, [reference, value]) => done.replace(reference, value), text);
}
