import { nearestName } from "../domain/nearest-name.ts";
import { Secret } from "../observability/redact.ts";
import type { ConfigurationProblem } from "./errors.ts";
import { type About, type Environment, givenText, quoted, type Section } from "./section.ts";
import { SECTIONS } from "./settings.ts";

const ALL_SECTIONS: readonly Section[] = Object.values(SECTIONS);

/** Every setting once, in the order of the documentation. */
export const SETTINGS: readonly About[] = [
  ...new Map(
    ALL_SECTIONS.flatMap(({ entries }) => Object.values(entries)).map(({ about }) => [about.name, about]),
  ).values(),
];

export const SETTING_NAMES: readonly string[] = SETTINGS.map(({ name }) => name);

const READ_NAMES: ReadonlySet<string> = new Set(SETTINGS.flatMap(({ from }) => from));
const PREFIX = "ARCHIVER_";

/**
 * Names written as if they were settings of this program, in other letters: `archiver_delete`,
 * `ARCHIVER-DELETE`, `ARCHIVE_DELETE`. In a file of settings each is a slip that would stay unnoticed.
 */
export function problemsOfNearNames(settings: Environment): ConfigurationProblem[] {
  return unknown(settings, (name) => !name.startsWith(PREFIX) && asWritten(name).startsWith(PREFIX));
}

/** The environment has names of other programs too: there, a name in other letters must spell a setting. */
export function problemsOfUnknownNames(env: Environment): ConfigurationProblem[] {
  return unknown(env, (name) => name.startsWith(PREFIX) || SETTING_NAMES.includes(asWritten(name)));
}

function unknown(env: Environment, isOurs: (name: string) => boolean): ConfigurationProblem[] {
  return Object.keys(env)
    .filter((name) => !READ_NAMES.has(name) && isOurs(name) && (env[name] ?? "") !== "")
    .sort()
    .map((name) => {
      const meant = nearestName(asWritten(name), SETTING_NAMES);
      return {
        name: /^[A-Za-z0-9_.-]{1,80}$/.test(name) ? name : quoted(name),
        problem: "is not a setting of this program",
        fix: meant === undefined ? "Remove it." : `Did you mean ${meant}?`,
      };
    });
}

/** A name in the letters of this program's settings. */
function asWritten(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/[-.]/g, "_")
    .replace(/^ARCHIVE_/, PREFIX);
}

/** What the AWS SDK takes from the environment to sign with; no settings of ours, but as secret. */
const AWS_SECRETS = [
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
] as const;

/** Real ids of keys have at least this length; the short ones of a store on one's desk are ordinary words. */
const LEAST_KEY_ID_LENGTH = 16;

/** Parts of an address that are long and have a digit are tokens; others are words such as `services`. */
const TOKEN = /^(?=.*\d).{16,}$/s;

/** An address that somebody is told at, and what of it would do alone to write to them. */
function secretsOfAddress(text: string): readonly string[] {
  const address = text.trim().replace(/^[a-z]+\+(?=https?:)/, "");
  const url = URL.parse(address);
  const isAddress = url !== null && /^(?:https?|smtps?|mailto|sns):$/.test(url.protocol);
  if (!isAddress) {
    return [];
  }
  const { href, password, pathname, searchParams } = url;
  const parts = [pathname, url.search, ...pathname.split("/"), ...searchParams.values()];
  const ofUser = password.length < 8 ? [] : [password, decodedOr(password)];
  return [
    address,
    href,
    address.replace(/^(?:sns|mailto):/, ""),
    ...ofUser,
    ...parts.filter((part) => TOKEN.test(part)),
  ];
}

/** The same of texts that hold addresses, separated by commas, and the texts themselves. */
export function secretsOfAddresses(texts: readonly string[]): readonly string[] {
  // Some are read without the space around them.
  return [
    ...texts.flatMap((text) => [text, text.trim()]),
    ...texts.flatMap((text) => text.split(",")).flatMap(secretsOfAddress),
  ];
}

function decodedOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A % that begins no escape: the password is as it stands.
    return text;
  }
}

/**
 * Every secret that the environment holds, whatever the command needs of it, for the redaction of all that is shown:
 * one pasted into the wrong place is not shown there either. Secrets that are read while the program runs are learned
 * where they are read.
 */
export function knownSecrets(env: Environment): readonly Secret[] {
  const keyId = env.AWS_ACCESS_KEY_ID ?? "";
  const ours = SETTINGS.filter(({ isSecret }) => isSecret).map((about) => givenText(env, about)?.text ?? "");
  const addresses = Object.values(SECTIONS.notification.entries).map(
    ({ about }) => givenText(env, about)?.text ?? "",
  );
  const texts = [
    // Some are read without the space around them.
    ...ours.flatMap((text) => [text, text.trim()]),
    ...addresses.flatMap((text) => text.split(",")).flatMap(secretsOfAddress),
    ...AWS_SECRETS.map((name) => env[name] ?? ""),
    keyId.length < LEAST_KEY_ID_LENGTH ? "" : keyId,
  ];
  return [...new Set(texts)].filter((text) => text !== "").map((text) => new Secret(text));
}
