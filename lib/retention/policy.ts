import { createHash } from "node:crypto";
import * as v from "valibot";
import { sortedJson } from "../domain/json.ts";
import { exactly, readStrictJson, shortName, textLike, wholeNumberFrom } from "../domain/strict-schema.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { RetentionPolicyError } from "./errors.ts";

/** A hundred years: what stores accept as an end of a lock, and what "forever" locks for. */
export const MAX_KEEP_DAYS = 36_500;
const MAX_RULES = 200;

const sizeBytes = wholeNumberFrom(0, Number.MAX_SAFE_INTEGER);
/** What messages call the text. */
const WHAT = "a retention policy";

const NO_KEEP_DAYS = `must be a whole number of days from 1 to ${MAX_KEEP_DAYS}, or "forever"`;

const terms = {
  /** Days of 24 hours after `archivedAt`. */
  keepDays: v.union([wholeNumberFrom(1, MAX_KEEP_DAYS, NO_KEEP_DAYS), v.literal("forever")], NO_KEEP_DAYS),
  lock: v.picklist(["none", "governance", "compliance"], "must be one of none, governance, compliance"),
  /** Given as a tag, for the bucket's own lifecycle rules to act on. */
  storageClass: v.optional(shortName),
};

/** What an export must be for a rule to apply: everything that is named here. */
const whenSchema = exactly(
  {
    resourceType: v.optional(textLike(/^.{1,64}$/s, "1 to 64 characters")),
    appType: v.optional(textLike(/^.{1,64}$/s, "1 to 64 characters")),
    appId: v.optional(textLike(/^.{1,64}$/s, "1 to 64 characters")),
    /** Each named field of the export's `resource_condition` has this value. */
    condition: v.optional(v.record(v.string(), v.unknown(), "is not an object")),
    minSizeBytes: v.optional(sizeBytes),
    maxSizeBytes: v.optional(sizeBytes),
  },
  WHAT,
);
export type RuleCondition = v.InferOutput<typeof whenSchema>;

/** The retention policy as it is written; published as docs/retention-policy.schema.json. */
export const policySchema = exactly(
  {
    $schema: v.optional(v.string("is not a text")),
    schemaVersion: v.literal(1, "is not 1"),
    /** In order: the first that applies counts. */
    rules: v.optional(
      v.pipe(
        v.array(exactly({ name: shortName, when: whenSchema, ...terms }, WHAT), "is not a list"),
        v.maxLength(MAX_RULES, `has more than ${MAX_RULES} rules`),
      ),
      [],
    ),
    /** For what no rule applies to. */
    default: exactly(terms, WHAT),
  },
  WHAT,
);
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
  const read = readStrictJson(policySchema, text, "the policy");
  if (read.kind === "refused") {
    throw new RetentionPolicyError(read.problems);
  }
  const problems = contradictions(read.value);
  if (problems.length > 0) {
    throw new RetentionPolicyError(problems);
  }
  return read.value;
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
