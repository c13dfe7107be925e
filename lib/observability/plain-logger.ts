import { createLog, type Log, type LogOptions } from "./log.ts";

/**
 * One line a person reads: `2026-11-22T16:00:00.000Z INFO  archived exportTaskId=5f2d sizeBytes=4096`.
 * Control characters are written as escapes, so that a value from outside can neither add a line nor
 * colour the terminal.
 */
export function createPlainLog(options: LogOptions): Log {
  return createLog(options, ({ time, level, message, fields }) => {
    const pairs = Object.entries(fields).map(
      ([name, value]) => ` ${escapeControls(name)}=${plainValue(value)}`,
    );
    return `${time} ${level.padEnd(5)} ${escapeControls(message)}${pairs.join("")}`;
  });
}

const NEEDS_NO_QUOTES = /^[^\s"=]+$/;

function plainValue(value: unknown): string {
  const text =
    typeof value === "string" && NEEDS_NO_QUOTES.test(value) ? value : (JSON.stringify(value) ?? "undefined");
  return escapeControls(text);
}

/** Writes C0 and C1 controls, and the two Unicode line ends that JSON.stringify leaves alone, as escapes. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
