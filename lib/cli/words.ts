import type { SkipReason } from "../discovery/discover.ts";
import type { DeadLetterReason } from "../domain/task-message.ts";
import type {
  KeepReason,
  PostponeReason,
  StopReason,
  TaskEntry,
  TaskOutcome,
} from "../records/run-report.ts";
import type { WaitReason } from "../requests/decide.ts";
import type { StayReason } from "../retention/expiry-verdict.ts";
import type { PlannedSweep } from "../retention/plan.ts";
import type { RetentionStop } from "../retention/run.ts";

// What the codes of reports mean, in words for a person.

/** Why an attempt at a task ended as it did. */
const ATTEMPT_WORDS: Readonly<
  Record<KeepReason | PostponeReason | DeadLetterReason | "already-gone" | "dead-lettered", string>
> = {
  "copy-cold": "its stored copy is in a storage class that cannot be read, and the last proof is too old",
  "delete-disabled": "deletion is switched off",
  hold: "held by an operator",
  expired: "its archived copy has expired",
  sibling: "another export with the same condition is not archived yet",
  "already-gone": "already archived and no longer on the platform",
  "dead-lettered": "dead-lettered before",
  unfinished: "the platform has not finished it",
  absent: "the platform's list does not show it",
  "left-alone": "its entry in the platform's list cannot be understood",
  "odd-list": "the platform's list does not show it, but holds items that cannot be understood",
  throttled: "the platform asks for a longer interval between downloads",
  "revision-changed": "the platform is replacing its file",
  "gate-too-slow": "the platform and the store answer too slowly to delete it safely",
  "copy-missing": "its stored copy is missing or changed",
  "still-listed": "the platform still lists it",
  "lost-race": "another runner works on it",
  "cut-by-time-limit": "a time limit ended the attempt",
  "system-failure": "a system failure, not a failure of the task",
  "crash-loop": "the archiver crashed repeatedly on this task",
  "too-large": "it is larger than the store takes",
  "too-large-for-run": "it takes longer than a whole run",
  "export-failed": "the platform could not make this export",
  "source-gone": "the platform lost it before it was archived",
  "never-finished": "the platform never finished it",
  "not-accepted": "the platform sent the same unacceptable file twice",
  "max-attempts": "every attempt failed",
  unreadable: "the message cannot be read",
};

/** The same for the errors that a task is tried again after; a code that is not here is shown as it is. */
const ERROR_WORDS: Readonly<Record<string, string>> = {
  "cut-in-full-run": "it takes longer than a whole run",
  "short-body": "the file was cut off",
  "body-not-accepted": "the file is not an acceptable export",
  "copy-differs": "its stored copy is not what was downloaded",
  "records-overflow": "files of other programs lie among its records",
  "platform-disguised-error": "the platform sent an error page instead of the file",
  "platform-forbidden": "the platform denies access",
  "platform-unreachable": "the connection broke",
  "platform-unavailable": "the platform answered with a server error",
  "platform-malformed-answer": "the platform's answer could not be read",
  "platform-rejected-request": "the platform refuses the request",
  "platform-task-not-found": "the platform does not know it",
  "store-forbidden": "the store denies access",
  "store-unavailable": "the store could not be read or written",
  "store-upload-gone": "its upload vanished from the store",
  "store-key-taken": "another object already has its key in the store",
  "store-proof-mismatch": "the store received different bytes from those sent",
  "store-copy-differs": "its stored copy is missing or changed",
  "store-misconfigured": "something in the store stands where the archiver's folder should be",
  "store-object-cold": "its stored copy must be restored before it can be read",
  "store-too-large": "it is larger than the store takes",
  "store-foreign-answer": "something other than the store answered",
};

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

/** Why a request waits. */
const WAIT_WORDS: Readonly<Record<WaitReason, string>> = {
  "places-held":
    "45 or more export slots are used, or all but 5 of ARCHIVER_EXPORT_PLACES; another export could evict an unarchived one",
  "unfinished-limit": "five exports are being made, and the platform allows no more",
  "same-condition-unfinished": "an export of the same batch task is being made",
  "same-condition-unarchived": "an export of the same batch task is not archived yet",
  claimed: "another run is creating the export, or crashed before it could",
  "tried-just-now": "the last attempt failed a moment ago",
  "list-too-old": "the platform and the store answer too slowly to create an export safely",
  "older-requests-first": "many older requests come first",
  "request-file-unreadable": "unrecognised file under requests/",
};

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
