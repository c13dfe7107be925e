import * as v from "valibot";
import { parseJson } from "../domain/json.ts";
import type { Secret, SecretLearner } from "../observability/redact.ts";
import type { KeySet } from "./agency-keys.ts";
import { type ProxyConfiguration, settingsOfProxy } from "./configuration.ts";
import type { PlatformCredentials } from "./credential-rules.ts";
import { loadSecretReader } from "./sdk-adapters.ts";
import type { SecretReader } from "./secret-reader.ts";
import { systemClock } from "./system.ts";
import { secretText } from "./value-schemas.ts";

/** A refusal is followed by one look at the secret itself; not by one for each of a run's refusals. */
const REFRESH_APART_MS = 15 * 60_000;
/** Otherwise it is read again this often. */
const GOOD_FOR_SECONDS = 3_600;

/** What the secret holds; other fields are somebody else's. */
const keysSchema = v.object({ ak: secretText, sk: secretText, securityToken: v.optional(secretText) });
const secretSchema = v.pipe(v.string(), v.transform(parseJson), keysSchema);

interface SecretKeys {
  readonly ak: Secret;
  readonly sk: Secret;
  readonly securityToken?: Secret | undefined;
}

const FIX_CONTENT = 'Store a JSON object with "ak" and "sk" in it, and "securityToken" for temporary keys.';

/** Access keys as requests are signed with them. */
export interface Keys {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string;
}

/** Gives the access keys out where they are used, and nowhere else. One serves platform and store. */
export class AccessKeys {
  readonly #credentials: PlatformCredentials;
  readonly #redactor: SecretLearner | undefined;
  readonly #proxy: ProxyConfiguration;
  #reader: SecretReader | undefined;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  /** The keys of an agency that the redactor was told of last. */
  #learned: KeySet | undefined;

  /**
   * @param redactor learns the keys that are read from a secret, or come from a host, before anybody else has them.
   * @param proxy on the way to that secret.
   */
  constructor(
    credentials: PlatformCredentials,
    redactor: SecretLearner | undefined,
    proxy: ProxyConfiguration,
  ) {
    this.#credentials = credentials;
    this.#redactor = redactor;
    this.#proxy = proxy;
  }

  /**
   * The keys. Those of a secret are read once an hour, and with `refresh` at once, at most every 15 minutes. Those of
   * an agency are always the newest that the host gave.
   *
   * @param refresh those given last were refused: read the secret again.
   * @throws ConfigurationError for a secret that does not exist, may not be read or holds no keys; `ArchiverError`
   * `secret-unavailable` when Secrets Manager does not answer, `agency-keys-missing` when the host gave none.
   */
  async get(refresh: boolean): Promise<Keys> {
    const { ak, sk, securityToken } = await this.#secrets(refresh);
    return {
      ak: ak.reveal(),
      sk: sk.reveal(),
      ...(securityToken === undefined ? {} : { securityToken: securityToken.reveal() }),
    };
  }

  /** Whether this gives out the same keys as one of these credentials would: each kind has one source in a process. */
  hasThoseOf({ kind }: PlatformCredentials): boolean {
    return this.#credentials.kind === kind;
  }

  async #secrets(refresh: boolean): Promise<SecretKeys> {
    const credentials = this.#credentials;
    switch (credentials.kind) {
      case "static":
        return credentials;
      case "secret":
        return await this.#read(credentials.secretId, refresh);
      case "agency":
        return this.#ofAgency(credentials.held.current());
    }
  }

  #ofAgency(keys: KeySet): SecretKeys {
    const { accessKeyId: ak, secretAccessKey: sk, securityToken } = keys;
    if (this.#learned !== keys) {
      this.#redactor?.learn([ak, sk, securityToken]);
      this.#learned = keys;
    }
    return { ak, sk, securityToken };
  }

  async #read(secretId: string, refresh: boolean): Promise<SecretKeys> {
    // With it comes the AWS SDK: most have no secret, and read none.
    const { SecretReader } = await loadSecretReader();
    this.#reader ??= new SecretReader("ARCHIVER_CREDENTIALS_SECRET", secretId, settingsOfProxy(this.#proxy));
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
    const keys: readonly (Secret | undefined)[] = Object.values(parsed.output);
    this.#redactor?.learn(keys.filter((key) => key !== undefined));
    return parsed.output;
  }

  /** Ends the connections there are. */
  close(): void {
    this.#reader?.close();
  }
}

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
