import { systemClock } from "../../config/system.ts";
import { deadLetterLines, redriveLines, unknownIds } from "../dead-letter-lines.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { withLetters } from "../letters-session.ts";
import type { Output } from "../output.ts";
import type { CommonOptions } from "../session.ts";

export interface ListOptions extends CommonOptions {
  readonly limit: number;
}

/** `dead-letters list`: what was given up, and why. */
export async function listDeadLettersCommand(options: ListOptions, output: Output): Promise<ExitCode> {
  const letters = await withLetters(options, ({ queue, signal }) =>
    queue.listDeadLetters({ signal, limit: options.limit }),
  );
  output.show({ deadLetters: letters }, deadLetterLines(letters, systemClock.wallMs()));
  return EXIT.done;
}

/** `dead-letters redrive`: moves letters back into the task queue, where they start afresh. */
export async function redriveCommand(
  ids: readonly string[] | "all",
  options: CommonOptions,
  output: Output,
): Promise<ExitCode> {
  const moved = await withLetters(options, ({ queue, signal }) => queue.redrive(ids, { signal }));
  output.show({ redriven: moved }, redriveLines(ids, moved));
  return unknownIds(ids, moved).length > 0 ? EXIT.failed : EXIT.done;
}
