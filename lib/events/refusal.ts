import { readForeignJson } from "../domain/json.ts";

/** The largest event read, in bytes: what every queue takes, and a thousand times what the platform sends. */
export const MAX_EVENT_BYTES = 256 * 1024;

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

/** Fields that hosts give HTTP requests only, in lower case. */
const HTTP_FIELDS: ReadonlySet<string> = new Set([
  "headers",
  "multivalueheaders",
  "cookies",
  "requestcontext",
  "httpmethod",
  "routekey",
  "rawpath",
  "rawquerystring",
  "querystringparameters",
  "multivaluequerystringparameters",
  "pathparameters",
  "isbase64encoded",
]);

/** Whether an event has a field that only HTTP requests have, whatever stands there. */
export function hasHttpField(event: unknown): boolean {
  return (
    typeof event === "object" &&
    event !== null &&
    Object.keys(event).some((name) => HTTP_FIELDS.has(name.toLowerCase()))
  );
}

const LEFT_OUT = "[left out]";
/** Fields that may carry a secret, in whatever spelling a host or a caller chose. */
const SECRET_FIELD = /headers?$|authorization|cookie|secret|token|password|signature/i;
/** The same names anywhere in a text. */
const SECRET_FIELD_INSIDE = /header|authorization|cookie|secret|token|password|signature/i;

/**
 * A refused event as a dead letter may keep it: without headers and whatever else may hold a secret. A text that
 * cannot be looked through, but speaks of such things, is left out whole.
 */
export function letterText(text: string): string {
  const json = readForeignJson(text);
  if (json.kind !== "json") {
    return SECRET_FIELD_INSIDE.test(text) ? LEFT_OUT : text;
  }
  if (!SECRET_FIELD_INSIDE.test(text)) {
    return text;
  }
  return (
    JSON.stringify(json.value, (name, value: unknown) => {
      // A text within an event is often an event of its own.
      const isSuspect =
        SECRET_FIELD.test(name) || (typeof value === "string" && SECRET_FIELD_INSIDE.test(value));
      return isSuspect ? LEFT_OUT : value;
    }) ?? ""
  );
}
