import { systemClock } from "../../config/system.ts";
import { deadLetterLines, redriveLines, unknownLetters } from "../dead-letter-lines.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { withLetters } from "../letters-session.ts";
import type { Output } from "../output.ts";
import type { CommonOptions } from "../session.ts";

export interface ListOptions extends CommonOptions {
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
