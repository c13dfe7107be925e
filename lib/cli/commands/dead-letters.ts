import { systemClock } from "../../config/system.ts";
import { wireQueue } from "../../config/wiring.ts";
import { deadLetterLines, redriveLines, unknownIds } from "../dead-letter-lines.ts";
import { loadConfiguration } from "../environment.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { interruptible } from "../interrupt.ts";
import type { Output } from "../output.ts";
import type { CommonOptions } from "../session.ts";
import { operatorLines } from "../terminal.ts";

export interface ListOptions extends CommonOptions {
  readonly limit: number;
}

/** `dead-letters list`: what was given up, and why. */
export async function listDeadLettersCommand(options: ListOptions, output: Output): Promise<ExitCode> {
  const letters = await withDeadLetters(options, (queue, signal) =>
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
  const moved = await withDeadLetters(options, (queue, signal) => queue.redrive(ids, { signal }));
  output.show({ redriven: moved }, redriveLines(ids, moved));
  return unknownIds(ids, moved).length > 0 ? EXIT.failed : EXIT.done;
}

async function withDeadLetters<T>(
  options: CommonOptions,
  work: (queue: Awaited<ReturnType<typeof wireQueue>>, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const configuration = await loadConfiguration(options, ["queue"]);
  const say = await operatorLines();
  const queue = await wireQueue(configuration.queue, configuration.proxy);
  try {
    return await interruptible(say, (signal) => work(queue, signal));
  } finally {
    queue.close();
  }
}
