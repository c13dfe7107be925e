import { harmlessText } from "../domain/harmless-text.ts";
import { createLog, type Log, type LogOptions } from "./log.ts";

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
