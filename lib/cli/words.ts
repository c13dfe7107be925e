import type { DeadLetterReason } from "../domain/task-message.ts";
import type { KeepReason, PostponeReason, TaskEntry } from "../records/run-report.ts";
import type { StayReason } from "../retention/expiry-verdict.ts";
import type { PlannedSweep } from "../retention/plan.ts";

/** What the reasons of a report mean, in words for a person. */
const VISIT_WORDS: Readonly<
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

const REASON_WORDS: Readonly<Record<string, string>> = { ...VISIT_WORDS, ...ERROR_WORDS };

/** The same for the reasons of retention, where a word means something else there. */
const STAY_WORDS: Readonly<Record<StayReason, string>> = {
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

/** Why an archived export stays, for a person. */
export function stayInWords(reason: StayReason): string {
  return STAY_WORDS[reason];
}

/** What the next sweep of retention would do, for a person. */
const SWEEP_WORDS: Readonly<Record<PlannedSweep, string>> = {
  nothing: "–",
  retain: "retain",
  refuse: "refuse",
  "report-missing": "report as missing",
  "report-unreadable": "report as unreadable",
};

/** What the next sweep of retention would do, in a word or two. */
export function sweepInWords(sweep: PlannedSweep): string {
  return SWEEP_WORDS[sweep];
}

/** Whether a run deletes, for a person: the one setting whose slip cannot be undone. */
export function deletionInWords(deletion: "after-verify" | "never"): string {
  return deletion === "never" ? "deletion is off (ARCHIVER_DELETE=never)" : "deletes archived exports";
}

/** A reason for a person. */
export function reasonInWords(reason: string): string {
  return REASON_WORDS[reason] ?? reason;
}

/** An attempt's outcome for a person, such as `archived and deleted`. */
export function outcomeInWords(entry: TaskEntry): string {
  switch (entry.outcome) {
    case "archived-deleted":
      return "archived and deleted";
    case "archived-kept":
      return "archived and kept";
    case "deleted":
      return "deleted (archived before)";
    case "already-done":
      return "nothing left to do";
    case "postponed":
      return "postponed";
    case "retried":
      return "will be tried again";
    case "dead-lettered":
      return "dead-lettered";
  }
}
