import type { ConfigurationProblem } from "./errors.ts";
import { SETTING_NAMES } from "./names.ts";
import type { Environment } from "./section.ts";

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
      problem: `has the character ${character}, which is invisible`,
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

/** A name and what stands behind its `=`. Only spaces and tabs count as space: an editor shows others like them. */
const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(?<rest>.*)$/;
const NOTHING = /^[ \t]*(?:#.*)?$/;
/** What some editors show as the end of a line, and others do not: what stands behind it looks like a line. */
const ODD_BREAK = /[\r\v\f\u0085\u2028\u2029]/;
const INVISIBLE = /[^\S \t]|\p{Cc}|\p{Cf}/u;
const QUOTES = ["'", '"', "`"] as const;

/** What one line of a file of settings is. */
type EnvLine =
  | { readonly kind: "nothing" }
  | { readonly kind: "assignment"; readonly name: string; readonly rest: string }
  /** `character` is the first invisible one, as U+00A0. */
  | { readonly kind: "unreadable"; readonly character?: string };

/** The lines of a file: they end with LF or with CR LF. */
function linesOf(text: string): readonly string[] {
  return text.split("\n").map((line) => line.replace(/\r$/, ""));
}

/** Reads one line; what its value is may depend on the lines below it. */
function readLine(line: string): EnvLine {
  if (!ODD_BREAK.test(line)) {
    const { name, rest } = ASSIGNMENT.exec(line)?.groups ?? {};
    if (name !== undefined && rest !== undefined) {
      return { kind: "assignment", name, rest };
    }
    if (NOTHING.test(line)) {
      return { kind: "nothing" };
    }
  }
  const code = INVISIBLE.exec(line)?.[0].codePointAt(0);
  return code === undefined
    ? { kind: "unreadable" }
    : { kind: "unreadable", character: `U+${code.toString(16).toUpperCase().padStart(4, "0")}` };
}

/** A value, and the index of the line on which it ends; or what is wrong with it. */
type EnvValue =
  | { readonly kind: "value"; readonly text: string; readonly end: number }
  /** Its quotes do not match: other lines might belong to it, or something stands behind it. */
  | { readonly kind: "open-quote" }
  /** A # without space before it: some readers begin a comment there, others do not. */
  | { readonly kind: "hash" };

/**
 * Reads a value as Node's `--env-file` does: as it stands there, up to a comment; or within quotes, over several lines
 * too, where double quotes make a new line of `\n`. An empty value ends with its line: Node would look for it below.
 *
 * @param rest what stands behind the `=`.
 * @param begin the index of its line.
 */
function readValue(rest: string, lines: readonly string[], begin: number): EnvValue {
  const quote = QUOTES.find((mark) => rest.startsWith(mark));
  if (quote === undefined) {
    const [whole = ""] = rest.split("#", 1);
    return whole === rest || whole === "" || /[ \t]$/.test(whole)
      ? { kind: "value", text: whole.replace(/[ \t]+$/, ""), end: begin }
      : { kind: "hash" };
  }
  const inside: string[] = [];
  let open = rest.slice(1);
  for (let index = begin; index < lines.length; index += 1) {
    const close = open.indexOf(quote);
    if (close >= 0) {
      inside.push(open.slice(0, close));
      const text = inside.join("\n");
      return NOTHING.test(open.slice(close + 1))
        ? { kind: "value", text: quote === '"' ? text.replaceAll("\\n", "\n") : text, end: index }
        : { kind: "open-quote" };
    }
    inside.push(open);
    open = lines[index + 1] ?? "";
  }
  return { kind: "open-quote" };
}
