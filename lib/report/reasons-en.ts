import type { DeadLetterReason } from "../domain/task-message.ts";
import type { KeepReason, PostponeReason } from "../records/run-report.ts";

/** Why an attempt at a task ended as it did, besides the codes of errors. */
export type AttemptReason = KeepReason | PostponeReason | DeadLetterReason | "already-gone" | "dead-lettered";

/** The same in words for a person. */
export const ATTEMPT_WORDS: Readonly<Record<AttemptReason, string>> = {
  "copy-cold": "its stored copy is in a storage class that cannot be read, and the last proof is too old",
  "delete-disabled": "deletion is switched off",
  hold: "held by an operator",
  expired: "its archived copy has expired",
  sibling: "another export with the same condition is not archived yet",
  "already-gone": "already archived and no longer on the platform",
  "dead-lettered": "dead-lettered before",
  unfinished: "the platform has not finished it",
  absent: "no list shows it: it may have been evicted, and the archiver looks again before it gives it up",
  "left-alone": "its entry in the platform's list cannot be understood",
  "odd-list": "the platform's list does not show it, but holds items that cannot be understood",
  throttled: "throttled by the platform, which hands out one download per interval",
  "revision-changed": "the platform is replacing its file",
  "gate-too-slow": "the platform and the store answer too slowly to delete it safely",
  "copy-missing": "its stored copy is missing or changed",
  "still-listed": "the platform still lists it",
  "lost-race": "another runner works on it",
  "cut-by-time-limit": "a time limit ended the attempt",
  "not-in-plan": "the plan does not say so",
  "changed-since-plan": "its revision, its holds or its records have changed since the plan",
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
export const ERROR_WORDS = {
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
  "store-unauthenticated": "the store refuses the access key",
  "store-unavailable": "the store could not be read or written",
  "store-upload-gone": "its upload vanished from the store",
  "store-key-taken": "another object already has its key in the store",
  "store-proof-mismatch": "the store received different bytes from those sent",
  "store-copy-differs": "its stored copy is missing or changed",
  "store-misconfigured": "something in the store stands where the archiver's folder should be",
  "store-object-cold": "its stored copy must be restored before it can be read",
  "store-too-large": "it is larger than the store takes",
  "store-foreign-answer": "something other than the store answered",
} as const satisfies Readonly<Record<string, string>>;

/** The code of an error that a task is tried again after. */
export type ErrorReason = keyof typeof ERROR_WORDS;
