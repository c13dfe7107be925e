import { ArchiverError } from "../domain/errors.ts";
import { harmlessText } from "../domain/harmless-text.ts";

/** The retention policy cannot be used. The message lists every problem, one for each line. */
export class RetentionPolicyError extends ArchiverError {
  declare readonly code: "retention-policy";
  readonly problems: readonly string[];

  constructor(problems: readonly string[], cause?: unknown) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(
      "retention-policy",
      [`The retention policy has ${count}:`, ...problems.map(harmlessText)].join("\n  "),
      {
        scope: "system",
        retry: "never",
        hint: "Correct the policy that ARCHIVER_RETENTION_POLICY names. The program retained, locked and removed nothing.",
        cause,
      },
    );
    this.problems = problems;
  }
}

/** The records of an export that somebody asked for by its id do not lead to a file. */
export class NoSuchCopyError extends ArchiverError {
  declare readonly code: "no-such-copy";

  constructor(problem: string, hint: string) {
    super("no-such-copy", problem, { scope: "task", retry: "never", hint });
  }
}

/** The stored bytes are not those of the record. */
export function damagedCopy(key: string): ArchiverError {
  return new ArchiverError("copy-damaged", `the stored object differs from its record (${key})`, {
    scope: "task",
    retry: "never",
    hint: "Look for another version or a backup of this object. Run iotda-archiver verify --all to see whether others are damaged.",
  });
}
