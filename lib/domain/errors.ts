/** What a failure says about the world: this one task is ill, or everything behind it is. */
export type ErrorScope = "task" | "system";

/** `now`: the same call may work at once. `later`: wait first. `never`: somebody must change something. */
export type ErrorRetry = "now" | "later" | "never";

/** What an error carries besides its message. */
export interface ErrorFacts {
  readonly scope: ErrorScope;
  readonly retry: ErrorRetry;
  /** One sentence that tells an operator what to do. Never holds a secret. */
  readonly hint: string;
  readonly cause?: unknown;
}

/**
 * The base of every error this program raises on purpose. Code decides on `code`, `scope` and `retry`,
 * never on the message, which is for people.
 */
export class ArchiverError extends Error {
  readonly code: string;
  readonly scope: ErrorScope;
  readonly retry: ErrorRetry;
  readonly hint: string;

  constructor(code: string, message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    // A fixed name: minification shortens class names to one letter.
    this.name = "ArchiverError";
    this.code = code;
    this.scope = facts.scope;
    this.retry = facts.retry;
    this.hint = facts.hint;
  }
}

/** One way to fail, as a row of an adapter's table says it. */
export interface Fault<Code extends string> extends Omit<ErrorFacts, "cause"> {
  readonly code: Code;
  /** What happened, in a few words. */
  readonly problem: string;
  /** As in {@link ErrorFacts}; `{place}` in it stands for {@link FaultContext.place}. */
  readonly hint: string;
}

/** A table of faults, each by the names that stand for it, with spaces between them. */
export function faultsByName<Row>(
  rows: readonly (readonly [fault: Row, names: string])[],
): ReadonlyMap<string, Row> {
  return new Map(rows.flatMap(([fault, names]) => names.split(" ").map((name) => [name, fault] as const)));
}

export interface FaultContext {
  /** What the operator has to look at: a folder, a file, a variable. */
  readonly place?: string;
  readonly cause?: unknown;
}

/** An error that an adapter makes of a {@link Fault}. */
export class FaultError<Code extends string> extends ArchiverError {
  declare readonly code: Code;

  /** @param subject what it is about, for the message: a key, a request. */
  constructor(fault: Fault<Code>, subject?: string, { place = "", cause }: FaultContext = {}) {
    const { code, problem, scope, retry } = fault;
    const hint = fault.hint.replaceAll("{place}", () => place);
    super(code, subject === undefined ? problem : `${problem} (${subject})`, { scope, retry, hint, cause });
  }
}

/** A failure as reports and machine-readable output show it (architecture §6.4). */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/**
 * Turns anything that was thrown into the three fields a report shows. The text of an error that is not
 * ours is left out: it may quote a request with its credentials (promise I9).
 */
export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof ArchiverError) {
    return { code: thrown.code, message: thrown.message, hint: thrown.hint };
  }
  const name = thrown instanceof Error ? thrown.name : typeof thrown;
  return {
    code: "internal-error",
    message: `an unexpected ${name} was thrown`,
    hint: "This is a bug in the archiver: run again with ARCHIVER_LOG_LEVEL=DEBUG and report the stack trace.",
  };
}
