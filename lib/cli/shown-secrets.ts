import { Redactor } from "../observability/redact.ts";
import type { Secret } from "../observability/secret.ts";

/** The secrets of this process, which no line, no document and no record shows. */
export const shownSecrets = new Redactor([]);

/** Secrets that must not be shown from now on. */
export function hideSecrets(secrets: readonly (string | Secret)[]): void {
  shownSecrets.learn(secrets);
}

/** A text as it may be shown. */
export function withoutSecrets(text: string): string {
  return shownSecrets.result(text);
}
