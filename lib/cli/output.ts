import { Writable } from "node:stream";
import { styleText } from "node:util";
import type { Failure } from "../domain/errors.ts";
import { harmlessJson, harmlessText } from "../domain/harmless-text.ts";
import type { LineSink } from "../observability/log.ts";
import { Redactor } from "../observability/redact.ts";
import type { LongList } from "./long-list.ts";
import type { ExitCode } from "./process.ts";

/** What a command says at its end: a document for programs (`--json`), lines for a person, and the exit code. */
export interface Result {
  readonly document: object;
  /** A list of the document that may be too long to be held as values; it is written last. */
  readonly list?: LongList;
  readonly lines: readonly Line[];
  readonly exitCode: ExitCode;
}

/** Where a result goes: one JSON document, or lines. Progress goes elsewhere. */
export interface Output {
  /** Settles when the reader has taken all of it, or takes no more. */
  show(result: Pick<Result, "document" | "list" | "lines">): Promise<void>;
}

/** Writes to stdout as `--json` says; lines are broken between words on a terminal, and nowhere else. */
export async function createOutput(stdout: Screen, asJson: boolean): Promise<Output> {
  if (asJson) {
    return {
      show: async ({ document, list }) => {
        for (const part of documentParts(jsonText(document, 2), list)) {
          await written(stdout, part);
        }
      },
    };
  }
  const write = await lineWriter(stdout);
  return {
    show: async ({ lines }) => {
      write(lines);
    },
  };
}

/** The text of a document, its list last. */
function* documentParts(json: string, list: LongList | undefined): Generator<string> {
  if (list === undefined) {
    yield `${json}\n`;
    return;
  }
  yield `${json.slice(0, -"\n}".length)},\n  ${JSON.stringify(list.name)}: [\n`;
  yield* list.parts();
  yield "  ]\n}\n";
}

/**
 * Writes, and waits for a reader that is slower: `… | less` takes a screen at a time, and the rest would gather in
 * memory. A stream that cannot be written says so by its `error` event (`watchOutput`).
 */
async function written(screen: LineSink, text: string): Promise<void> {
  if (!(screen instanceof Writable)) {
    screen.write(text);
    return;
  }
  await new Promise<void>((resolve) => {
    screen.write(text, () => resolve());
  });
}

/** A value as JSON that shows no secret of this process, and nothing that a terminal acts on. */
export function jsonText(value: object, indent?: number): string {
  return harmlessJson(JSON.stringify(value, withoutSecretTexts, indent));
}

/** Each text on its own: the document stays one. */
function withoutSecretTexts(_name: string, value: unknown): unknown {
  return typeof value === "string" ? shownSecrets.result(value) : value;
}

/**
 * A line for a person. Text from outside may stand in it as it came: whoever writes it makes it harmless. No line is
 * white or yellow: neither can be read on a light background.
 */
export type Line =
  | string
  | { readonly text: string; readonly colour: "red" | "magenta" }
  /** To be copied: a terminal that is too narrow breaks it, and gives it back whole. */
  | { readonly text: string; readonly isWhole: true };

/** The parts one below the other; a part that does not apply (`false`, `undefined`) is left out. */
export function lines(...parts: readonly (Line | readonly Line[] | false | undefined)[]): readonly Line[] {
  return parts.flatMap((part) => (part === false || part === undefined ? [] : part));
}

/** A line that a terminal shows in red. */
export function red(text: string): Line {
  return { text, colour: "red" };
}

/** The messages of these failures list problems, each on a line of its own and already harmless. */
const LIST_PROBLEMS: ReadonlySet<string> = new Set(["configuration", "retention-policy", "expected-exports"]);

/** What a failure says, as lines. @param lead stands before the first one. */
export function messageLines({ code, message }: Failure, lead = ""): readonly string[] {
  const text = `${lead}${message}`;
  return LIST_PROBLEMS.has(code) ? text.split("\n") : [text];
}

/** What a failure says and, indented, what to do about it; nothing without a failure. */
export function failureLines(
  failure: Failure | undefined,
  lead = "",
  shown: (text: string) => Line = (text) => text,
): readonly Line[] {
  return failure === undefined ? [] : [...messageLines(failure, lead).map(shown), `  ${failure.hint}`];
}

/** In a narrower window the terminal breaks the lines. */
const LEAST_COLUMNS = 20;

/** A stream of the process: a terminal with its columns, or a file, a pipe or a log. */
interface Screen extends LineSink {
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

/**
 * How to write lines to a stream. No line shows a secret of this process. What is not printable becomes an escape, so
 * that only this program's own colours act on a terminal, and each line stays one.
 */
export async function lineWriter(screen: Screen): Promise<(lines: readonly Line[]) => void> {
  const wrapped = screen.isTTY === true ? (await import("./wrapping.ts")).wrapped : undefined;
  const shown = (line: Line) => {
    const harmless = harmlessText(shownSecrets.result(typeof line === "string" ? line : line.text));
    if (typeof line === "object" && "isWhole" in line) {
      return harmless;
    }
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
