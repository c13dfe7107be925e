import { ArchiverError } from "../domain/errors.ts";
import { harmlessText } from "../domain/harmless-text.ts";

/** One thing that is wrong with one setting. No field ever holds a secret. */
export interface ConfigurationProblem {
  /** The environment variable, or the file that could not be read. */
  readonly name: string;
  /** Completes "name: …", without a full stop. */
  readonly problem: string;
  /** A sentence that says what to set. */
  readonly fix: string;
}

/** The configuration cannot work. The message lists every problem at once, one for each line. */
export class ConfigurationError extends ArchiverError {
  declare readonly code: "configuration";
  readonly problems: readonly ConfigurationProblem[];

  /** @param closing a line below the problems: what to do about all of them. */
  constructor(problems: readonly ConfigurationProblem[], cause?: unknown, closing?: string) {
    super("configuration", [...messageOf(problems), ...(closing === undefined ? [] : [closing])].join("\n"), {
      scope: "system",
      retry: "never",
      hint: "Correct every setting listed in the message, in the environment or the file of settings, and start again.",
      cause,
    });
    this.problems = problems;
  }
}

function messageOf(problems: readonly ConfigurationProblem[]): readonly string[] {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.map(({ name, problem, fix }) => harmlessText(`  ${name}: ${problem}. ${fix}`));
  return [`The configuration has ${count}:`, ...lines];
}
