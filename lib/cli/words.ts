import type { SkipReason } from "../discovery/discover.ts";
import type { StopReason, TaskEntry, TaskOutcome } from "../records/run-report.ts";
import { ATTEMPT_WORDS, ERROR_WORDS } from "../report/reasons-en.ts";
import { WAIT_WORDS } from "../requests/wait-words.ts";
import type { StayReason } from "../retention/expiry-verdict.ts";
import type { PlannedSweep } from "../retention/plan.ts";
import type { RetentionStop } from "../retention/run.ts";

// What the codes of reports mean, in words for a person.

const REASON_WORDS: Readonly<Record<string, string>> = { ...ATTEMPT_WORDS, ...ERROR_WORDS };

/** A reason for a person. */
export function reasonInWords(reason: string): string {
  return REASON_WORDS[reason] ?? reason;
}

const OUTCOME_WORDS: Readonly<Record<TaskOutcome, string>> = {
  "archived-deleted": "archived and deleted",
  "archived-kept": "archived and kept",
  deleted: "deleted (archived before)",
  "already-done": "nothing left to do",
  postponed: "postponed",
  retried: "will be tried again",
  "dead-lettered": "dead-lettered",
};

/** An attempt's outcome for a person, such as `archived and deleted`. */
export function outcomeInWords({ outcome }: Pick<TaskEntry, "outcome">): string {
  return OUTCOME_WORDS[outcome];
}

/** Why an archive run ended. */
export const STOP_WORDS: Readonly<Record<StopReason, string>> = {
  drained: "nothing is left to do now",
  "time-budget": "the time is up or too short for the next task; the next run continues",
  "system-failure": "a system failure stopped the run; it counts against no task",
  aborted: "interrupted; unfinished tasks went back to the queue",
  "no-pressure": "fewer export slots are used than ARCHIVER_PRESSURE says",
};

/** Whether a run deletes, for a person: the one setting whose slip cannot be undone. */
export function deletionInWords(deletion: "after-verify" | "never"): string {
  return deletion === "never" ? "deletion is off (ARCHIVER_DELETE=never)" : "deletion is on";
}

type KeptReason = Extract<SkipReason, `kept:${string}`>;

const SKIP_WORDS: Readonly<Record<Exclude<SkipReason, KeptReason>, string>> = {
  "dead-lettered": "dead-lettered",
  "enqueued-recently": "enqueued less than 6 h ago",
  "unknown-status": "of unknown status",
};

function isKept(reason: SkipReason): reason is KeptReason {
  return reason.startsWith("kept:");
}

/** Why `discover` skipped a task. */
export function skipInWords(reason: SkipReason): string {
  return isKept(reason)
    ? `archived and kept: ${reasonInWords(reason.slice("kept:".length))}`
    : SKIP_WORDS[reason];
}

/** The same where tasks are only counted. */
export function skipKindInWords(reason: SkipReason): string {
  return isKept(reason) ? "archived and kept" : SKIP_WORDS[reason];
}

/** Why a request is open or ended, where the reason does not mean what it means for a task. */
const REQUEST_WORDS: Readonly<Record<string, string>> = {
  ...WAIT_WORDS,
  "same-condition-dead-lettered":
    "an export of the same batch task was dead-lettered and would be overwritten",
  "next-run": "the next discover run works on it",
  unfinished: "being made",
  unarchived: "not archived yet",
  "platform-not-seen": "its state is unknown without the platform",
  "export-failed": "the platform could not make its export",
  "export-lost": "its export left the platform before it was archived",
  "create-refused": "the platform refuses to make the export",
  "never-finished": "the platform never finished its export",
  "dead-lettered": "its export was dead-lettered",
};

/** A reason of an export request for a person. */
export function requestReasonInWords(reason: string): string {
  return REQUEST_WORDS[reason] ?? reasonInWords(reason);
}

/** Why an archived export stays in the store. */
export const STAY_WORDS: Readonly<Record<StayReason, string>> = {
  unrecorded: "no archived record",
  unreadable: "one of its records cannot be read",
  unexpired: "its retention time is not over",
  "not-deleted": "not known to be gone from the platform",
  "deleted-recently": "gone from the platform for less than a day",
  held: "held by an operator",
  locked: "locked in the store",
  "still-listed": "the platform still lists it",
  "odd-list": "the platform's list holds items that cannot be understood, so it proves nothing",
  "empty-list": "the platform's list is empty, which proves nothing",
  missing: "the recorded object is missing",
  "removed-before": "removed before",
  "lost-race": "another runner works on it",
  "no-time": "the run's time was up before it removed anything",
  failed: "failed",
};

/** What the next sweep of retention would do. */
export const SWEEP_WORDS: Readonly<Record<PlannedSweep, string>> = {
  nothing: "–",
  retain: "retain",
  refuse: "refuse",
  "report-missing": "report as missing",
  "report-unreadable": "report as unreadable",
};

/** Why a run of retention ended. */
export const RETENTION_STOP_WORDS: Readonly<Record<RetentionStop, string>> = {
  done: "done",
  "time-budget": "the time is up; the next run continues",
  "removal-limit": "the run removed as many exports as one run may; the next run continues",
  "no-proof": "the run removed nothing, because an empty list of the platform proves nothing",
  "system-failure": "a system failure stopped the run",
};
