import { isDeepStrictEqual } from "node:util";
import { readLines } from "../../config/env-lines.ts";
import type { Settings } from "./questions.ts";

const HEAD = "# Settings of iotda-archiver. Keep this file to yourself: it holds keys.";
const ABOUT_DELETE =
  "# For the first nights: archive and verify, but delete nothing. Remove the line when the archive looks right.";
const QUOTES = ["'", '"', "`"];

/**
 * The text of a file of settings.
 *
 * @throws Error for a value that no quote can hold, since it has all of them.
 */
export function settingsText(settings: Settings): string {
  const lines = Object.entries(settings).flatMap(([name, value]) => [
    ...(name === "ARCHIVER_DELETE" && value === "never" ? [ABOUT_DELETE] : []),
    `${name}=${written(value)}`,
  ]);
  const text = `${[HEAD, ...lines].join("\n")}\n`;
  const read = readLines("the file", text);
  // What is read must be what was answered: another text could name another archive.
  if (read.problems.length > 0 || !isDeepStrictEqual(read.settings, { ...settings })) {
    throw new Error("A value has a character that a file of settings cannot hold.");
  }
  return text;
}

function written(value: string): string {
  if (/^[\w:/.@+,%=~-]*$/.test(value)) {
    return value;
  }
  const quote = QUOTES.find((mark) => !value.includes(mark) && !(mark === '"' && value.includes("\\n")));
  return `${quote ?? "'"}${value}${quote ?? "'"}`;
}
