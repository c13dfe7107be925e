import type { Credentials } from "./signing.ts";

/** Takes everything secret out of a text that came from the other side. */
export type Redact = (text: string) => string;

const REDACTED = "[redacted]";
const MAX_QUOTED_CHARACTERS = 200;

/** What carries a secret by its form, whoever's it is: an answer may quote an older key than ours. */
const SECRET_FORMS: readonly RegExp[] = [
  /\b(?:Signature|Access|Credential|X-Security-Token|X-Auth-Token|Authorization)\b["']?\s*[=:]\s*["']?[^\s,;"']+/gi,
  // No id or code is that long; keys, signatures and tokens are.
  /[A-Za-z0-9+/=_-]{40,}/g,
];

/** A {@link Redact} that knows the credentials of one call. */
export function redactorFor(credentials: Credentials): Redact {
  const secrets = [credentials.sk, credentials.securityToken ?? "", credentials.ak]
    .filter((secret) => secret !== "")
    .flatMap((secret) => [secret, encodeURIComponent(secret)]);
  return (text) => {
    const withoutOurs = secrets.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
    return SECRET_FORMS.reduce((rest, form) => rest.replaceAll(form, REDACTED), withoutOurs);
  };
}

/** A foreign text made fit for an error message: one line, short, without secrets. */
export function quotable(text: string, redact: Redact): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  const oneLine = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\s]+/g, " ").trim();
  const clean = redact(oneLine);
  return clean.length > MAX_QUOTED_CHARACTERS ? `${clean.slice(0, MAX_QUOTED_CHARACTERS - 1)}…` : clean;
}
