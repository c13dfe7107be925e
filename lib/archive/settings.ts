import type { PlatformScope } from "../domain/export-task.ts";

/** What the policy is told; defaults and names are in architecture §6.1. */
export interface ArchiveSettings {
  readonly scope: PlatformScope;
  /** `never`: archive, verify, record, and keep the task on the platform. */
  readonly deletion: "after-verify" | "never";
  readonly verify: "auto" | "stored" | "read-back";
  readonly accept: "zip" | "any";
  readonly downloadIntervalMs: number;
  readonly maxAttempts: number;
  readonly giveUpAfterMs: number;
  readonly maxReceives: number;
  readonly absenceConfirmMs: number;
  readonly taskTimeoutMs: number;
  readonly minTaskMs: number;
  /** Bodies up to this size have their members' CRC-32 compared while they pass. */
  readonly membersLimitBytes: number;
  /** Places held at which a run that acts `when: "pressure"` does act. */
  readonly pressure: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Delayed messages that become due within this are waited for by `run` (architecture §6.4). */
export const RUN_WAITS_FOR_DUE_MS = 15 * MINUTE_MS;
/** At most two tasks in flight: one waits for its slot while the other uploads, verifies, deletes (architecture §4, Time). */
export const TASKS_IN_FLIGHT = 2;
/** An absent or unfinished task is given up after this. */
export const TASK_PATIENCE_MS = 48 * HOUR_MS;
/** One absence is believed only after this long when the list is empty: an empty list may be a fault of its own. */
export const EMPTY_LIST_PATIENCE_MS = 24 * HOUR_MS;
const EMPTY_LIST_RECHECK_MS = HOUR_MS;
/**
 * What a list cannot tell, and what a plan does not allow, is looked at again this late. Both seldom change within a run,
 * and many tasks may wait for it: less than a run takes, and one would keep the next one waiting without end.
 */
export const LATER_RUN_MS = HOUR_MS;
/** Tasks behind a system verdict come back this late, so that others come first. */
export const SYSTEM_FAILURE_DELAY_MS = 15 * MINUTE_MS;
const MAX_RETRY_DELAY_MS = 15 * MINUTE_MS;
const MAX_POSTPONE_MS = 5 * MINUTE_MS;
/** An `alone` message received this often without any report naming it has crashed its runner each time. */
export const CRASH_LOOP_RECEIVES = 3;

/** Delay of a failed try: full jitter of min(900 s, interval × 2^attempts). */
export function retryDelayMs(intervalMs: number, attempts: number, fraction: number): number {
  return Math.floor(fraction * Math.min(MAX_RETRY_DELAY_MS, intervalMs * 2 ** Math.min(attempts, 20)));
}

/** Delay of a postponed task without a rule of its own: 10 intervals, at most 5 minutes. */
export function postponeDelayMs(intervalMs: number): number {
  return Math.min(MAX_POSTPONE_MS, 10 * intervalMs);
}

/**
 * When to look again for a task that no list shows. Where the list is empty the proof needs a day; asking
 * every minute until then would only keep a machine busy.
 */
export function absenceDelayMs(settings: ArchiveSettings, listIsEmpty: boolean): number {
  return listIsEmpty ? Math.max(settings.absenceConfirmMs, EMPTY_LIST_RECHECK_MS) : settings.absenceConfirmMs;
}
