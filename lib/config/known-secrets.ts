import { Secret } from "../observability/secret.ts";
import { type Environment, secretTexts } from "./read-settings.ts";

/** What the AWS SDK takes from the environment to sign with; no settings of ours, but as secret. */
const AWS_SECRETS = [
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
] as const;

/** Real ids of keys have at least this length; the short ones of a store on one's desk are ordinary words. */
const LEAST_KEY_ID_LENGTH = 16;

/**
 * Every secret that the environment holds, whatever the command needs of it, for the redaction of all that is shown.
 * Secrets that are read while the program runs are learned where they are read.
 */
export function knownSecrets(env: Environment): readonly Secret[] {
  const keyId = env.AWS_ACCESS_KEY_ID ?? "";
  const texts = [
    ...secretTexts(env),
    ...AWS_SECRETS.map((name) => env[name] ?? ""),
    keyId.length < LEAST_KEY_ID_LENGTH ? "" : keyId,
  ];
  return [...new Set(texts)].filter((text) => text !== "").map((text) => new Secret(text));
}
