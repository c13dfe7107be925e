// For terminals only, which import it on demand: wrap-ansi takes 30 ms to load.
import wrapAnsi from "wrap-ansi";

/** How far the second and later lines of one long line are set in, beyond its own indentation. */
const HANGING_INDENT = "  ";

/**
 * Breaks what is longer than a line of the terminal between words. A word that is longer itself, such as a
 * path, stays whole, so that it can be copied.
 *
 * @param columns of the terminal; `undefined` leaves the text as it is.
 */
export function wrapped(text: string, columns: number | undefined): string {
  return columns === undefined
    ? text
    : text
        .split("\n")
        .map((line) => wrappedLine(line, columns))
        .join("\n");
}

function wrappedLine(line: string, columns: number): string {
  if (!wrapAnsi(line, columns, { hard: true, trim: false }).includes("\n")) {
    return line;
  }
  const lead = /^ */.exec(line)?.[0] ?? "";
  const next = `${lead}${HANGING_INDENT}`;
  const body = wrapAnsi(line.slice(lead.length), columns - next.length);
  return `${lead}${body.replaceAll("\n", `\n${next}`)}`;
}
