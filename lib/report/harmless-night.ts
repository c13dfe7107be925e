import { harmlessText } from "../domain/harmless-text.ts";
import type { Night } from "./night.ts";

/** Ids have 36 characters, keys up to 1,024: more tells a person nothing. */
const MAX_CHARACTERS = 300;
/** Scripts that are written from right to left would reorder the words and numbers around them. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/gu;
/** Marks are stacked on one letter, over the lines above and below it. */
const TOO_MANY_MARKS = /(\p{M}{2})\p{M}+/gu;

/**
 * A text from outside as page, digest and message show it: on one line, bounded, and without anything that moves,
 * reorders, covers or hides what stands around it. It is still to be escaped for HTML and quoted for a shell.
 */
export function harmless(text: string): string {
  // Cut before anything is replaced by something longer.
  const characters = text.length > MAX_CHARACTERS ? [...text.slice(0, 2 * MAX_CHARACTERS + 2)] : [...text];
  const cut =
    characters.length > MAX_CHARACTERS
      ? `${characters.slice(0, MAX_CHARACTERS - 1).join("")}…`
      : characters.join("");
  return harmlessText(cut.replace(/\s*[\r\n]\s*/g, " "))
    .replace(RIGHT_TO_LEFT, escaped)
    .replace(TOO_MANY_MARKS, "$1");
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** The same night with every text in it {@link harmless}. */
export function harmlessNight(night: Night): Night {
  return harmlessValue(night);
}

/** A value of plain data with every text in it harmless, the names of its fields included. */
export function harmlessValue<Value>(value: Value): Value {
  const made: unknown = replaced(value);
  // Texts become texts and everything else stays, so the value has the same type.
  return made as Value;
}

function replaced(value: unknown): unknown {
  if (typeof value === "string") {
    return harmless(value);
  }
  if (Array.isArray(value)) {
    return value.map(replaced);
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, one]) => [harmless(name), replaced(one)]))
    : value;
}
