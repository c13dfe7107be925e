import type { RetentionAbilities } from "../ports/retention-store.ts";
import { type CatalogueLine, retainedTagOf } from "../records/catalogue-line.ts";
import { DELETED_FOR_MS, type ExpiryVerdict } from "./expiry-verdict.ts";
import { type RetentionPolicy, ruleFor } from "./policy.ts";
import { desiredLock, factsOf, lockIsShort } from "./retain-verdict.ts";
import { retainedUntilMs, type Terms, termsOf } from "./terms.ts";

// A line of the catalogue may be older than the records, and somebody may have edited it. What stands here selects the
// exports that are looked at: whatever is done about one rests on its records, read again.

/** What a line says of an export's expiry; only `candidate` is worth a look at the records. */
export type ExpiryByLine =
  | { readonly kind: "candidate"; readonly keepUntilMs: number }
  | Extract<ExpiryVerdict, { kind: "stays" }>;

/** The terms of the policy; `undefined` where only the record tells whether a rule applies. */
export function termsOfLine(policy: RetentionPolicy, line: CatalogueLine): Terms | undefined {
  const { resourceType, appType, appId, condition, isConditionLeftOut, sizeBytes } = line;
  const asksForCondition = policy.rules.some(({ when }) => when.condition !== undefined);
  if (isConditionLeftOut === true && asksForCondition) {
    return undefined;
  }
  const source = {
    resource_type: resourceType,
    app_type: appType,
    app_id: appId,
    resource_condition: condition,
  };
  return termsOf(ruleFor(policy, { source, object: { sizeBytes } }), line);
}

/**
 * Whether an export may be due: everything that is due by its records is a candidate, if the line was made from them.
 * @param terms as {@link termsOfLine} gives them.
 * @param nowMs the earliest of all clocks asked.
 */
export function expiryByLine(line: CatalogueLine, terms: Terms | undefined, nowMs: number): ExpiryByLine {
  const { retainedUntil, deletedAt, archivedAt } = line;
  const promisedMs = retainedUntil === undefined ? 0 : retainedUntilMs({ keepUntil: retainedUntil });
  // Of several copies the line knows the terms of one; the records of a candidate tell those of the others.
  const leastMs = terms?.keepUntilMs ?? Date.parse(archivedAt);
  const keepUntilMs = Math.max(promisedMs, leastMs);
  if (!(keepUntilMs <= nowMs)) {
    return { kind: "stays", reason: "unexpired", keepUntilMs };
  }
  if (deletedAt === undefined) {
    return { kind: "stays", reason: "not-deleted", keepUntilMs };
  }
  return Date.parse(deletedAt) + DELETED_FOR_MS <= nowMs
    ? { kind: "candidate", keepUntilMs }
    : { kind: "stays", reason: "deleted-recently", keepUntilMs };
}

/** Whether a `retained` record is missing, or says something else than the terms of the policy. */
export function needsRetaining(
  line: CatalogueLine,
  terms: Terms | undefined,
  abilities: RetentionAbilities,
  nowMs: number,
): boolean {
  if (terms === undefined || line.retainedTag === undefined) {
    return true;
  }
  const wanted = retainedTagOf(factsOf({ object: line }, terms, undefined, abilities));
  if (wanted !== line.retainedTag) {
    return true;
  }
  const untilMs = line.lockedUntil === undefined ? undefined : Date.parse(line.lockedUntil);
  return abilities.canLock && lockIsShort(desiredLock(terms), untilMs, nowMs);
}
