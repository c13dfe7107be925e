import { ArchiverError } from "../domain/errors.ts";
import { harmlessText } from "../domain/harmless-text.ts";

/** The rules of expected exports cannot be used. The message lists every problem, one for each line. */
export class ExpectedExportsError extends ArchiverError {
  declare readonly code: "expected-exports";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(
      "expected-exports",
      [`The rules of expected exports have ${count}:`, ...problems.map(harmlessText)].join("\n  "),
      { scope: "system", retry: "never", hint: "Correct the rules that ARCHIVER_EXPECT names." },
    );
    this.problems = problems;
  }
}
