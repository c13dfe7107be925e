import { createHash } from "node:crypto";
import * as v from "valibot";
import { MAX_JSON_DEPTH, readForeignJson, sortedJson } from "../domain/json.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { RetentionPolicyError } from "./errors.ts";
import { type LockWish, policySchema, type RetentionPolicy, type RuleCondition } from "./policy-schema.ts";

export type { RetentionPolicy } from "./policy-schema.ts";

/** The name of the rule for what no other applies to. */
export const DEFAULT_RULE = "default";

/** What the policy gives one export. */
export interface Rule {
  readonly name: string;
  readonly keepDays: number | "forever";
  readonly lock: LockWish;
  readonly storageClass?: string | undefined;
}

/**
 * Reads a policy from its JSON text.
 *
 * @throws RetentionPolicyError listing every problem at once.
 */
export function parseRetentionPolicy(text: string): RetentionPolicy {
  const result = v.safeParse(policySchema, parsePolicyJson(text), { abortPipeEarly: true });
  if (!result.success) {
    throw new RetentionPolicyError(result.issues.map((issue) => `${pathOf(issue)}: ${issue.message}`));
  }
  const problems = contradictions(result.output);
  if (problems.length > 0) {
    throw new RetentionPolicyError(problems);
  }
  return result.output;
}

function parsePolicyJson(text: string): unknown {
  const json = readForeignJson(text.replace(/^\uFEFF/, ""));
  switch (json.kind) {
    case "json":
      return json.value;
    case "none":
      throw new RetentionPolicyError(["the text is not JSON"]);
    case "too-deep":
      throw new RetentionPolicyError([`the policy is nested deeper than ${MAX_JSON_DEPTH} levels`]);
  }
}

function pathOf(issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) =>
    typeof key === "number" ? `[${key}]` : `.${String(key)}`,
  );
  return keys.join("").replace(/^\./, "") || "the policy";
}

function contradictions({ rules }: RetentionPolicy): string[] {
  const names = rules.map(({ name }) => name);
  return rules.flatMap(({ name, when }, index) => {
    const { minSizeBytes = 0, maxSizeBytes = Number.POSITIVE_INFINITY } = when;
    return [
      ...(name === DEFAULT_RULE
        ? [`rules[${index}].name: "${DEFAULT_RULE}" is the name of the default`]
        : []),
      ...(names.indexOf(name) < index ? [`rules[${index}].name: another rule has this name`] : []),
      ...(minSizeBytes > maxSizeBytes
        ? [`rules[${index}].when: no size is at least minSizeBytes and at most maxSizeBytes`]
        : []),
      ...(Object.keys(when).length === 0
        ? [`rules[${index}].when: is empty; what always applies is the default`]
        : []),
    ];
  });
}

/** The first rule that applies to an export, or the default. */
export function ruleFor(policy: RetentionPolicy, record: Pick<ArchivedRecord, "source" | "object">): Rule {
  const rule = policy.rules.find(({ when }) => applies(when, record));
  return rule ?? { name: DEFAULT_RULE, ...policy.default };
}

/** The fields of a listed task that rules look at, by the names the platform gives them (iotda-api §1.4). */
const SOURCE_FIELDS = [
  ["resourceType", "resource_type"],
  ["appType", "app_type"],
  ["appId", "app_id"],
] as const;

function applies(
  when: RuleCondition,
  { source, object }: Pick<ArchivedRecord, "source" | "object">,
): boolean {
  const { condition, minSizeBytes = 0, maxSizeBytes = Number.POSITIVE_INFINITY } = when;
  return (
    SOURCE_FIELDS.every(([name, field]) => when[name] === undefined || source[field] === when[name]) &&
    (condition === undefined || hasFields(source.resource_condition, condition)) &&
    object.sizeBytes >= minSizeBytes &&
    object.sizeBytes <= maxSizeBytes
  );
}

function hasFields(value: unknown, wanted: Readonly<Record<string, unknown>>): boolean {
  const fields = v.safeParse(v.record(v.string(), v.unknown()), value);
  return (
    fields.success &&
    Object.entries(wanted).every(([name, one]) => sortedJson(fields.output[name]) === sortedJson(one))
  );
}

/** Tells one policy from another in reports: the first 12 hex digits of SHA-256 over its content. */
export function policyDigest(policy: RetentionPolicy): string {
  return createHash("sha256")
    .update(sortedJson(policy) ?? "")
    .digest("hex")
    .slice(0, 12);
}
