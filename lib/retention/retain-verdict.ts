import { compact } from "../domain/compact.ts";
import type {
  ObjectVersion,
  RetentionAbilities,
  VersionLock,
  VersionProtection,
} from "../ports/retention-store.ts";
import { type RevisionLedger, UNREADABLE } from "../records/retention-records.ts";
import type { ArchivedRecord, RetainedRecord } from "../records/schemas.ts";
import { ruleFor } from "./policy.ts";
import type { RetentionRun } from "./run.ts";
import { isoTime, isoTimeOrForever, TAG, type Terms, termsOf } from "./terms.ts";

/** What a `retained` record says besides when and by whom it was written. */
export type RetainedFacts = Omit<RetainedRecord, "schemaVersion" | "idempotencyKey" | "retainedAt" | "runId">;

interface KnownCopy {
  readonly record: ArchivedRecord;
  readonly terms: Terms;
  /** What there is to record, as the store protects the version now. */
  readonly facts: RetainedFacts;
}

/** What a sweep has to do about one revision. */
export type RetainVerdict =
  | { readonly kind: "unreadable" | "unrecorded"; readonly problem: string }
  /** Missing from the store, or locked for longer than the policy asks for. Nothing is changed. */
  | ({ readonly kind: "missing" | "refused"; readonly problem: string } & KnownCopy)
  | ({
      readonly kind: "retain";
      /** The lock to set or extend; `undefined` when there is nothing to do about it. */
      readonly lock: VersionLock | undefined;
      /** The whole set of tags to write; `undefined` when it stands. */
      readonly tags: Readonly<Record<string, string>> | undefined;
    } & KnownCopy);

const OUR_TAGS: ReadonlySet<string> = new Set(Object.values(TAG));

/** Compares what protects a version with what its terms ask for. Locks only ever grow. Throws what the store throws. */
export async function retainVerdict(
  run: RetentionRun,
  { archived }: RevisionLedger,
  abilities: RetentionAbilities,
  nowMs: number,
): Promise<RetainVerdict> {
  if (archived === UNREADABLE) {
    return { kind: "unreadable", problem: "the program cannot read an archived record of this revision" };
  }
  const record = archived?.at(-1);
  if (record === undefined) {
    return { kind: "unrecorded", problem: "no archived record" };
  }
  const terms = termsOf(ruleFor(run.settings.policy, record), record);
  const protection = await run.ports.store.readProtection(record.object, run);
  const copy = { record, terms, facts: factsOf(record, terms, protection, abilities) };
  if (protection === undefined) {
    return { kind: "missing", problem: "the recorded object is not in the store", ...copy };
  }
  const desired = desiredLock(terms);
  const standing = protection.lock && protection.lock.untilMs > nowMs ? protection.lock : undefined;
  const problem = standing && shorteningProblem(terms, desired, standing);
  if (problem !== undefined) {
    return { kind: "refused", problem, ...copy };
  }
  const needsLock = abilities.canLock && lockIsShort(desired, standing?.untilMs, nowMs);
  const lock = needsLock ? desired : undefined;
  const tags = abilities.canTag ? changedTags(terms.tags, protection.tags) : undefined;
  return { kind: "retain", lock, tags, ...copy };
}

/** Whether a lock is to be set or extended. */
export function lockIsShort(
  desired: VersionLock | undefined,
  standingUntilMs: number | undefined,
  nowMs: number,
): boolean {
  return (
    desired !== undefined &&
    desired.untilMs > nowMs &&
    (standingUntilMs === undefined || desired.untilMs > standingUntilMs)
  );
}

export function desiredLock({ rule, lockUntilMs }: Terms): VersionLock | undefined {
  return rule.lock === "none" || lockUntilMs === undefined
    ? undefined
    : { mode: rule.lock, untilMs: lockUntilMs };
}

function shorteningProblem(
  { rule, keepUntilMs }: Terms,
  desired: VersionLock | undefined,
  standing: VersionLock,
): string | undefined {
  const lockedUntil = `locked (${standing.mode}) until ${isoTime(standing.untilMs)}`;
  const desiredUntilMs = desired?.untilMs ?? keepUntilMs;
  if (desiredUntilMs < standing.untilMs) {
    return `it is ${lockedUntil}; rule "${rule.name}" asks for ${isoTimeOrForever(desiredUntilMs)}, and a lock is never shortened`;
  }
  if (desired !== undefined && desired.mode !== standing.mode) {
    return `it is ${lockedUntil}; rule "${rule.name}" asks for ${desired.mode}, and the kind of a lock is never changed`;
  }
  return undefined;
}

/** The tags of others, with ours beside them; `undefined` when they are like that already. */
function changedTags(
  wanted: Readonly<Record<string, string>>,
  standing: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> | undefined {
  const others = Object.entries(standing).filter(([name]) => !OUR_TAGS.has(name));
  const all = { ...Object.fromEntries(others), ...wanted };
  const isSame =
    Object.keys(all).length === Object.keys(standing).length &&
    Object.entries(all).every(([name, value]) => standing[name] === value);
  return isSame ? undefined : all;
}

/** What there is to record of one version, protected as `protection` shows. */
export function factsOf(
  { object }: { readonly object: ObjectVersion },
  { rule, keepUntilMs, tags }: Terms,
  protection: VersionProtection | undefined,
  { canLock, canTag }: RetentionAbilities,
): RetainedFacts {
  const lock = protection?.lock;
  const withoutLock = canLock || rule.lock === "none" ? "none" : "unsupported";
  return {
    object: compact({ key: object.key, versionId: object.versionId }),
    rule: rule.name,
    keepUntil: isoTimeOrForever(keepUntilMs),
    lock: rule.lock,
    ...compact({ lockedUntil: lock && isoTime(lock.untilMs) }),
    tags,
    applied: {
      lock: lock === undefined ? withoutLock : "locked",
      tags: canTag ? "tagged" : "unsupported",
    },
  };
}

/** Whether the newest `retained` record says just this. */
export function isRecorded({ retained }: RevisionLedger, facts: RetainedFacts): boolean {
  const flat = ({ object, rule, keepUntil, lock, lockedUntil, tags, applied }: RetainedFacts) =>
    JSON.stringify([
      [object.key, object.versionId, rule, keepUntil, lock, lockedUntil, applied.lock, applied.tags],
      Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)),
    ]);
  return retained !== undefined && retained !== UNREADABLE && flat(retained) === flat(facts);
}
