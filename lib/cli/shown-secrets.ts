import { Redactor } from "../observability/redact.ts";
import type { Secret } from "../observability/secret.ts";

/**
 * Shorter values are left in results: programs read those, and a bucket named `test` is no secret because a store on
 * somebody's desk has `test` as its secret key. Keys of Huawei and AWS and the event secret are all longer.
 */
const LEAST_LENGTH = 16;

/** The secrets of this process, which no line and no document for the operator shows. */
const shown = new Redactor([], LEAST_LENGTH);

/** Secrets that must not be shown from now on. */
export function hideSecrets(secrets: readonly (string | Secret)[]): void {
  shown.learn(secrets);
}

/** A text as it may be shown. */
export function withoutSecrets(text: string): string {
  return shown.withoutKnown(text);
}
