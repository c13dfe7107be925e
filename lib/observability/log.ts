import { harmlessText } from "../domain/harmless-text.ts";
import { Redactor } from "./redact.ts";
import type { Secret } from "./secret.ts";

/** In rising order: a log of one level leaves out everything below it. */
export const LOG_LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Whether a log of level `threshold` writes a line of level `level`. */
export function isWritten(level: LogLevel, threshold: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(threshold);
}

/** Named values of one log line; a secret in them is redacted, wherever it is. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the program says what it does. Writing to a log never throws. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** What a log writes to; `process.stderr` is one. */
export interface LineSink {
  write(text: string): unknown;
}

interface LogOptions {
  readonly sink: LineSink;
  readonly level: LogLevel;
  /**
   * Values that must never come out, in addition to whatever looks like a secret; a redactor, where more of
   * them are learned later.
   */
  readonly secrets: readonly (string | Secret)[] | Redactor;
  /** Epoch milliseconds for the time of each line. */
  readonly wallMs: () => number;
}

/** One line as a format sees it: already redacted, fields made of plain JSON values only. */
interface LogLine {
  readonly time: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Builds a log around a format: filters by level, redacts, and writes one line for each call. */
function createLog(options: LogOptions, format: (line: LogLine) => string): Log {
  const redactor = options.secrets instanceof Redactor ? options.secrets : new Redactor(options.secrets);
  // Below DEBUG an error is told by its names, message and hint; the trace is for whoever looks for a bug.
  const stacks = options.level === "DEBUG";
  const writerOf = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (!isWritten(level, options.level)) {
      return;
    }
    const line = format({
      time: new Date(options.wallMs()).toISOString(),
      level,
      message: redactor.text(message),
      fields: redactor.value({ ...fields }, stacks) as LogLine["fields"],
    });
    options.sink.write(`${line}\n`);
  };
  return {
    debug: writerOf("DEBUG"),
    info: writerOf("INFO"),
    warn: writerOf("WARN"),
    error: writerOf("ERROR"),
  };
}

/**
 * One line a person reads: `2026-11-22T16:00:00.000Z INFO  archived exportTaskId=5f2d sizeBytes=4096`.
 * What is not printable is written as escapes, so that a value from outside can neither add a line nor act on the
 * terminal.
 */
export function createPlainLog(options: LogOptions): Log {
  return createLog(options, ({ time, level, message, fields }) => {
    const pairs = Object.entries(fields).map(
      ([name, value]) => ` ${harmlessText(name)}=${plainValue(value)}`,
    );
    return `${time} ${level.padEnd(5)} ${harmlessText(message)}${pairs.join("")}`;
  });
}

const NEEDS_NO_QUOTES = /^[^\s"=]+$/;

function plainValue(value: unknown): string {
  const text =
    typeof value === "string" && NEEDS_NO_QUOTES.test(value) ? value : (JSON.stringify(value) ?? "undefined");
  return harmlessText(text);
}
