import { SecretsProvider } from "@aws-lambda-powertools/parameters/secrets";
import * as v from "valibot";
import { ArchiverError } from "../domain/errors.ts";
import { ANSWER_LIMIT_PLACE, answerLimit } from "../network/answer-limit.ts";
import { certificateHint } from "../network/certificate-faults.ts";
import { withFreshSignature } from "../network/fresh-signature.ts";
import type { ProxySettings } from "../network/proxy-rules.ts";
import { tunnelAgents } from "../network/tunnel-agents.ts";
import { type ProxyConfiguration, settingsOfProxy } from "./configuration.ts";
import { ConfigurationError } from "./errors.ts";
import { eventSecret } from "./value-schemas.ts";

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 5_000;
/** A secret has 64 KiB at most. */
const MAX_ANSWER_BYTES = 1024 * 1024;

const causeSchema = v.object({ name: v.string(), code: v.fallback(v.optional(v.string()), undefined) });
const wrappedSchema = v.object({ cause: causeSchema });

/** Reads one secret of AWS Secrets Manager. */
export class SecretReader {
  readonly #setting: string;
  readonly #secretId: string;
  readonly #provider: SecretsProvider;
  #reading: Promise<unknown> | undefined;

  /** @param setting names the secret; problems are told of it. */
  constructor(setting: string, secretId: string, proxy: ProxySettings) {
    this.#setting = setting;
    this.#secretId = secretId;
    const region = regionOfArn(secretId);
    this.#provider = new SecretsProvider({
      clientConfig: {
        ...(region === undefined ? {} : { region }),
        requestHandler: {
          connectionTimeout: CONNECTION_TIMEOUT_MS,
          requestTimeout: REQUEST_TIMEOUT_MS,
          throwOnRequestTimeout: true,
          ...tunnelAgents(proxy),
        },
      },
    });
    this.#provider.client.middlewareStack.add(answerLimit(MAX_ANSWER_BYTES), ANSWER_LIMIT_PLACE);
  }

  /**
   * What the secret holds: the one read before, where that is younger than `maxAgeSeconds`. Callers share a read that
   * is under way, but for `forceFetch`, which wants one that begins now.
   *
   * @throws ConfigurationError when the secret does not exist or may not be read; `ArchiverError` `secret-unavailable`
   * when Secrets Manager does not answer.
   */
  async read(options: { readonly forceFetch: boolean; readonly maxAgeSeconds: number }): Promise<unknown> {
    if (this.#reading !== undefined && !options.forceFetch) {
      return await this.#reading;
    }
    const reading = this.#fetch(options).finally(() => {
      if (this.#reading === reading) {
        this.#reading = undefined;
      }
    });
    this.#reading = reading;
    return await reading;
  }

  /** The problem of a secret that can be read and does not hold what it should. */
  wrong(problem: string, fix: string): ConfigurationError {
    return new ConfigurationError([{ name: this.#setting, problem, fix }]);
  }

  close(): void {
    this.#provider.client.destroy();
  }

  async #fetch({ forceFetch, maxAgeSeconds }: Parameters<SecretReader["read"]>[0]): Promise<unknown> {
    try {
      return await withFreshSignature(() =>
        this.#provider.get(this.#secretId, { forceFetch, maxAge: maxAgeSeconds }),
      );
    } catch (thrown) {
      const wrapped = v.safeParse(wrappedSchema, thrown);
      throw this.#errorOf(wrapped.success ? wrapped.output.cause : { name: "unknown error" });
    }
  }

  #errorOf({ name, code }: v.InferOutput<typeof causeSchema>): ArchiverError {
    const refusal = Object.hasOwn(REFUSALS, name) ? REFUSALS[name] : undefined;
    if (refusal !== undefined) {
      return this.wrong(...refusal);
    }
    // The SDK's error is not a cause: it quotes requests (promise I9).
    const message = `the secret of ${this.#setting} could not be read (${shown(name)})`;
    return new ArchiverError("secret-unavailable", message, {
      scope: "system",
      retry: "later",
      hint: certificateHint(code, "AWS_ENDPOINT_URL_SECRETS_MANAGER") ?? CHECK_THE_WAY,
    });
  }
}

const CHECK_THE_WAY =
  "Check AWS_REGION, the AWS credentials in use, this machine's clock and the way to Secrets Manager.";

/** What Secrets Manager says when it is the setting, the secret or the permission that is wrong. */
const REFUSALS: Readonly<Record<string, readonly [problem: string, fix: string]>> = {
  ResourceNotFoundException: [
    "names a secret that does not exist in this account and region",
    "Set it to the id or ARN of a secret, and AWS_REGION to its region.",
  ],
  InvalidRequestException: [
    "names a secret that cannot be read now: it is marked for deletion, or has no value yet",
    "Restore the secret, or name another one.",
  ],
  InvalidParameterException: ["is not an id of a secret", "Set it to the id or ARN of a secret."],
  ValidationException: ["is not an id of a secret", "Set it to the id or ARN of a secret."],
  AccessDeniedException: [
    "names a secret that this role may not read",
    "Allow secretsmanager:GetSecretValue on it (and kms:Decrypt on its key, where it has one of its own).",
  ],
  DecryptionFailure: [
    "names a secret that this role may not decrypt",
    "Allow kms:Decrypt on the secret's key.",
  ],
};

function shown(name: string): string {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(name) ? name : "unknown error";
}

/** The secret's own region, so that an ARN works wherever the program runs. */
function regionOfArn(secretId: string): string | undefined {
  return /^arn:[a-z-]+:secretsmanager:([a-z0-9-]+):/.exec(secretId)?.[1];
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
