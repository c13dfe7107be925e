import { compact } from "../domain/compact.ts";
import { DAY_MS } from "../domain/utc-day.ts";
import type { ArchivedRecord, RetainedRecord } from "../records/schemas.ts";
import { MAX_KEEP_DAYS, type Rule } from "./policy.ts";

/** What the tags of an object are called. Lifecycle rules of the bucket may filter on them. */
export const TAG = {
  rule: "archiver-rule",
  keepUntil: "archiver-keep-until",
  storageClass: "archiver-storage-class",
} as const;

/** What one export's rule means in time, counted from its `archivedAt`. */
export interface Terms {
  readonly rule: Rule;
  /** `Infinity` for "forever". The object may go from this moment on. */
  readonly keepUntilMs: number;
  /** The end of the lock that the rule asks for; `undefined` without one. */
  readonly lockUntilMs: number | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** The terms a rule gives an export. A lock "forever" gets the longest end that stores accept. */
export function termsOf(rule: Rule, { archivedAt }: Pick<ArchivedRecord, "archivedAt">): Terms {
  const archivedAtMs = Date.parse(archivedAt);
  const isForever = rule.keepDays === "forever";
  const days = rule.keepDays === "forever" ? MAX_KEEP_DAYS : rule.keepDays;
  const endMs = archivedAtMs + days * DAY_MS;
  return {
    rule,
    keepUntilMs: isForever ? Number.POSITIVE_INFINITY : endMs,
    // Stores keep whole seconds; a lock must not end before the object may go.
    lockUntilMs: rule.lock === "none" ? undefined : Math.ceil(endMs / 1000) * 1000,
    tags: compact({
      [TAG.rule]: rule.name,
      [TAG.keepUntil]: isForever ? "forever" : isoTime(endMs),
      [TAG.storageClass]: rule.storageClass,
    }),
  };
}

/** Until when the newest `retained` record keeps an object. */
export function retainedUntilMs({ keepUntil }: Pick<RetainedRecord, "keepUntil">): number {
  return keepUntil === "forever" ? Number.POSITIVE_INFINITY : Date.parse(keepUntil);
}

/** A moment as records show it; `unknown` for none: one odd record must not end a run over all the others. */
export function isoTime(epochMs: number): string {
  return Number.isNaN(epochMs) ? "unknown" : new Date(epochMs).toISOString();
}

/** A moment or its absence, as records show it. */
export function isoTimeOrForever(epochMs: number): string {
  return epochMs === Number.POSITIVE_INFINITY ? "forever" : isoTime(epochMs);
}
