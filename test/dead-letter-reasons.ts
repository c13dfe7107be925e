import type { DeadLetterReason } from "../lib/domain/task-message.ts";

/** Complete by its type. */
const REASONS: Readonly<Record<DeadLetterReason, true>> = {
  unreadable: true,
  "export-failed": true,
  "source-gone": true,
  "never-finished": true,
  "not-accepted": true,
  "too-large": true,
  "too-large-for-run": true,
  "max-attempts": true,
  "crash-loop": true,
};

/** Every reason that a dead letter can have. */
export const DEAD_LETTER_REASONS: string[] = Object.keys(REASONS);
