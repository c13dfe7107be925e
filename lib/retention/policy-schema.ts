import * as v from "valibot";
import { nearestName } from "../domain/nearest-name.ts";

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

const NO_KEEP_DAYS = `is neither a whole number of days from 1 to ${MAX_KEEP_DAYS} nor "forever"`;

const terms = {
  /** Days of 24 hours after `archivedAt`. */
  keepDays: v.union([wholeNumber(1, MAX_KEEP_DAYS, NO_KEEP_DAYS), v.literal("forever")], NO_KEEP_DAYS),
  lock: v.picklist(["none", "governance", "compliance"], "is not one of none, governance, compliance"),
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
export type LockWish = RetentionPolicy["default"]["lock"];
