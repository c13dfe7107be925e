import * as v from "valibot";
import type { Redactor } from "../observability/redact.ts";
import type { ConfigurationProblem } from "./errors.ts";

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What people are told about a setting, and where it is read from. */
export interface About {
  readonly name: string;
  /** The variables that it is read from: the first one that is set counts. */
  readonly from: readonly string[];
  /** What the documentation shows as its default. */
  readonly default: string;
  readonly meaning: string;
  /** Completes "Set it to …". */
  readonly example: string;
  /** The value is never shown. */
  readonly isSecret: boolean;
}

/** The schema of one setting: from the text of a variable to a typed value. */
export type Setting<Value = unknown> = v.GenericSchema<string | undefined, Value> & { readonly about: About };

/** The settings of one concern. Its values have the shape that adapters and policy take. */
export type Section = v.ObjectSchema<Readonly<Record<string, Setting>>, undefined>;

interface Words extends Pick<About, "meaning" | "example"> {
  readonly otherwise?: string;
  readonly secret?: true;
  readonly from?: readonly string[];
}

/** A setting that a command which needs its section cannot do without. */
export function required<Value>(name: string, schema: v.GenericSchema<string, Value>, words: Words) {
  return setting<Value>(schema, name, "required", words);
}

/** A setting that may be left out; `undefined` then. */
export function optional<Value>(name: string, schema: v.GenericSchema<string, Value>, words: Words) {
  return setting<Value | undefined>(v.undefinedable(schema), name, "none", words);
}

/** A setting with a default, written as in the environment, so that it goes through the same check. */
export function withDefault<Value>(
  name: string,
  schema: v.GenericSchema<string, Value>,
  text: string,
  words: Words,
) {
  return setting<Value>(v.optional(schema, text), name, text, words);
}

function setting<Value>(
  schema: v.GenericSchema<string | undefined, Value>,
  name: string,
  shownDefault: string,
  { otherwise = shownDefault, secret, from = [name], meaning, example }: Words,
): Setting<Value> {
  return {
    ...schema,
    about: { name, from, default: otherwise, meaning, example, isSecret: secret ?? false },
  };
}

/** The values of one section, and what is wrong with them. */
export interface SectionRead<Of extends Section> {
  /** The well-formed values, the whole section or not. */
  readonly values: Readonly<Partial<v.InferOutput<Of>>>;
  /** `undefined` while a value is missing or malformed. */
  readonly whole: Readonly<v.InferOutput<Of>> | undefined;
  /** What is set to something, well-formed or not. */
  readonly isSet: (field: keyof v.InferOutput<Of>) => boolean;
  readonly malformed: readonly ConfigurationProblem[];
  readonly missing: readonly ConfigurationProblem[];
}

/** Reads one section; an empty variable counts as not set. @param redactor knows what no problem may show. */
export function readSection<Of extends Section>(
  section: Of,
  env: Environment,
  redactor: Redactor,
): SectionRead<Of> {
  const fields = Object.entries(section.entries).map(([field, setting]) => {
    const given = givenText(env, setting.about);
    return { field, about: setting.about, given, parsed: v.safeParse(setting, given?.text) };
  });
  const malformed: ConfigurationProblem[] = [];
  const unset: ConfigurationProblem[] = [];
  for (const { about, given, parsed } of fields) {
    if (parsed.success) {
      continue;
    }
    if (given === undefined) {
      unset.push(missing(about));
    } else {
      const shown = about.isSecret ? "its value (not shown)" : quoted(redactor.text(given.text));
      malformed.push({
        name: given.name,
        problem: `${shown} ${parsed.issues[0].message}`,
        fix: fixFor(about),
      });
    }
  }
  const wellFormed = fields.flatMap(({ field, parsed }) =>
    parsed.success ? [[field, parsed.output] as const] : [],
  );
  // Each value came from the schema of its own field.
  const values = Object.fromEntries(wellFormed) as v.InferOutput<Of>;
  const set = new Set(fields.flatMap(({ field, given }) => (given === undefined ? [] : [field])));
  return {
    values,
    whole: wellFormed.length === fields.length ? values : undefined,
    isSet: (field) => set.has(String(field)),
    malformed,
    missing: unset,
  };
}

/** What is given for a setting, and the variable that gives it. */
export function givenText(env: Environment, { from }: About): { name: string; text: string } | undefined {
  for (const name of from) {
    const text = env[name];
    if (text !== undefined && text !== "") {
      return { name, text };
    }
  }
  return undefined;
}

/** A problem with a setting that the command needs and that is not set. */
export function missing(about: About): ConfigurationProblem {
  return { name: about.name, problem: "is not set", fix: fixFor(about) };
}

/** The sentence that says what a setting may be. */
export function fixFor({ example }: About): string {
  return `Set it to ${example}.`;
}

const SHOWN_VALUE_LENGTH = 60;

/**
 * A value as a message shows it: in quotes, controls escaped, cut. Only its first line: where a quote is missing in a
 * file of settings, the lines below may be other settings, secrets among them.
 */
export function quoted(text: string): string {
  const [line = ""] = text.split("\n", 1);
  const cut = line.slice(0, SHOWN_VALUE_LENGTH);
  return JSON.stringify(cut === text ? text : `${cut}…`);
}
