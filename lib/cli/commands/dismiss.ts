import { systemClock, systemRandom } from "../../config/system.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { CallOptions } from "../../ports/platform.ts";
import type { HeldDeadLetter } from "../../ports/task-queue.ts";
import { taskOfLetter } from "../../queue/message-codec.ts";
import { noteDismissal } from "../../records/dismissals.ts";
import { dismissLines, unknownLetters } from "../dead-letter-lines.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { withLettersOfArchive } from "../letters-session.ts";
import { operatorName } from "../operator.ts";
import type { Output } from "../output.ts";
import type { CommonOptions } from "../session.ts";

export interface DismissOptions extends CommonOptions {
  readonly reason: string;
  readonly by?: string;
}

/**
 * `dead-letters dismiss`: notes in the store who dismissed a letter and why, then removes the letter. No export task
 * is deleted, and no copy.
 */
export async function dismissCommand(
  ids: readonly string[],
  options: DismissOptions,
  output: Output,
): Promise<ExitCode> {
  const dismissed = await withLettersOfArchive(options, ({ queue, store, signal }) =>
    queue.dismiss(ids, (letter) => note(store, letter, options, { signal }), { signal }),
  );
  const unknown = unknownLetters(ids, dismissed);
  output.show({ dismissed, ...unknown }, dismissLines(ids, dismissed));
  return unknown === undefined ? EXIT.done : EXIT.failed;
}

async function note(
  store: ObjectStore,
  letter: HeldDeadLetter,
  { reason, by = operatorName() }: DismissOptions,
  options: CallOptions,
): Promise<void> {
  const facts = {
    letter,
    exportTaskId: taskOfLetter(letter),
    reason,
    by,
    dismissedAtMs: systemClock.wallMs(),
    nonceHex: systemRandom.hex(4),
  };
  await noteDismissal(store, facts, options);
}
