/** One thing that is wrong with a parameter of a stage. */
export interface StageProblem {
  /** The parameter, or what else it is about. */
  readonly name: string;
  /** Completes "name: …", without a full stop. */
  readonly problem: string;
  /** A sentence that says what to set. */
  readonly fix: string;
}

/** A value as a message quotes it: on one line, and cut where it is long. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
