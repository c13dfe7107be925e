import wrapAnsi from "wrap-ansi";
import type { LineSink } from "../observability/log.ts";

/** How far the second and later lines of one long line are set in, beyond its own indentation. */
const HANGING_INDENT = "  ";
/** In a narrower window words are left to the terminal. */
const LEAST_COLUMNS = 20;

/** A stream of the process: a terminal of so many columns, or a file, a pipe or a log. */
export interface Screen extends LineSink {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The columns of a terminal; `undefined` for everything else, which is never wrapped. */
export function columnsOf({ isTTY, columns = 0 }: Pick<Screen, "isTTY" | "columns">): number | undefined {
  return isTTY === true && columns >= LEAST_COLUMNS ? columns : undefined;
}

/** Whether lines there can be written over. */
export function isLive({ isTTY }: Pick<Screen, "isTTY">): boolean {
  return isTTY === true && process.env.TERM !== "dumb";
}

/** Tells the operator something: a line on stderr. */
export function say(line: string): void {
  process.stderr.write(`${wrapped(line, columnsOf(process.stderr))}\n`);
}

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
