import { ArchiverError, type ErrorFacts } from "../domain/errors.ts";
import { PlatformError, type PlatformErrorCode } from "../ports/platform.ts";
import {
  type ErrorRow,
  NOT_FOUND_WITHOUT_TASK,
  rowOf,
  rowOfCode,
  UNKNOWN_403_AFTER_WAITING,
} from "./error-table.ts";
import { quotable, type Redact } from "./redaction.ts";
import { parseRetryAfterMs } from "./retry-after.ts";
import type { ErrorBody } from "./schemas.ts";

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

/** A refusal as this program raises it, and whether new credentials may cure it. */
export interface ClassifiedRefusal {
  readonly error: PlatformError;
  readonly refreshCredentials: boolean;
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
export function classifyRefusal(
  refusal: Refusal,
  redact: Redact,
  streak: ForbiddenStreak,
): ClassifiedRefusal {
  const platformCode = safeCode(refusal.body?.platformCode);
  const row = rowOf(refusal.httpStatus, platformCode);
  if (row === undefined) {
    const error = malformedAnswer(refusal.operation, `status ${refusal.httpStatus} is not documented`);
    return { error, refreshCredentials: false };
  }
  return classified(refineRow(row, refusal, streak), refusal, platformCode, redact);
}

/** Classifies an error that came under status 200 (iotda-api §2.1); an unknown code is a disguised error. */
export function classifyDisguised(refusal: Refusal, redact: Redact): ClassifiedRefusal {
  const platformCode = safeCode(refusal.body?.platformCode);
  const row = rowOfCode(platformCode);
  return row === undefined
    ? { error: disguisedError(refusal, platformCode, redact), refreshCredentials: false }
    : classified(row, refusal, platformCode, redact);
}

/** An answer that does not match the documented shape. `problem` quotes nothing of it. */
export function malformedAnswer(operation: string, problem: string): PlatformError {
  return new PlatformError("platform-malformed-answer", `${operation}: ${problem}`, {
    scope: "task",
    retry: "later",
    hint: "The answer is not what the platform documents: look for a proxy that rewrites it; if there is none, the API has changed and the archiver needs an update.",
  });
}

/** Not an export task id; nothing was sent. The id itself may be hostile and stays out of the message. */
export function notAnId(operation: string): PlatformError {
  return new PlatformError("platform-rejected-request", `${operation}: not an export task id`, {
    scope: "task",
    retry: "never",
    hint: "Export task ids have 1 to 36 letters, digits, hyphens and underscores: look where this one came from.",
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
  return new PlatformError("platform-unauthenticated", "the platform credentials could not be read", {
    scope: "system",
    retry: "later",
    hint: "Check HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or that the secret named by ARCHIVER_CREDENTIALS_SECRET exists and may be read.",
  });
}

/** The body began as an HTML page: a login page or a proxy's error, never an export. */
export function htmlInsteadOfFile(operation: string): PlatformError {
  return new PlatformError(
    "platform-disguised-error",
    `${operation}: status 200 with an HTML page`,
    DISGUISED,
  );
}

const DISGUISED: ErrorFacts = {
  scope: "task",
  retry: "later",
  hint: "An error came as a success. If it lasts, look for a proxy or login page between here and the endpoint.",
};

function disguisedError(refusal: Refusal, platformCode: string | undefined, redact: Redact): PlatformError {
  return new PlatformError("platform-disguised-error", describe(refusal, platformCode, redact), {
    ...DISGUISED,
    httpStatus: refusal.httpStatus,
    platformCode,
    requestId: safeRequestId(refusal.requestId, redact),
  });
}

/** The two places where a row alone does not decide. */
function refineRow(row: ErrorRow, refusal: Refusal, streak: ForbiddenStreak): ErrorRow {
  if (row.code === "platform-task-not-found" && !refusal.aboutTask) {
    return { httpStatus: row.httpStatus, platformCode: row.platformCode, ...NOT_FOUND_WITHOUT_TASK };
  }
  if (row.httpStatus === 403 && row.platformCode === "*" && streak.waitedEnough(refusal.operation)) {
    return { httpStatus: row.httpStatus, platformCode: row.platformCode, ...UNKNOWN_403_AFTER_WAITING };
  }
  return row;
}

function classified(
  row: ErrorRow,
  refusal: Refusal,
  platformCode: string | undefined,
  redact: Redact,
): ClassifiedRefusal {
  const code: PlatformErrorCode = row.code;
  const skew = code === "platform-unauthenticated" ? skewInWords(refusal) : undefined;
  const message = describe(refusal, platformCode, redact);
  const error = new PlatformError(code, skew === undefined ? message : `${message}; ${skew}`, {
    scope: row.scope,
    retry: row.retry,
    hint: skew === undefined ? row.hint : WRONG_CLOCK_HINT,
    httpStatus: refusal.httpStatus,
    platformCode,
    requestId: safeRequestId(refusal.requestId, redact),
    throttle:
      row.throttleIntervals === undefined
        ? undefined
        : {
            intervals: row.throttleIntervals,
            retryAfterMs: parseRetryAfterMs(refusal.retryAfter, refusal.nowMs),
          },
  });
  return { error, refreshCredentials: row.refreshCredentials === true };
}

/** Beyond 15 minutes every signature is refused (iotda-api §2.3 rule 6); some way below, the clock is worth naming. */
const SUSPICIOUS_SKEW_MS = 5 * 60_000;
const WRONG_CLOCK_HINT =
  "Set this machine's clock (NTP): the platform refuses every signature that is more than 15 min off.";

function skewInWords({ dateMs, nowMs }: Refusal): string | undefined {
  if (dateMs === undefined || Math.abs(nowMs - dateMs) < SUSPICIOUS_SKEW_MS) {
    return undefined;
  }
  const minutes = Math.round(Math.abs(nowMs - dateMs) / 60_000);
  return `this machine's clock is ${minutes} min ${nowMs > dateMs ? "ahead of" : "behind"} the platform's`;
}

function describe(refusal: Refusal, platformCode: string | undefined, redact: Redact): string {
  const text = refusal.body?.text === undefined ? "" : quotable(refusal.body.text, redact);
  const requestId = safeRequestId(refusal.requestId, redact);
  return [
    `${refusal.operation}: status ${refusal.httpStatus}`,
    platformCode === undefined ? "" : ` ${platformCode}`,
    text === "" ? "" : `: ${text}`,
    requestId === undefined ? "" : ` (request ${requestId})`,
  ].join("");
}

function safeCode(platformCode: string | undefined): string | undefined {
  return platformCode !== undefined && PLATFORM_CODE.test(platformCode) ? platformCode : undefined;
}

function safeRequestId(requestId: string | undefined, redact: Redact): string | undefined {
  const safe = requestId !== undefined && REQUEST_ID.test(requestId) && redact(requestId) === requestId;
  return safe ? requestId : undefined;
}
