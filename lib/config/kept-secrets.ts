import * as v from "valibot";
import { parseJson } from "../domain/json.ts";
import type { ProxySettings } from "../network/proxy-rules.ts";
import type { Secret } from "../observability/redact.ts";
import { type ProxyConfiguration, settingsOfProxy } from "./configuration.ts";
import { SecretReader } from "./secret-reader.ts";
import { systemClock } from "./system.ts";
import { eventSecret, secretText } from "./value-schemas.ts";

/** A refusal is followed by one look at the secret itself; not by one for each of a run's refusals. */
const REFRESH_APART_MS = 15 * 60_000;
/** Otherwise it is read again this often. */
const GOOD_FOR_SECONDS = 3_600;

/** What the secret holds; other fields are somebody else's. */
const keysSchema = v.object({ ak: secretText, sk: secretText, securityToken: v.optional(secretText) });
const secretSchema = v.pipe(v.string(), v.transform(parseJson), keysSchema);

/** Access keys kept in AWS Secrets Manager, as JSON `{"ak","sk","securityToken"?}`. */
export class SecretKeys {
  readonly #reader: SecretReader;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;

  constructor(secretId: string, proxy: ProxySettings) {
    this.#reader = new SecretReader("ARCHIVER_CREDENTIALS_SECRET", secretId, proxy);
  }

  /**
   * The keys, read once an hour, and with `refresh` at once (at most every 15 minutes).
   *
   * @throws ConfigurationError when the secret does not exist, may not be read or holds no keys; `ArchiverError`
   * `secret-unavailable` when Secrets Manager does not answer.
   */
  async get(refresh: boolean): Promise<{ ak: Secret; sk: Secret; securityToken?: Secret | undefined }> {
    const nowMs = systemClock.monotonicMs();
    const forceFetch = refresh && nowMs - this.#refreshedAtMs >= REFRESH_APART_MS;
    if (forceFetch) {
      this.#refreshedAtMs = nowMs;
    }
    const content = await this.#reader.read({ forceFetch, maxAgeSeconds: GOOD_FOR_SECONDS });
    const parsed = v.safeParse(secretSchema, content);
    if (!parsed.success) {
      throw this.#reader.wrong(problemOf(parsed.issues[0]), FIX_CONTENT);
    }
    return parsed.output;
  }

  close(): void {
    this.#reader.close();
  }
}

const FIX_CONTENT = 'Store a JSON object with "ak" and "sk" in it, and "securityToken" for temporary keys.';

/** Where in the secret something is wrong; never what stands there. */
function problemOf(issue: v.InferIssue<typeof secretSchema>): string {
  const field = issue.path?.[0]?.key;
  if (typeof field !== "string") {
    return "names a secret that is not a JSON object";
  }
  return issue.received === "undefined"
    ? `names a secret that has no "${field}"`
    : `names a secret whose "${field}" is not a key`;
}

/**
 * Reads the secret of HTTP events from AWS Secrets Manager, where it is a plain text.
 *
 * @throws ConfigurationError when it does not exist, may not be read or is not such a secret; `ArchiverError`
 * `secret-unavailable` when Secrets Manager does not answer.
 */
export async function readEventSecret(secretId: string, proxy: ProxyConfiguration): Promise<string> {
  const reader = new SecretReader("ARCHIVER_EVENT_SECRET_ID", secretId, settingsOfProxy(proxy));
  try {
    const parsed = v.safeParse(eventSecret, await reader.read({ forceFetch: true, maxAgeSeconds: 0 }));
    if (!parsed.success) {
      throw reader.wrong(
        `names a secret that ${parsed.issues[0].message}`,
        "Store a plain text of 16 to 1024 printable characters without spaces.",
      );
    }
    return parsed.output.reveal();
  } finally {
    reader.close();
  }
}
