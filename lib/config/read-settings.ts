import * as v from "valibot";
import { nearestName } from "../domain/nearest-name.ts";
import { Redactor } from "../observability/redact.ts";
import type { Secret } from "../observability/secret.ts";
import type { ConfigurationProblem } from "./errors.ts";
import { SETTING_NAMES, type SettingName, type SettingValues, settingOf } from "./settings.ts";

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names that other tools write in lower case too; the lower case wins, as with curl. */
const LOWER_CASE_TOO: ReadonlySet<SettingName> = new Set(["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"]);

/** Names that stand in for another one where that is not set, as the AWS SDK has it. */
const STAND_INS: Partial<Record<SettingName, string>> = {
  AWS_ENDPOINT_URL_S3: "AWS_ENDPOINT_URL",
  AWS_ENDPOINT_URL_SQS: "AWS_ENDPOINT_URL",
};

const PREFIX = "ARCHIVER_";
const KNOWN: ReadonlySet<string> = new Set(SETTING_NAMES);
const SHOWN_VALUE_LENGTH = 60;

/** The typed value of every setting, each on its own, and what is wrong with names and values. */
export interface SettingsRead {
  /** A setting whose value is malformed shows here as `undefined`, and in `problems`. */
  readonly values: Partial<SettingValues>;
  /** Names set to something, well-formed or not. */
  readonly isSet: ReadonlySet<SettingName>;
  readonly problems: readonly ConfigurationProblem[];
}

/** Reads all settings; an empty variable counts as not set. @param secrets are shown in no problem. */
export function readSettings(env: Environment, secrets: readonly Secret[]): SettingsRead {
  const problems: ConfigurationProblem[] = unknownNames(env);
  const values: Partial<Record<SettingName, unknown>> = {};
  const isSet = new Set<SettingName>();
  const redactor = new Redactor(secrets);
  for (const name of SETTING_NAMES) {
    const setting = settingOf(name);
    const given = givenText(env, name);
    if (given !== undefined) {
      isSet.add(name);
    }
    const text = given?.text ?? setting.default;
    if (text === undefined) {
      continue;
    }
    const parsed = v.safeParse(setting.schema, text);
    if (parsed.success) {
      values[name] = parsed.output;
      continue;
    }
    const shown = setting.secret ? "its value (not shown)" : quoted(redactor.text(text));
    problems.push({
      name: given?.name ?? name,
      problem: `${shown} ${parsed.issues[0].message}`,
      fix: fixFor(name),
    });
  }
  // Each value came from the schema of its own row, which is what SettingValues says.
  return { values: values as Partial<SettingValues>, isSet, problems };
}

/** The sentence that says what a setting may be. */
export function fixFor(name: SettingName): string {
  return `Set it to ${settingOf(name).example}.`;
}

/** A problem with a setting that the command needs and nobody set. */
export function missing(name: SettingName): ConfigurationProblem {
  return { name, problem: "is not set", fix: fixFor(name) };
}

function givenText(env: Environment, name: SettingName): { name: string; text: string } | undefined {
  const names = [LOWER_CASE_TOO.has(name) ? name.toLowerCase() : undefined, name, STAND_INS[name]];
  for (const candidate of names) {
    const text = candidate === undefined ? undefined : env[candidate];
    if (candidate !== undefined && text !== undefined && text !== "") {
      return { name: candidate, text };
    }
  }
  return undefined;
}

/**
 * Names written as if they were settings of this program, in other letters: `archiver_delete`,
 * `ARCHIVER-DELETE`, `ARCHIVE_DELETE`. In a file of settings each is a slip that nobody would hear of.
 */
export function problemsOfNearNames(settings: Environment): ConfigurationProblem[] {
  return unknown(settings, (name) => !name.startsWith(PREFIX) && asWritten(name).startsWith(PREFIX));
}

/** The environment has names of other programs too: there, a name in other letters must spell a setting. */
function unknownNames(env: Environment): ConfigurationProblem[] {
  return unknown(env, (name) => name.startsWith(PREFIX) || KNOWN.has(asWritten(name)));
}

function unknown(env: Environment, isOurs: (name: string) => boolean): ConfigurationProblem[] {
  return Object.keys(env)
    .filter((name) => !isSetting(name) && isOurs(name) && (env[name] ?? "") !== "")
    .sort()
    .map((name) => {
      const meant = nearestName(asWritten(name), SETTING_NAMES);
      return {
        name: quotedName(name),
        problem: "is not a setting of this program",
        fix: meant === undefined ? "Remove it." : `Did you mean ${meant}?`,
      };
    });
}

/** A name that is read: a setting's, or its lower-case form where that counts too. */
function isSetting(name: string): boolean {
  return KNOWN.has(name) || [...LOWER_CASE_TOO].some((known) => known.toLowerCase() === name);
}

/** A name in the letters of this program's settings. */
function asWritten(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/[-.]/g, "_")
    .replace(/^ARCHIVE_/, PREFIX);
}

/**
 * What the secret variables hold, so that one pasted into the wrong place is not shown there either; with and
 * without the space around it, since some are read without.
 */
export function secretTexts(env: Environment): string[] {
  return SETTING_NAMES.filter((name) => settingOf(name).secret).flatMap((name) => {
    const { text } = givenText(env, name) ?? {};
    return text === undefined ? [] : [text, text.trim()];
  });
}

/**
 * A value as a message shows it: in quotes, controls escaped, cut. Only its first line: where a quote is missing in a
 * file of settings, the lines below may be other settings, secrets among them.
 */
function quoted(text: string): string {
  const [line = ""] = text.split("\n", 1);
  const shown = line.slice(0, SHOWN_VALUE_LENGTH);
  return JSON.stringify(shown === text ? text : `${shown}…`);
}

function quotedName(name: string): string {
  return /^[A-Za-z0-9_.-]{1,80}$/.test(name) ? name : quoted(name);
}
