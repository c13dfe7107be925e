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
  "copy-cold": "its stored copy lies in a storage class that cannot be read, and was proved too long ago",
  "delete-disabled": "deletion is switched off",
  hold: "held by an operator",
  expired: "its archive has expired",
  sibling: "another export with the same condition is not archived yet",
  "already-gone": "archived before; it is no longer on the platform",
  "dead-lettered": "dead-lettered before",
  unfinished: "the platform has not finished it",
  absent: "no list shows it",
  "left-alone": "the platform's list shows it in a form that cannot be understood",
  "odd-list": "no list shows it, but one with items that cannot be understood proves nothing",
  throttled: "the platform asks for more distance",
  "revision-changed": "its file is being replaced",
  "gate-too-slow": "platform and store answer too slowly to delete safely",
  "copy-missing": "its stored copy is missing or changed",
  "still-listed": "the platform still lists it",
  "lost-race": "another runner works on it",
  "cut-by-time-limit": "cut by a time limit",
  "system-failure": "the system is failing, not the task",
  "crash-loop": "the archiver died at it again and again",
  "too-large": "it is larger than the store takes",
  "too-large-for-run": "it takes longer than a whole run",
  "export-failed": "the platform could not make this export",
  "source-gone": "the platform lost it before it was archived",
  "never-finished": "the platform never finished it",
  "not-accepted": "twice the same file, and no acceptable export",
  "max-attempts": "every try failed",
  unreadable: "the message cannot be read",
};

/** The same for the errors that a task is tried again after; a code that is not here is shown as it is. */
const ERROR_WORDS: Readonly<Record<string, string>> = {
  "cut-in-full-run": "it takes longer than a whole run",
  "short-body": "the file was cut off",
  "body-not-accepted": "the file is not an acceptable export",
  "copy-differs": "its stored copy is not what was downloaded",
  "records-overflow": "other programs' files lie among its records",
  "platform-disguised-error": "an error page instead of the file",
  "platform-forbidden": "the platform does not permit it",
  "platform-unreachable": "the connection broke",
  "platform-unavailable": "the platform answered with a server error",
  "platform-malformed-answer": "the platform's answer could not be read",
  "platform-rejected-request": "the platform refuses the request",
  "platform-task-not-found": "the platform does not know it",
  "store-forbidden": "the store does not permit it",
  "store-unavailable": "the store could not be read or written",
  "store-upload-gone": "its upload vanished from the store",
  "store-key-taken": "its place in the store is taken",
  "store-proof-mismatch": "the store got other bytes than were sent",
  "store-copy-differs": "its stored copy is missing or changed",
  "store-misconfigured": "something that is not a folder of the archiver lies in its place in the store",
  "store-object-cold": "its stored copy must be restored before it can be read",
  "store-too-large": "it is larger than the store takes",
  "store-foreign-answer": "something else answered in the store's place",
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
  "time-budget": "the time is up, or too short for the next task; the next run goes on",
  "system-failure": "stopped by a failure of the system; no task was given up for it",
  aborted: "interrupted; everything was handed back",
  "no-pressure": "too few export slots are used to act now",
};

/** Whether a run deletes, for a person: the one setting whose slip cannot be undone. */
export function deletionInWords(deletion: "after-verify" | "never"): string {
  return deletion === "never" ? "deletion is off (ARCHIVER_DELETE=never)" : "deletes archived exports";
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
    "45 or more export slots are used, or all but 5 of ARCHIVER_EXPORT_PLACES: one more could evict one not archived",
  "unfinished-limit": "five exports are being made, which is all the platform allows",
  "same-condition-unfinished": "an export of the same batch task is being made",
  "same-condition-unarchived": "an export of the same batch task is not archived yet",
  claimed: "another run is creating the export, or died at it",
  "tried-just-now": "the last try came to nothing just now",
  "list-too-old": "platform and store answer too slowly to create safely",
  "older-requests-first": "many older requests come first",
  "request-file-unreadable": "unrecognised file under requests/",
};

/** Why a request is open or ended, where the reason does not mean what it means for a task. */
const REQUEST_WORDS: Readonly<Record<string, string>> = {
  ...WAIT_WORDS,
  "same-condition-dead-lettered": "an export of the same batch task was given up and would be overwritten",
  "next-run": "the next discover works on it",
  unfinished: "being made",
  unarchived: "not archived yet",
  "platform-not-seen": "where it stands is not known without the platform",
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
  unexpired: "its time is not over",
  "not-deleted": "not known to be gone from the platform",
  "deleted-recently": "gone from the platform for less than a day",
  held: "held by an operator",
  locked: "locked in the store",
  "still-listed": "the platform still lists it",
  "odd-list": "the platform's list holds items that cannot be understood, and so proves nothing",
  "empty-list": "the platform's list is empty, which proves nothing",
  missing: "the recorded object is missing",
  "removed-before": "removed before",
  "lost-race": "another runner works on it",
  "no-time": "the run's time was over before anything was removed",
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
  "time-budget": "the time is up; the next run goes on",
  "removal-limit": "as many exports removed as one run may; the next run goes on",
  "no-proof": "the platform's list is empty, which proves nothing: nothing was removed",
  "system-failure": "stopped by a failure of the system",
};
