/**
 * What a terminal acts on or shows nothing of: controls (C0, C1), bidirectional and zero-width characters, lone
 * surrogates, unassigned and private code points, line and paragraph separators.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Text from outside as a person may be shown it, on one line: whatever is not printable is written as `\uXXXX`, which
 * can neither colour, move, reorder nor hide anything, nor add a line.
 */
export function harmlessText(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** JSON text that is as harmless, and means the same: line ends stand between its tokens only. */
export function harmlessJson(json: string): string {
  return json.replace(UNPRINTABLE, (character) => (character === "\n" ? character : escaped(character)));
}

/** As JSON writes it: by UTF-16 code units, so that a code point beyond 16 bits takes two. */
function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
