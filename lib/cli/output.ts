import { Writable } from "node:stream";
import { styleText } from "node:util";
import { harmlessJson, harmlessText } from "../domain/harmless-text.ts";
import type { LineSink } from "../observability/log.ts";
import { Redactor } from "../observability/redact.ts";

/** Where a command's result goes: one JSON document, or lines for a person. Progress goes elsewhere. */
export interface Output {
  show(document: object, lines: readonly Line[]): void;
}

/** Writes to stdout as `--json` says; lines are broken between words on a terminal, and nowhere else. */
export async function createOutput(stdout: Screen, asJson: boolean): Promise<Output> {
  if (asJson) {
    return {
      show(document) {
        stdout.write(`${harmlessJson(JSON.stringify(document, withoutSecretTexts, 2))}\n`);
      },
    };
  }
  const write = await lineWriter(stdout);
  return { show: (_document, lines) => write(lines) };
}

/** Each text on its own: the document stays one. */
function withoutSecretTexts(_name: string, value: unknown): unknown {
  return typeof value === "string" ? shownSecrets.result(value) : value;
}

/** In a narrower window words are left to the terminal. */
const LEAST_COLUMNS = 20;

/** A stream of the process: a terminal of so many columns, or a file, a pipe or a log. */
interface Screen extends LineSink {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** A line for a person. Text from outside may stand in it as it came: whoever writes it makes it harmless. */
export type Line = string | { readonly text: string; readonly colour: "red" | "yellow" };

/** The columns of a terminal; `undefined` for everything else, which is never wrapped. */
export function columnsOf({ isTTY, columns = 0 }: Pick<Screen, "isTTY" | "columns">): number | undefined {
  return isTTY === true && columns >= LEAST_COLUMNS ? columns : undefined;
}

/** Whether lines there can be written over. */
export function isLive({ isTTY }: Pick<Screen, "isTTY">): boolean {
  return isTTY === true && process.env.TERM !== "dumb";
}

/**
 * How to write lines to a stream. No secret of this process is in one. Whatever is not printable is shown as an escape,
 * so that only this program's own colours act on a terminal, and each line is one. Lines are broken between words on a
 * terminal, and nowhere else.
 */
export async function lineWriter(screen: Screen): Promise<(lines: readonly Line[]) => void> {
  const wrapped = screen.isTTY === true ? (await import("./wrapping.ts")).wrapped : undefined;
  const shown = (line: Line) => {
    const harmless = harmlessText(shownSecrets.result(typeof line === "string" ? line : line.text));
    const text = wrapped?.(harmless, columnsOf(screen)) ?? harmless;
    return typeof line === "string" || !(screen instanceof Writable)
      ? text
      : styleText(line.colour, text, { stream: screen });
  };
  return (lines) => {
    screen.write(lines.map((line) => `${shown(line)}\n`).join(""));
  };
}

/** How to tell the operator something: a line on stderr. */
export async function operatorLines(): Promise<(line: string) => void> {
  const write = await lineWriter(process.stderr);
  return (line) => write([line]);
}

/** The secrets of this process, which no line, no document and no record shows. */
export const shownSecrets = new Redactor([]);
