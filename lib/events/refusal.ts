/** Why an event from outside is not taken. */
export type RefusalReason =
  | "method-not-allowed"
  | "too-large"
  | "http-events-off"
  | "unsigned"
  | "malformed"
  | "unknown-event";

/** An event that is not taken, and what is wrong with it: a sentence that quotes nothing of it. */
export interface Refusal {
  readonly kind: "refused";
  readonly reason: RefusalReason;
  readonly problem: string;
}

/** Makes a {@link Refusal}. */
export function refused(reason: RefusalReason, problem: string): Refusal {
  return { kind: "refused", reason, problem };
}
