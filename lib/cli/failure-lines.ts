import type { Failure } from "../domain/errors.ts";

/** Their messages list problems, each on a line of its own and already harmless. */
const LIST_PROBLEMS: ReadonlySet<string> = new Set(["configuration", "retention-policy"]);

/** What a failure says, as lines. @param lead stands before the first one. */
export function messageLines({ code, message }: Failure, lead = ""): readonly string[] {
  const text = `${lead}${message}`;
  return LIST_PROBLEMS.has(code) ? text.split("\n") : [text];
}
