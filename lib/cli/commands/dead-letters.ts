import { systemClock, systemRandom } from "../../config/system.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { CallOptions } from "../../ports/platform.ts";
import type { HeldDeadLetter } from "../../ports/task-queue.ts";
import { taskOfLetter } from "../../queue/message-codec.ts";
import { noteDismissal } from "../../records/dismissals.ts";
import { deadLetterLines, dismissLines, redriveLines, unknownLetters } from "../dead-letter-lines.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { withLetters, withLettersOfArchive } from "../letters-session.ts";
import { operatorName } from "../operator.ts";
import type { Output } from "../output.ts";
import type { CommonOptions } from "../session.ts";

interface ListOptions extends CommonOptions {
  readonly limit: number;
}

/** `dead-letters list`: what was given up, and why. */
export async function listDeadLettersCommand(options: ListOptions, output: Output): Promise<ExitCode> {
  const { limit } = options;
  // One more than is shown tells whether there are more.
  const found = await withLetters(options, ({ queue, signal }) =>
    queue.listDeadLetters({ signal, limit: limit + 1 }),
  );
  const letters = found.slice(0, limit);
  const more = found.length > limit;
  output.show({ deadLetters: letters, more }, deadLetterLines(letters, systemClock.wallMs(), more));
  return EXIT.done;
}

/** `dead-letters redrive`: moves letters back into the task queue, where they start afresh. */
export async function redriveCommand(
  ids: readonly string[] | "all",
  options: CommonOptions,
  output: Output,
): Promise<ExitCode> {
  const moved = await withLetters(options, ({ queue, signal }) => queue.redrive(ids, { signal }));
  const unknown = unknownLetters(ids, moved);
  output.show({ redriven: moved, ...unknown }, redriveLines(ids, moved));
  return unknown === undefined ? EXIT.done : EXIT.failed;
}

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
