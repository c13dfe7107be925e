import { toJsonSchema } from "@valibot/to-json-schema";
import { policySchema } from "../policy.ts";

/**
 * The published schema of the retention policy, as it stands in docs/retention-policy.schema.json.
 *
 * @throws Error for a kind that the library cannot express: the published schema must not say less than the program does.
 */
export function publishedSchema(): object {
  const schema = toJsonSchema(policySchema, {
    target: "draft-2020-12",
    typeMode: "input",
    errorMode: "throw",
    // JSON Schema knows no flags; those used here only let a dot match a line break.
    overrideAction: ({ valibotAction, jsonSchema }) =>
      valibotAction.type === "regex" &&
      "requirement" in valibotAction &&
      valibotAction.requirement instanceof RegExp
        ? { ...jsonSchema, pattern: valibotAction.requirement.source }
        : undefined,
  });
  return {
    ...schema,
    title: "Retention policy of the IoTDA export archiver",
    description:
      "Rules are tried in order; the first that applies decides, and `default` where none does. keepDays are days of 24 hours from archivedAt. The storage class is given as a tag, for the bucket's lifecycle rules.",
  };
}
