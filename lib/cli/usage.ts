import { CommanderError } from "commander";
import { EXIT } from "./process.ts";

/** Our own code among commander's, for words that commander does not judge. */
export const WRONG_USAGE = "archiver.usage";

/** A command line that cannot be meant: nothing was done. @param problem completes "error: …". */
export function wrongUsage(problem: string): CommanderError {
  return new CommanderError(EXIT.misuse, WRONG_USAGE, `error: ${problem}`);
}
