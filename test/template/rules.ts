import { BUCKET_RULES } from "./bucket-rules.ts";
import { FUNCTION_RULES } from "./function-rules.ts";
import { problemsOfGrants } from "./grants.ts";
import { problemsOfSpecification } from "./service-spec.ts";
import { problemsOfSettings } from "./settings.ts";
import type { Template } from "./template.ts";
import { WATCH_RULES } from "./watch-rules.ts";

/** What a rule has against a template; nothing when it holds. */
export type Rule = (template: Template, stage: string) => string[];

/** Everything that a packaged template must keep to, by name. */
export const RULES = {
  "the template is valid CloudFormation": problemsOfSpecification,
  "each role may do exactly what its function does": problemsOfGrants,
  "the functions' settings are accepted by the program": problemsOfSettings,
  ...FUNCTION_RULES,
  ...BUCKET_RULES,
  ...WATCH_RULES,
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleName = keyof typeof RULES;
