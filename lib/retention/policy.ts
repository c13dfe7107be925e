import { createHash } from "node:crypto";
import * as v from "valibot";
import { MAX_JSON_DEPTH, readForeignJson, sortedJson } from "../domain/json.ts";
import { nearestName } from "../domain/nearest-name.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { RetentionPolicyError } from "./errors.ts";

/** A hundred years: what stores accept as an end of a lock, and what "forever" locks for. */
export const MAX_KEEP_DAYS = 36_500;
const MAX_RULES = 200;

/** An object that takes its own keys only; another one is most often a slip of the keyboard. */
function exactly<const Entries extends v.ObjectEntries>(entries: Entries) {
  const known = Object.keys(entries);
  return v.strictObject(entries, (issue) => {
    if (issue.expected === "never") {
      const unknown = issue.path?.at(-1)?.key;
      const meant = typeof unknown === "string" ? nearestName(unknown, known) : undefined;
      return meant === undefined
        ? `is not a key of a retention policy here; remove it (known: ${known.join(", ")})`
        : `is not a key of a retention policy here; did you mean ${meant}?`;
    }
    return issue.received === "undefined" ? "is missing" : "is not an object";
  });
}

function wholeNumber(
  least: number,
  most: number,
  message = `is not a whole number from ${least} to ${most}`,
) {
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message));
}

function text(pattern: RegExp, is: string) {
  return v.pipe(v.string(`is not ${is}`), v.regex(pattern, `is not ${is}`));
}

const sizeBytes = wholeNumber(0, Number.MAX_SAFE_INTEGER);
/** What tag values and record names take in every store. */
const word = text(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}$/, "1 to 63 letters, digits, spaces, _ . -");

const NO_KEEP_DAYS = `must be a whole number of days from 1 to ${MAX_KEEP_DAYS}, or "forever"`;

const terms = {
  /** Days of 24 hours after `archivedAt`. */
  keepDays: v.union([wholeNumber(1, MAX_KEEP_DAYS, NO_KEEP_DAYS), v.literal("forever")], NO_KEEP_DAYS),
  lock: v.picklist(["none", "governance", "compliance"], "must be one of none, governance, compliance"),
  /** Given as a tag, for the bucket's own lifecycle rules to act on. */
  storageClass: v.optional(word),
};

/** What an export must be for a rule to apply: everything that is named here. */
const whenSchema = exactly({
  resourceType: v.optional(text(/^.{1,64}$/s, "1 to 64 characters")),
  appType: v.optional(text(/^.{1,64}$/s, "1 to 64 characters")),
  appId: v.optional(text(/^.{1,64}$/s, "1 to 64 characters")),
  /** Each named field of the export's `resource_condition` has this value. */
  condition: v.optional(v.record(v.string(), v.unknown(), "is not an object")),
  minSizeBytes: v.optional(sizeBytes),
  maxSizeBytes: v.optional(sizeBytes),
});
export type RuleCondition = v.InferOutput<typeof whenSchema>;

/** The retention policy as it is written; published as docs/retention-policy.schema.json. */
export const policySchema = exactly({
  $schema: v.optional(v.string("is not a text")),
  schemaVersion: v.literal(1, "is not 1"),
  /** In order: the first that applies counts. */
  rules: v.optional(
    v.pipe(
      v.array(exactly({ name: word, when: whenSchema, ...terms }), "is not a list"),
      v.maxLength(MAX_RULES, `has more than ${MAX_RULES} rules`),
    ),
    [],
  ),
  /** For what no rule applies to. */
  default: exactly(terms),
});
export type RetentionPolicy = v.InferOutput<typeof policySchema>;
export type DesiredLock = RetentionPolicy["default"]["lock"];

/** The name of the rule for what no other applies to. */
const DEFAULT_RULE = "default";

/** What the policy gives one export. */
export interface Rule {
  readonly name: string;
  readonly keepDays: number | "forever";
  readonly lock: DesiredLock;
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
      throw new RetentionPolicyError(["the policy is not JSON"]);
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
        ? [`rules[${index}].name: "${DEFAULT_RULE}" is reserved for the default`]
        : []),
      ...(names.indexOf(name) < index ? [`rules[${index}].name: another rule has this name`] : []),
      ...(minSizeBytes > maxSizeBytes
        ? [`rules[${index}].when: minSizeBytes is greater than maxSizeBytes`]
        : []),
      ...(Object.keys(when).length === 0
        ? [`rules[${index}].when: is empty; put what always applies into the default`]
        : []),
    ];
  });
}

/** What rules look at. */
type Described = Pick<ArchivedRecord, "source"> & { readonly object: { readonly sizeBytes: number } };

/** The first rule that applies to an export, or the default. */
export function ruleFor(policy: RetentionPolicy, record: Described): Rule {
  const rule = policy.rules.find(({ when }) => applies(when, record));
  return rule ?? { name: DEFAULT_RULE, ...policy.default };
}

/** The fields of a listed task that rules look at, by the names the platform gives them (iotda-api §1.4). */
const SOURCE_FIELDS = [
  ["resourceType", "resource_type"],
  ["appType", "app_type"],
  ["appId", "app_id"],
] as const;

function applies(when: RuleCondition, { source, object }: Described): boolean {
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
