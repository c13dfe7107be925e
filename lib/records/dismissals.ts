import * as v from "valibot";
import { compact } from "../domain/compact.ts";
import { dismissedLetterKey } from "../domain/key-layout.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { HeldDeadLetter } from "../ports/task-queue.ts";
import { jsonText } from "./create-once.ts";
import { isoTime, SCHEMA_VERSION, schemaVersion } from "./schemas.ts";

/** As of a dead letter's record: enough to recognize a message by. */
const MAX_RECORDED_BODY_CHARACTERS = 16_384;

/** `dead-letters/dismissed/…`: who took a letter out of the dead-letter queue for good, when and why. */
export const dismissalSchema = v.object({
  schemaVersion,
  reason: v.string(),
  by: v.string(),
  dismissedAt: isoTime,
  /** The export task that the letter was about, where it names one. */
  exportTaskId: v.optional(v.string()),
  /** The letter as it was, its body shortened when it is long. */
  letter: v.object({
    id: v.string(),
    body: v.string(),
    reason: v.string(),
    detail: v.string(),
    attempts: v.number(),
    runId: v.string(),
    deadLetteredAt: v.optional(isoTime),
  }),
});
export type Dismissal = v.InferOutput<typeof dismissalSchema>;

/** Who dismisses a letter, when and why. */
export interface DismissalFacts {
  readonly letter: HeldDeadLetter;
  readonly exportTaskId: string | undefined;
  readonly reason: string;
  readonly by: string;
  readonly dismissedAtMs: number;
  /** 8 hex digits; it keeps two notes of one millisecond apart. */
  readonly nonceHex: string;
}

/** Notes a dismissal for good. Nothing else about the task is changed. Throws what the store throws. */
export async function noteDismissal(
  store: ObjectStore,
  { letter, exportTaskId, reason, by, dismissedAtMs, nonceHex }: DismissalFacts,
  options: CallOptions,
): Promise<void> {
  const { id, body, detail, attempts, runId, deadLetteredAtMs } = letter;
  const note: Dismissal = compact({
    schemaVersion: SCHEMA_VERSION,
    reason,
    by,
    dismissedAt: new Date(dismissedAtMs).toISOString(),
    exportTaskId,
    letter: compact({
      id,
      body: body.slice(0, MAX_RECORDED_BODY_CHARACTERS),
      reason: letter.reason,
      detail,
      attempts,
      runId,
      deadLetteredAt: deadLetteredAtMs === undefined ? undefined : new Date(deadLetteredAtMs).toISOString(),
    }),
  });
  const key = dismissedLetterKey(dismissedAtMs, nonceHex);
  await store.putDocument(key, jsonText(note), { kind: "always" }, options);
}
