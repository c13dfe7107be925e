/** Where a message came from. */
export type MessageSource = "discover" | "event" | "cli";

/**
 * A task message as policy sees it (architecture §6.2). Times are epoch milliseconds here and ISO text on the
 * wire; the codec of `lib/queue` translates.
 */
export interface TaskMessage {
  readonly exportTaskId: string;
  /** A hint: the listed revision is the one that is worked on. */
  readonly revision?: string;
  /** Failed tries so far; absent means 0. */
  readonly attempts?: number;
  /** When an archive run first saw this request. */
  readonly requestedAtMs?: number;
  readonly firstFailedAtMs?: number;
  /** Not to be started before this moment; carries delays longer than the queue can hold. */
  readonly notBeforeMs?: number;
  /** Since when no list has shown the task. */
  readonly absentSinceMs?: number;
  /** Was cut by a time limit once: starts only with nothing else in flight and half the run ahead. */
  readonly needsFullRun?: boolean;
  /** Was received suspiciously often: worked with nothing else in flight. */
  readonly alone?: boolean;
  /** SHA-256 of the last whole body that was not an acceptable export; two equal ones make `not-accepted`. */
  readonly rejectedSha256?: string;
  readonly source?: MessageSource;
  /** Fields of other programs; they survive re-sending. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Why a message was dead-lettered (architecture §6.2). */
export type DeadLetterReason =
  | "unreadable"
  | "export-failed"
  | "source-gone"
  | "never-finished"
  | "not-accepted"
  | "too-large"
  | "too-large-for-run"
  | "max-attempts"
  | "crash-loop";
