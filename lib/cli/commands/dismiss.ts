import { systemClock, systemRandom } from "../../config/system.ts";
import { wireQueue } from "../../config/wiring.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { CallOptions } from "../../ports/platform.ts";
import type { DeadLetterQueue, HeldDeadLetter } from "../../ports/task-queue.ts";
import { taskOfLetter } from "../../queue/letter-names.ts";
import { noteDismissal } from "../../records/dismissals.ts";
import { dismissLines, unknownIds } from "../dead-letter-lines.ts";
import { loadConfiguration } from "../environment.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { operatorName } from "../operator.ts";
import type { Output } from "../output.ts";
import { withArchive } from "../retention-session.ts";
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
  const dismissed = await withArchive(options, ({ store, signal }) =>
    withLetters(options, (queue) =>
      queue.dismiss(ids, (letter) => note(store, letter, options, { signal }), { signal }),
    ),
  );
  output.show({ dismissed }, dismissLines(ids, dismissed));
  return unknownIds(ids, dismissed).length > 0 ? EXIT.failed : EXIT.done;
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

async function withLetters<T>(
  options: CommonOptions,
  work: (queue: DeadLetterQueue) => Promise<T>,
): Promise<T> {
  const { queue: place, proxy } = await loadConfiguration(options, ["queue"]);
  const queue = await wireQueue(place, proxy);
  try {
    return await work(queue);
  } finally {
    queue.close();
  }
}
