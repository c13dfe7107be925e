import { access, constants } from "node:fs/promises";
import { dirname } from "node:path";
import { type SettingsFile, withSettingsFile } from "../../config/env-file.ts";
import { ConfigurationError } from "../../config/errors.ts";
import { knownSecrets, SETTINGS } from "../../config/names.ts";
import type { Environment } from "../../config/section.ts";
import { InterruptedByOperator } from "../operator.ts";
import { shownSecrets } from "../output.ts";
import { ASKED_NAMES, askSettings, type Proposals, problemsOf, type Settings } from "./questions.ts";
import { lookAtFile, writeSettings } from "./settings-file.ts";
import { settingsText } from "./settings-text.ts";
import { askYesNo, type Talk } from "./talk.ts";

const SECRET_NAMES: ReadonlySet<string> = new Set([
  ...SETTINGS.filter(({ isSecret }) => isSecret).map(({ name }) => name),
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
]);

const INTRODUCTION =
  "This sets the archiver up. Enter takes what stands in [brackets]; Ctrl-C ends it, and nothing is written.";

/** Where the guide works. */
export interface Surroundings {
  readonly environment: Environment;
  /** The file of settings, where the command line names one. */
  readonly file: SettingsFile | undefined;
  readonly proposals: Proposals & { readonly settingsFile: string };
}

/**
 * Asks for what is not set yet, and writes it into a file of settings. Before its last question it changes nothing.
 *
 * @returns the file's path; `undefined` where the environment alone has all settings.
 * @throws ConfigurationError for a file that cannot be used; InterruptedByOperator where nothing is to be written.
 */
export async function settingsByTalk(
  talk: Talk,
  { environment, file, proposals }: Surroundings,
): Promise<string | undefined> {
  if (file === undefined && problemsOf(environment).length === 0) {
    return undefined;
  }
  if (file === undefined) {
    talk.say(INTRODUCTION);
  }
  const asked = file ?? {
    option: "--config" as const,
    path: await talk.ask({ text: "File for the settings", preset: proposals.settingsFile }),
  };
  const { path, there } = await lookAtFile(asked.path);
  const standing = there === undefined ? {} : await settingsIn({ ...asked, path });
  if (there === undefined) {
    await requireFolder(asked, path);
  } else if (problemsOf({ ...standing, ...environment }).length === 0) {
    talk.say(`${path} has all settings that are needed.`);
    return path;
  }
  if (file !== undefined) {
    talk.say(INTRODUCTION);
  }
  const settings = await askSettings(
    talk,
    { ...standing, ...ofEnvironment(environment, (name) => ASKED_NAMES.has(name)) },
    proposals,
  );
  refuseUnusable(settings, environment);
  const text = settingsText(settings);
  talk.say("", ...Object.entries(settings).map(shown), "");
  const isKnown = there !== undefined && there.sizeBytes > 0;
  if (!(await askYesNo(talk, isKnown ? `Replace ${path}?` : `Write this to ${path}?`, !isKnown))) {
    throw new InterruptedByOperator();
  }
  await writeSettings(path, there, text);
  talk.say(`Wrote ${path}, for its owner alone (mode 0600).`);
  return path;
}

function shown([name, value]: readonly [string, string]): string {
  return `  ${name}=${SECRET_NAMES.has(name) ? "(not shown)" : value}`;
}

/** What a file of settings says. @throws ConfigurationError for one with a line that cannot be read. */
async function settingsIn(file: SettingsFile): Promise<Settings> {
  const { environment, problems } = await withSettingsFile({}, file);
  if (problems.length > 0) {
    throw new ConfigurationError(problems);
  }
  shownSecrets.learn(knownSecrets(environment));
  return ofEnvironment(environment, () => true);
}

function ofEnvironment(environment: Environment, isMeant: (name: string) => boolean): Settings {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "" && isMeant(entry[0]),
    ),
  );
}

async function requireFolder({ option, path: given }: SettingsFile, path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    const problem = `cannot be made: ${dirname(path)} is missing, or this user may not write there`;
    const fix = "Make the folder, or name a file in another one.";
    throw new ConfigurationError([{ name: `${option} ${JSON.stringify(given)}`, problem, fix }], error);
  }
}

/** A variable of this shell wins over the file, and settings that were not asked about may stand against an answer. */
function refuseUnusable(settings: Settings, environment: Environment): void {
  const problems = problemsOf({ ...settings, ...environment });
  if (problems.length > 0) {
    throw new ConfigurationError(problems);
  }
}
