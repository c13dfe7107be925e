import { linesOf, readLine, readValue } from "./env-grammar.ts";
import type { ConfigurationProblem } from "./errors.ts";
import type { Environment } from "./read-settings.ts";
import { SETTING_NAMES } from "./settings.ts";

/** More than these are not worth reading: the file is not a file of settings. */
const MAX_SHOWN = 10;

const SAMPLE = "ARCHIVER_DELETE=never";
const QUOTE_FIX = "Write the same quote before and after the value, and nothing but a comment behind it.";

/** What the lines of an env file hold besides settings. */
interface Oddity {
  /** From 1. */
  readonly line: number;
  readonly problem: string;
  readonly fix: string;
}

/** The lines of an env file, looked through. */
export interface EnvLines {
  /** What the readable lines set. */
  readonly settings: Environment;
  readonly problems: readonly ConfigurationProblem[];
}

/**
 * Reads the lines of an env file, in the format of Node's `--env-file`. Node's own parser passes over a line that it
 * cannot read, and takes a line into the value of the one above it. A setting that is lost has its default, which may
 * delete: each line here sets its value, is a comment, or is a problem. So is a name that stands there twice.
 * No text of a line is quoted in a problem, since it may be a secret.
 *
 * @param name what the problems call the file.
 * @param text the file, without byte order mark.
 */
export function readLines(name: string, text: string): EnvLines {
  const lines = linesOf(text);
  const settings = new Map<string, string>();
  const firstLines = new Map<string, number>();
  const oddities: Oddity[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const whole = lines[index] ?? "";
    const read = readLine(whole);
    if (read.kind === "unreadable") {
      oddities.push({ line, ...unreadable(whole, read.character) });
    }
    if (read.kind !== "assignment") {
      continue;
    }
    const value = readValue(read.rest, lines, index);
    if (value.kind !== "value") {
      oddities.push({ line, ...PROBLEM_OF_VALUE[value.kind] });
      continue;
    }
    const first = firstLines.get(read.name);
    if (first !== undefined) {
      oddities.push({ line, ...repetition(read.name, first) });
    }
    firstLines.set(read.name, first ?? line);
    settings.set(read.name, value.text);
    oddities.push(...takenIn(lines, index, value.end));
    index = value.end;
  }
  return { settings: Object.fromEntries(settings), problems: problemsOf(name, oddities) };
}

const PROBLEM_OF_VALUE = {
  "open-quote": { problem: "begins a quoted value that does not end with its line", fix: QUOTE_FIX },
  hash: {
    problem: "has # within its value, which may be meant as a comment",
    fix: "Put the value in quotes, or a space before the comment.",
  },
} as const;

/** Lines within a quoted value: one that sets something is a setting that a forgotten quote takes away. */
function takenIn(lines: readonly string[], begin: number, end: number): readonly Oddity[] {
  return lines.slice(begin + 1, end + 1).flatMap((text, offset) => {
    const read = readLine(text);
    const line = begin + 2 + offset;
    if (read.kind === "unreadable" && read.character !== undefined) {
      return [{ line, ...unreadable(text, read.character) }];
    }
    return read.kind === "assignment" && isSurelyName(read.name)
      ? [{ line, problem: `is within the quoted value that begins on line ${begin + 1}`, fix: QUOTE_FIX }]
      : [];
  });
}

/** The beginning of a secret on a line of its own looks like a name too. */
function isSurelyName(name: string): boolean {
  return SETTING_NAMES.some((known) => known === name) || /^(?:ARCHIVER|AWS)_[A-Z0-9_]+$/.test(name);
}

function repetition(name: string, first: number): Omit<Oddity, "line"> {
  return {
    problem: `sets ${isSurelyName(name) ? name : "a name"} again that line ${first} sets already`,
    fix: "Keep one of the two lines.",
  };
}

/** Names a setting only where the line begins with one: whatever else stands there may be a secret. */
function unreadable(text: string, character: string | undefined): Omit<Oddity, "line"> {
  if (character !== undefined) {
    return {
      problem: `has the character ${character}, which nobody sees`,
      fix: "Write the line again, with nothing but spaces between its words.",
    };
  }
  const first = /^[ \t]*(?:export[ \t]+)?(\w+)/.exec(text)?.[1];
  const meant = SETTING_NAMES.find((name) => name === first);
  return {
    problem: "is neither NAME=value nor a comment",
    fix:
      meant === undefined
        ? `Write one setting on each line, such as ${SAMPLE}; a comment begins with #.`
        : `Write ${meant}=value, with = between the name and its value.`,
  };
}

function problemsOf(name: string, oddities: readonly Oddity[]): readonly ConfigurationProblem[] {
  const shown = oddities
    .slice(0, MAX_SHOWN)
    .map(({ line, problem, fix }) => ({ name: `${name}, line ${line}`, problem, fix }));
  const more = oddities.length - shown.length;
  return more === 0
    ? shown
    : [
        ...shown,
        {
          name,
          problem: `has ${more} more such lines`,
          fix: "Name a file of settings, with one NAME=value on each line.",
        },
      ];
}
