import { BUCKET_RULES } from "./bucket-rules.ts";
import { EVENT_RULES } from "./event-rules.ts";
import { FUNCTION_RULES } from "./function-rules.ts";
import { problemsOfGrants } from "./grants.ts";
import { RETENTION_RULES } from "./retention-rules.ts";
import { problemsOfSpecification } from "./service-spec.ts";
import { problemsOfSettings } from "./settings.ts";
import type { Template } from "./template.ts";
import { WATCH_RULES } from "./watch-rules.ts";

/** What a rule has against a template; nothing when it holds. */
export type Rule = (template: Template, stage: string) => string[];

/** Of the template as a whole. */
export const WHOLE_RULES = {
  "the template is valid CloudFormation": problemsOfSpecification,
  "each role may do exactly what its function does": problemsOfGrants,
  "the functions' settings are accepted by the program": problemsOfSettings,
} as const satisfies Readonly<Record<string, Rule>>;

/** Everything that a packaged template must keep to, by name. */
export const RULES: Readonly<Record<RuleName, Rule>> = {
  ...WHOLE_RULES,
  ...FUNCTION_RULES,
  ...EVENT_RULES,
  ...BUCKET_RULES,
  ...WATCH_RULES,
  ...RETENTION_RULES,
};

export type RuleName =
  | keyof typeof WHOLE_RULES
  | keyof typeof FUNCTION_RULES
  | keyof typeof EVENT_RULES
  | keyof typeof BUCKET_RULES
  | keyof typeof WATCH_RULES
  | keyof typeof RETENTION_RULES;
