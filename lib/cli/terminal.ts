import type { LineSink } from "../observability/log.ts";

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

/** How to write to a stream: text is broken between words on a terminal, and nowhere else. */
export async function textWriter(screen: Screen): Promise<(text: string) => void> {
  if (screen.isTTY !== true) {
    return (text) => {
      screen.write(text);
    };
  }
  const { wrapped } = await import("./wrapping.ts");
  return (text) => {
    screen.write(wrapped(text, columnsOf(screen)));
  };
}

/** How to tell the operator something: a line on stderr. */
export async function operatorLines(): Promise<(line: string) => void> {
  const write = await textWriter(process.stderr);
  return (line) => write(`${line}\n`);
}
