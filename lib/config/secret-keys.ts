import { SecretsProvider } from "@aws-lambda-powertools/parameters/secrets";
import * as v from "valibot";
import { ArchiverError } from "../domain/errors.ts";
import { parseJson } from "../domain/json.ts";
import { ANSWER_LIMIT_PLACE, answerLimit } from "../network/answer-limit.ts";
import { withFreshSignature } from "../network/fresh-signature.ts";
import type { ProxySettings } from "../network/proxy-rules.ts";
import { tunnelAgents } from "../network/tunnel-agents.ts";
import type { Secret } from "../observability/secret.ts";
import { ConfigurationError } from "./errors.ts";
import { systemClock } from "./system.ts";
import { secretText } from "./value-schemas.ts";

const SETTING = "ARCHIVER_CREDENTIALS_SECRET";

/** A refusal is followed by one look at the secret itself; not by one for each of a run's refusals. */
const REFRESH_APART_MS = 15 * 60_000;
/** Otherwise it is read anew this often. */
const GOOD_FOR_SECONDS = 3_600;
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 5_000;
/** A secret has 64 KiB at most. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** What the secret holds; other fields are somebody else's. */
const keysSchema = v.object({ ak: secretText, sk: secretText, securityToken: v.optional(secretText) });
const secretSchema = v.pipe(v.string(), v.transform(parseJson), keysSchema);

const wrappedSchema = v.object({ cause: v.object({ name: v.string() }) });

/** Access keys kept in AWS Secrets Manager, as JSON `{"ak","sk","securityToken"?}`. */
export class SecretKeys {
  readonly #secretId: string;
  readonly #provider: SecretsProvider;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;

  constructor(secretId: string, proxy: ProxySettings) {
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
    const parsed = v.safeParse(secretSchema, await this.#fetch(forceFetch));
    if (!parsed.success) {
      throw wrongSecret(problemOf(parsed.issues[0]), FIX_CONTENT);
    }
    return parsed.output;
  }

  async #fetch(forceFetch: boolean): Promise<unknown> {
    try {
      return await withFreshSignature(() =>
        this.#provider.get(this.#secretId, { forceFetch, maxAge: GOOD_FOR_SECONDS }),
      );
    } catch (thrown) {
      const wrapped = v.safeParse(wrappedSchema, thrown);
      throw secretError(wrapped.success ? wrapped.output.cause.name : "unknown error");
    }
  }

  close(): void {
    this.#provider.client.destroy();
  }
}

const FIX_CONTENT = 'Store a JSON object with "ak" and "sk" in it, and "securityToken" for temporary keys.';

/** Where in the secret something is wrong; never what stands there. */
function problemOf(issue: v.InferIssue<typeof secretSchema>): string {
  const field = issue.path?.[0]?.key;
  if (typeof field !== "string") {
    return "names a secret that is no JSON object";
  }
  return issue.received === "undefined"
    ? `names a secret that has no "${field}"`
    : `names a secret whose "${field}" is no key`;
}

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
  InvalidParameterException: ["is no id of a secret", "Set it to the id or ARN of a secret."],
  ValidationException: ["is no id of a secret", "Set it to the id or ARN of a secret."],
  AccessDeniedException: [
    "names a secret that this role may not read",
    "Allow secretsmanager:GetSecretValue on it (and kms:Decrypt on its key, where it has one of its own).",
  ],
  DecryptionFailure: [
    "names a secret that this role may not decrypt",
    "Allow kms:Decrypt on the secret's key.",
  ],
};

function secretError(name: string): ArchiverError {
  const refusal = Object.hasOwn(REFUSALS, name) ? REFUSALS[name] : undefined;
  // The SDK's error is no cause: it quotes requests (design I9).
  return refusal === undefined
    ? new ArchiverError("secret-unavailable", `the secret of ${SETTING} could not be read (${shown(name)})`, {
        scope: "system",
        retry: "later",
        hint: "Check AWS_REGION, the AWS credentials in use, this machine's clock and the way to Secrets Manager.",
      })
    : wrongSecret(...refusal);
}

function shown(name: string): string {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(name) ? name : "unknown error";
}

function wrongSecret(problem: string, fix: string): ConfigurationError {
  return new ConfigurationError([{ name: SETTING, problem, fix }]);
}

/** The secret's own region, so that an ARN works wherever the program runs. */
function regionOfArn(secretId: string): string | undefined {
  return /^arn:[a-z-]+:secretsmanager:([a-z0-9-]+):/.exec(secretId)?.[1];
}
