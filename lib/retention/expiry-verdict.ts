import { compact } from "../domain/compact.ts";
import { DAY_MS } from "../domain/utc-day.ts";
import type { ObjectVersion, VersionProtection } from "../ports/retention-store.ts";
import { type RevisionLedger, UNREADABLE } from "../records/retention-records.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { type FreshList, listedAs } from "../run/platform-list.ts";
import { type RetentionPolicy, type Rule, ruleFor } from "./policy.ts";
import { retainedUntilMs, termsOf } from "./terms.ts";

/** Why a recorded object stays. */
export type StayReason =
  | "unrecorded"
  | "unreadable"
  | "unexpired"
  | "not-deleted"
  | "deleted-recently"
  | "held"
  | "locked"
  | "still-listed"
  | "empty-list"
  | "odd-list"
  | "missing"
  | "removed-before"
  | "lost-race"
  /** The run's time was over before it came to this one, and it had removed nothing. */
  | "no-time"
  | "failed";

/** One object that its records and the policy let go. */
export interface DueObject extends ObjectVersion {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What the records and the policy say of one revision; the world may still object. */
export type ExpiryVerdict =
  | {
      readonly kind: "due";
      readonly rule: Rule;
      readonly keepUntilMs: number;
      readonly objects: readonly DueObject[];
    }
  | { readonly kind: "stays"; readonly reason: StayReason; readonly keepUntilMs?: number };

/** A `deleted` record must be this old: the platform had a day to show the task again. */
export const DELETED_FOR_MS = DAY_MS;

/**
 * Whether a revision's objects may go, as far as records and policy can tell. Every copy of the revision goes
 * or none does; the one that is kept longest decides. What a `retained` record promised stands until the sweep
 * has written a newer one, so that a policy with a slip in it removes nothing on the day it appears.
 *
 * @param nowMs the earliest of all clocks asked: a clock that is ahead must not bring a removal forward.
 */
export function expiryVerdict(policy: RetentionPolicy, ledger: RevisionLedger, nowMs: number): ExpiryVerdict {
  const { archived, retained, deleted, expired } = ledger;
  if (
    archived === UNREADABLE ||
    retained === UNREADABLE ||
    deleted === UNREADABLE ||
    expired === UNREADABLE
  ) {
    return { kind: "stays", reason: "unreadable" };
  }
  if (archived === undefined) {
    return { kind: "stays", reason: "unrecorded" };
  }
  const copies = archived.map((record) => termsOf(ruleFor(policy, record), record));
  const promisedMs = retained === undefined ? 0 : retainedUntilMs(retained);
  const keepUntilMs = Math.max(promisedMs, ...copies.map((copy) => copy.keepUntilMs));
  // NaN compares false: a date that cannot be read keeps.
  if (!(keepUntilMs <= nowMs)) {
    return { kind: "stays", reason: "unexpired", keepUntilMs };
  }
  if (deleted === undefined) {
    return { kind: "stays", reason: "not-deleted", keepUntilMs };
  }
  const deletedAtMs = Math.max(Date.parse(deleted.deletedAt), Date.parse(deleted.confirmedAt));
  if (!(deletedAtMs + DELETED_FOR_MS <= nowMs)) {
    return { kind: "stays", reason: "deleted-recently", keepUntilMs };
  }
  const rule = copies.at(-1)?.rule;
  return rule === undefined
    ? { kind: "stays", reason: "unrecorded" }
    : { kind: "due", rule, keepUntilMs, objects: distinctObjects(archived) };
}

function distinctObjects(archived: readonly ArchivedRecord[]): readonly DueObject[] {
  const objects = archived.map(({ object }): [string, DueObject] => {
    const { key, versionId, sizeBytes, sha256 } = object;
    return [idOf(object), compact({ key, versionId, sizeBytes, sha256 })];
  });
  return [...new Map(objects).values()];
}

/** Tells versions apart. */
export function idOf({ key, versionId }: ObjectVersion): string {
  return JSON.stringify([key, versionId ?? null]);
}

/** Whether the store itself keeps a version from being removed, by its lock or by a legal hold. */
export function isLocked({ lock, legalHold }: VersionProtection, nowMs: number): boolean {
  return legalHold || (lock !== undefined && !(lock.untilMs <= nowMs));
}

/**
 * What a fresh, complete list says of a task, by its id alone: another revision of it is the task, too. An empty list
 * proves nothing: a wrong project, a lost permission and a platform in trouble look the same.
 */
export function presenceIn(
  list: FreshList,
  exportTaskId: string,
): "absent" | "still-listed" | "empty-list" | "odd-list" {
  if (list.tasks.length === 0) {
    return "empty-list";
  }
  const state = listedAs(list, exportTaskId);
  switch (state) {
    case "absent":
      return "absent";
    case "listed":
    case "odd":
      return "still-listed";
    case "unproved":
      return "odd-list";
  }
}
