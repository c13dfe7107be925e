import { harmlessText } from "../domain/harmless-text.ts";
import type { Redactor } from "./redact.ts";

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
  readonly redactor: Redactor;
  /** Epoch milliseconds for the time of each line. */
  readonly wallMs: () => number;
}

/**
 * One line that a person reads: `2026-11-22T16:00:00.000Z INFO  archived exportTaskId=5f2d sizeBytes=4096`.
 * What is not printable is written as escapes, so that a value from outside can neither add a line nor act on the
 * terminal.
 */
export function createPlainLog({ sink, level: threshold, redactor, wallMs }: LogOptions): Log {
  // Below DEBUG an error shows its names, message and hint; the trace serves a search for a bug.
  const stacks = threshold === "DEBUG";
  const writerOf = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (!isWritten(level, threshold)) {
      return;
    }
    const shown = redactor.value({ ...fields }, stacks) as LogFields;
    const pairs = Object.entries(shown).map(([name, value]) => ` ${harmlessText(name)}=${plainValue(value)}`);
    const time = new Date(wallMs()).toISOString();
    sink.write(`${time} ${level.padEnd(5)} ${harmlessText(redactor.text(message))}${pairs.join("")}\n`);
  };
  return {
    debug: writerOf("DEBUG"),
    info: writerOf("INFO"),
    warn: writerOf("WARN"),
    error: writerOf("ERROR"),
  };
}

const NEEDS_NO_QUOTES = /^[^\s"=]+$/;

function plainValue(value: unknown): string {
  const text =
    typeof value === "string" && NEEDS_NO_QUOTES.test(value) ? value : (JSON.stringify(value) ?? "undefined");
  return harmlessText(text);
}
