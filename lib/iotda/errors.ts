import { ArchiverError, type ErrorFacts } from "../domain/errors.ts";
import { certificateHint } from "../network/certificate-faults.ts";
import { PlatformError } from "../ports/platform.ts";
import {
  DISGUISED,
  type ErrorRow,
  NOT_FOUND_WITHOUT_TASK,
  type Outcome,
  rowOf,
  rowOfCode,
  UNKNOWN_403_AFTER_WAITING,
} from "./error-table.ts";
import type { ErrorBody } from "./schemas.ts";
import type { Credentials } from "./signing.ts";

/** What is known of an answer that refuses. Nothing of it is fit for a message yet. */
export interface Refusal {
  /** The operation id, for the message. */
  readonly operation: string;
  /** The call names one task, so that a 404 may mean that task. */
  readonly aboutTask: boolean;
  readonly httpStatus: number;
  readonly body: ErrorBody | undefined;
  readonly requestId: string | undefined;
  readonly retryAfter: string | undefined;
  /** The `Date` of the answer, epoch milliseconds. */
  readonly dateMs: number | undefined;
  readonly nowMs: number;
}

/** How many 403s with unknown codes in a row still count as a rate limit (iotda-api §2.3 rule 2). */
const UNKNOWN_403_AS_THROTTLING = 2;

/**
 * Tells rate limits from missing permission where the code is unknown: the first in a row count as a limit,
 * later ones as permission, until something succeeds.
 */
export class ForbiddenStreak {
  readonly #lengths = new Map<string, number>();

  /** Counts one more; returns whether waiting has been tried often enough. */
  waitedEnough(operation: string): boolean {
    const length = (this.#lengths.get(operation) ?? 0) + 1;
    this.#lengths.set(operation, length);
    return length > UNKNOWN_403_AS_THROTTLING;
  }

  reset(operation: string): void {
    this.#lengths.delete(operation);
  }
}

/** Dotted (`IOTDA.000006`) or old numeric codes; anything else might quote something secret. */
const PLATFORM_CODE = /^(?:[A-Za-z]{2,16}\.)?[0-9]{3,10}$/;
const REQUEST_ID = /^[A-Za-z0-9-]{1,64}$/;

/** Classifies an answer whose status refuses: code first, status second (iotda-api §2.3). */
export function classifyRefusal(refusal: Refusal, redact: Redact, streak: ForbiddenStreak): PlatformError {
  const row = rowOf(refusal.httpStatus, safeCode(refusal));
  if (row === undefined) {
    return malformedAnswer(refusal.operation, `status ${refusal.httpStatus} is not documented`);
  }
  return refusalError(refineRow(row, refusal, streak), refusal, redact);
}

/** Classifies an error that came under status 200 (iotda-api §2.1); an unknown code is a disguised error. */
export function classifyDisguised(refusal: Refusal, redact: Redact): PlatformError {
  return refusalError(rowOfCode(safeCode(refusal)) ?? DISGUISED, refusal, redact);
}

/** An answer that does not match the documented shape. `problem` quotes nothing of it. */
export function malformedAnswer(operation: string, problem: string): PlatformError {
  return new PlatformError("platform-malformed-answer", `${operation}: ${problem}`, {
    scope: "task",
    retry: "later",
    hint: "The platform's answer does not match its documentation. Look for a proxy that rewrites it. Without one, the API has changed and the archiver needs an update.",
  });
}

/** Not an export task id; nothing was sent. The id itself may be hostile and stays out of the message. */
export function notAnId(operation: string): PlatformError {
  return new PlatformError("platform-rejected-request", `${operation}: not an export task id`, {
    scope: "task",
    retry: "never",
    hint: "An export task id has 1 to 36 letters, digits, hyphens and underscores. Find out where this one came from.",
  });
}

/** Error from our own settings, found before anything is sent. */
export function misconfigured(message: string, hint: string): PlatformError {
  return new PlatformError("platform-misconfigured", message, { scope: "system", retry: "never", hint });
}

/** No whole answer came. */
export function unreachable(message: string, hint: string, cause?: unknown): PlatformError {
  const facts: ErrorFacts = { scope: "task", retry: "later", hint, cause };
  return new PlatformError("platform-unreachable", message, facts);
}

/** The credentials could not be had. The cause is another module's; its text stays out of the message. */
export function noCredentials(cause: unknown): ArchiverError {
  if (cause instanceof ArchiverError) {
    return cause;
  }
  return new PlatformError(
    "platform-unauthenticated",
    "the archiver could not read the platform credentials",
    {
      scope: "system",
      retry: "later",
      hint: "Check HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or that ARCHIVER_CREDENTIALS_SECRET names a secret that the archiver may read.",
    },
  );
}

/** The body began as an HTML page: a login page or a proxy's error, never an export. */
export function htmlInsteadOfFile(operation: string): PlatformError {
  return new PlatformError(DISGUISED.code, `${operation}: status 200 with an HTML page`, DISGUISED);
}

/** The two places where a row alone does not decide. */
function refineRow(row: ErrorRow, refusal: Refusal, streak: ForbiddenStreak): Outcome {
  if (row.code === "platform-task-not-found" && !refusal.aboutTask) {
    return NOT_FOUND_WITHOUT_TASK;
  }
  if (row.httpStatus === 403 && row.platformCode === "*" && streak.waitedEnough(refusal.operation)) {
    return UNKNOWN_403_AFTER_WAITING;
  }
  return row;
}

function refusalError(outcome: Outcome, refusal: Refusal, redact: Redact): PlatformError {
  const { code, scope, retry, throttleIntervals: intervals } = outcome;
  const skew = code === "platform-unauthenticated" ? skewInWords(refusal) : undefined;
  const platformCode = safeCode(refusal);
  const requestId = safeRequestId(refusal.requestId, redact);
  const text = refusal.body?.text === undefined ? "" : quotable(refusal.body.text, redact);
  const message = [
    `${refusal.operation}: status ${refusal.httpStatus}`,
    platformCode === undefined ? "" : ` ${platformCode}`,
    text === "" ? "" : `: ${text}`,
    requestId === undefined ? "" : ` (request ${requestId})`,
    skew === undefined ? "" : `; ${skew}`,
  ];
  const retryAfterMs = parseRetryAfterMs(refusal.retryAfter, refusal.nowMs);
  return new PlatformError(code, message.join(""), {
    ...{ scope, retry, platformCode, requestId },
    hint: skew === undefined ? outcome.hint : WRONG_CLOCK_HINT,
    httpStatus: refusal.httpStatus,
    throttle: intervals === undefined ? undefined : { intervals, retryAfterMs },
  });
}

/** Beyond 15 minutes every signature is refused (iotda-api §2.3 rule 6); some way below, the clock is worth naming. */
const SUSPICIOUS_SKEW_MS = 5 * 60_000;
const WRONG_CLOCK_HINT =
  "Correct this machine's clock (NTP): the platform refuses a signature whose time is off by more than 15 min.";

function skewInWords({ dateMs, nowMs }: Refusal): string | undefined {
  if (dateMs === undefined || Math.abs(nowMs - dateMs) < SUSPICIOUS_SKEW_MS) {
    return undefined;
  }
  const minutes = Math.round(Math.abs(nowMs - dateMs) / 60_000);
  return `this machine's clock is ${minutes} min ${nowMs > dateMs ? "ahead of" : "behind"} the platform's`;
}

function safeCode({ body }: Refusal): string | undefined {
  const platformCode = body?.platformCode;
  return platformCode !== undefined && PLATFORM_CODE.test(platformCode) ? platformCode : undefined;
}

function safeRequestId(requestId: string | undefined, redact: Redact): string | undefined {
  const safe = requestId !== undefined && REQUEST_ID.test(requestId) && redact(requestId) === requestId;
  return safe ? requestId : undefined;
}

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

const TRY_AGAIN = "If it persists, check the network, the firewall and the proxy.";
const NAME =
  "The endpoint's name does not resolve. Check ARCHIVER_IOTDA_ENDPOINT: a standard or enterprise instance has its own address.";

/** Codes of Node and of our tunnels whose hint can say more than "try again". */
const HINT_OF_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND: NAME,
  EAI_AGAIN: NAME,
  ECONNREFUSED:
    "No server listens at the endpoint or the proxy. Check ARCHIVER_IOTDA_ENDPOINT and HTTPS_PROXY.",
  PROXY_REFUSED: "The proxy refuses a tunnel to the endpoint. Check HTTPS_PROXY and the proxy's rules.",
  PROXY_WANTS_CREDENTIALS: "The proxy does not accept the user or password in HTTPS_PROXY.",
};

/** How the codes of Node's HTTP parser begin. */
const HTTP_PARSER_CODE = "HPE_";

/**
 * What a connection that fails before the head of the answer becomes: as {@link transportFault}, but an answer
 * that is there and is not HTTP, or has a head larger than any real one, is malformed.
 */
export function headFault(operation: string, thrown: unknown): ArchiverError {
  const code = faultCode(thrown);
  return code.startsWith(HTTP_PARSER_CODE)
    ? malformedAnswer(operation, `the answer is not valid HTTP (${code})`)
    : transportFault(operation, thrown);
}

/**
 * What a failing connection becomes: `platform-unreachable`. Errors of ours pass as they are.
 *
 * The cause keeps only the fault's code: a parser error carries the raw answer.
 */
export function transportFault(operation: string, thrown: unknown): ArchiverError {
  if (thrown instanceof ArchiverError) {
    return thrown;
  }
  const code = faultCode(thrown);
  return unreachable(
    `${operation}: the connection failed (${code})`,
    certificateHint(code, "ARCHIVER_IOTDA_ENDPOINT") ?? HINT_OF_CODE[code] ?? TRY_AGAIN,
    new Error(code),
  );
}

function faultCode(thrown: unknown): string {
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") {
    return /^[A-Z0-9_]{1,64}$/.test(thrown.code) ? thrown.code : "UNKNOWN";
  }
  return thrown instanceof Error ? thrown.name : "UNKNOWN";
}

/** The longest wait a `Retry-After` may ask for; pacing bounds it further. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Reads a `Retry-After` header: whole seconds or an HTTP date. The platform does not document it
 * (iotda-api §2.2), so anything else counts as absent.
 *
 * @returns milliseconds from now, at least 0 and at most an hour.
 */
function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) {
    return undefined;
  }
  const waitMs = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : parseHttpDateMs(header, -nowMs);
  return waitMs === undefined ? undefined : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}

/** An IMF-fixdate, the form in which every current server writes dates. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Epoch milliseconds of an HTTP date plus `shiftMs`; `undefined` when it is none. */
export function parseHttpDateMs(text: string | undefined, shiftMs = 0): number | undefined {
  if (text === undefined || !HTTP_DATE.test(text)) {
    return undefined;
  }
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs + shiftMs;
}
