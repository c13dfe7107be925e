import { readForeignJson } from "../domain/json.ts";

const LEFT_OUT = "[left out]";
/** Fields that may carry a secret, in whatever spelling a host or a caller chose. */
const SECRET_FIELD = /headers?$|authorization|cookie|secret|token|password|signature/i;

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

/** The same names anywhere in a text. */
const SECRET_FIELD_INSIDE = /header|authorization|cookie|secret|token|password|signature/i;
