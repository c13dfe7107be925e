import type { ConfigurationProblem } from "./errors.ts";
import { SETTING_NAMES } from "./settings.ts";

/** More than these are not worth reading: the file is no file of settings. */
const MAX_SHOWN = 10;

const SAMPLE = "ARCHIVER_DELETE=never";
const ASSIGNMENT = /^(?:export\s+)?(?<name>[A-Za-z_][\w.-]*)\s*=\s*(?<value>.*)$/;
const NOTHING = /^(?:#.*)?$/;

/** What the lines of an env file hold besides settings. */
interface Oddity {
  /** From 1. */
  readonly line: number;
  readonly problem: string;
  readonly fix: string;
}

/** The lines of an env file, looked through. */
export interface EnvLines {
  /** The text without the lines that are no settings: Node would take other lines, or secrets, into a value. */
  readonly settings: string;
  readonly problems: readonly ConfigurationProblem[];
}

/**
 * Looks through the lines of an env file. Node's own parser passes over a line that it cannot read, and
 * a setting that is passed over has its default: `ARCHIVER_DELETE: never` would delete. Of a setting that stands
 * there twice it takes the last one. No text of a line is quoted in a problem, since it may be a secret.
 *
 * @param name what the problems call the file.
 * @param text the file, without byte order mark.
 */
export function readLines(name: string, text: string): EnvLines {
  const lines = text.split("\n");
  const { unreadable, repeated } = odditiesIn(lines);
  const odd = new Set(unreadable.map(({ line }) => line));
  return {
    settings: lines.map((line, index) => (odd.has(index + 1) ? "" : line)).join("\n"),
    problems: problemsOf(
      name,
      [...unreadable, ...repeated].toSorted((one, other) => one.line - other.line),
    ),
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

interface Oddities {
  /** Lines that give no setting a value. */
  readonly unreadable: readonly Oddity[];
  readonly repeated: readonly Oddity[];
}

function odditiesIn(lines: readonly string[]): Oddities {
  const unreadable: Oddity[] = [];
  const repeated: Oddity[] = [];
  const firstLines = new Map<string, number>();
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const text = (lines[index] ?? "").trim();
    const { name, value } = ASSIGNMENT.exec(text)?.groups ?? {};
    if (name === undefined || value === undefined) {
      if (!NOTHING.test(text)) {
        unreadable.push({ line, problem: "is neither NAME=value nor a comment", fix: fixFor(text) });
      }
      continue;
    }
    const end = endOfValue(value, lines, index);
    if (end === undefined) {
      unreadable.push({
        line,
        problem: "begins a quoted value that does not end with its line",
        fix: QUOTE_FIX,
      });
    } else {
      const first = firstLines.get(name);
      if (first === undefined) {
        firstLines.set(name, line);
      } else {
        repeated.push({ line, ...repetition(name, first) });
      }
      // A quoted value may go on over several lines.
      index = end;
    }
  }
  return { unreadable, repeated };
}

/** Names what is surely a name: the beginning of a secret on a line of its own looks like one too. */
function repetition(name: string, first: number): Omit<Oddity, "line"> {
  const isKnown = SETTING_NAMES.some((known) => known === name) || /^(?:ARCHIVER|AWS)_[A-Z0-9_]+$/.test(name);
  return {
    problem: `sets ${isKnown ? name : "a name"} again that line ${first} sets already`,
    fix: "Keep one of the two lines.",
  };
}

const QUOTE_FIX = "Write the same quote before and after the value, and nothing but a comment behind it.";

/** The line a value ends on, or `undefined` when its quotes are wrong: Node would take other lines into it. */
function endOfValue(value: string, lines: readonly string[], begin: number): number | undefined {
  const quote = /^["'`]/.exec(value)?.[0];
  if (quote === undefined) {
    return begin;
  }
  let rest = value.slice(1);
  for (let index = begin; index < lines.length; index += 1) {
    const [, ...behind] = rest.split(quote);
    if (behind.length > 0) {
      return NOTHING.test(behind.join(quote).trim()) ? index : undefined;
    }
    rest = lines[index + 1] ?? "";
  }
  return undefined;
}

/** Names a setting only where the line begins with one: whatever else stands there may be a secret. */
function fixFor(text: string): string {
  const first = /^(?:export\s+)?(\w+)/.exec(text)?.[1];
  const meant = SETTING_NAMES.find((name) => name === first);
  return meant === undefined
    ? `Write one setting on each line, such as ${SAMPLE}; a comment begins with #.`
    : `Write ${meant}=value, with = between the name and its value.`;
}
