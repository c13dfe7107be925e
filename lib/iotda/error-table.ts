import type { Fault } from "../domain/errors.ts";
import type { PlatformError, PlatformErrorCode } from "../ports/platform.ts";

/** What a refusal means; its problem is what the answer says. */
export interface Outcome extends Omit<Fault<PlatformErrorCode>, "problem"> {
  /** Download intervals to stay away; set exactly for `platform-throttled`. */
  readonly throttleIntervals?: number;
  /** Concluded from what the body does not say, so never from a body that broke off. */
  readonly needsWholeBody?: true;
}

/** One way the platform refuses, and what it means to us (iotda-api §2.2). */
export interface ErrorRow extends Outcome {
  /** The documented status, or a whole class of them. */
  readonly httpStatus: number | "3xx" | "4xx" | "5xx";
  /** A code, which then decides whatever the status is; a family (`IOTDA.*`); or `*` for any code and none. */
  readonly platformCode: string;
}

const REJECTED: Outcome = {
  code: "platform-rejected-request",
  scope: "task",
  retry: "never",
  hint: "The platform refuses this kind of request. Compare the code with the IoTDA error list, and report it as a bug of the archiver.",
};
const MISCONFIGURED: Outcome = {
  code: "platform-misconfigured",
  scope: "system",
  retry: "never",
  hint: "This address does not know the export task API. Check ARCHIVER_IOTDA_ENDPOINT, ARCHIVER_IOTDA_REGION and ARCHIVER_IOTDA_PROJECT_ID.",
};
const WRONG_SIGNING: Outcome = {
  ...MISCONFIGURED,
  hint: "The endpoint may need the derived signature. Set ARCHIVER_IOTDA_SIGNING=derived and ARCHIVER_IOTDA_REGION, and check ARCHIVER_IOTDA_ENDPOINT.",
};
const UNAUTHENTICATED: Outcome = {
  code: "platform-unauthenticated",
  scope: "system",
  retry: "never",
  hint: "Check the access key, its secret and its token. Then check that ARCHIVER_IOTDA_SIGNING fits the instance edition, and that this machine's clock is right.",
};
const FORBIDDEN: Outcome = {
  code: "platform-forbidden",
  scope: "system",
  retry: "never",
  hint: "Grant this key's user iotda:exporttasks:queryList, :query and :delete, and also :create if you request exports. Check that the project uses IoTDA. A standard or enterprise instance needs its own application address.",
};
const FORBIDDEN_APP: Outcome = {
  ...FORBIDDEN,
  hint: "The export's resource space is missing, or this user may not use it. Check ARCHIVER_IOTDA_INSTANCE_ID and the user's access to the resource space.",
};
const NOT_FOUND: Outcome = {
  code: "platform-task-not-found",
  scope: "task",
  retry: "later",
  hint: "The export task may be gone. The archiver asks for a fresh list, which decides.",
};
const UNAVAILABLE: Outcome = {
  ...NOT_FOUND,
  code: "platform-unavailable",
  hint: "The platform has an internal error. If it persists, check the Huawei Cloud status page.",
};

/** An error that came as a success, with a code that no row has. */
export const DISGUISED: Outcome = {
  ...NOT_FOUND,
  code: "platform-disguised-error",
  hint: "The platform reported an error with status 200. If it persists, look for a proxy or login page in front of the endpoint.",
};

function throttled(throttleIntervals: number): Outcome {
  return {
    ...UNAVAILABLE,
    code: "platform-throttled",
    hint: "The platform limits the request rate, and the archiver waits. If it persists, look for other programs that use this account.",
    throttleIntervals,
  };
}

/** The platform could not decode the token. */
const TOKEN_UNREADABLE = "IOTDA.000020";

function rows(httpStatus: ErrorRow["httpStatus"], platformCodes: string, outcome: Outcome): ErrorRow[] {
  return platformCodes.split(" ").map((platformCode) => ({ httpStatus, platformCode, ...outcome }));
}

/**
 * iotda-api §2.2 as data. Codes are matched before statuses; among the rest the first row that matches wins,
 * so families stand before `*` and single statuses before classes.
 */
export const ERROR_TABLE: readonly ErrorRow[] = [
  ...rows(400, "IOTDA.000006 IOTDA.000008 IOTDA.000009 IOTDA.000010 IOTDA.000017 IOTDA.000018", REJECTED),
  ...rows(401, "IOTDA.000002 APIGW.0301 APIGW.0303", UNAUTHENTICATED),
  ...rows(403, "IOTDA.000004", UNAUTHENTICATED),
  ...rows(403, "IOTDA.000021", FORBIDDEN),
  // A not-found under 403, but of the resource space: never "task gone".
  ...rows(403, "IOTDA.001000 IOTDA.001002 IOTDA.001005 IOTDA.001006 IOTDA.001007", FORBIDDEN_APP),
  ...rows(403, "IOTDA.021101", throttled(1)),
  ...rows(403, "IOTDA.021102", throttled(2)),
  ...rows(404, "APIGW.0101 APIGW.0103 IOTDA.000029", MISCONFIGURED),
  ...rows(429, "APIGW.0308", throttled(2)),
  ...rows(500, `IOTDA.000007 ${TOKEN_UNREADABLE}`, UNAVAILABLE),
  ...rows(504, "APIGW.0201", UNAVAILABLE),

  ...rows(400, "IOTDA.*", REJECTED),
  // A 400 that is not the service's own comes from the gateway, which does so for a wrong signing algorithm.
  ...rows(400, "*", { ...WRONG_SIGNING, needsWholeBody: true }),
  ...rows(401, "*", UNAUTHENTICATED),
  // May be a limit or a lack of permission: a limit at first (iotda-api §2.3 rule 2), see ForbiddenStreak.
  ...rows(403, "*", throttled(1)),
  ...rows(404, "IOTDA.*", NOT_FOUND),
  ...rows(404, "*", { ...MISCONFIGURED, needsWholeBody: true }),
  ...rows(408, "*", UNAVAILABLE),
  ...rows(429, "*", throttled(2)),
  ...rows("3xx", "*", MISCONFIGURED),
  ...rows("4xx", "*", { ...REJECTED, needsWholeBody: true }),
  ...rows("5xx", "*", UNAVAILABLE),
];

/** What a 403 with an unknown code counts as once waiting has not helped. */
export const UNKNOWN_403_AFTER_WAITING: Outcome = FORBIDDEN;

/** What a "not found" counts as where no task was asked for. */
export const NOT_FOUND_WITHOUT_TASK: Outcome = MISCONFIGURED;

/** The row of an exact code, whatever the status (iotda-api §2.3 rule 1). */
export function rowOfCode(platformCode: string | undefined): ErrorRow | undefined {
  return ERROR_TABLE.find((row) => row.platformCode === platformCode);
}

/** The row of a refusal, code first, status second; `undefined` for a status that is none (1xx, 2xx). */
export function rowOf(httpStatus: number, platformCode: string | undefined): ErrorRow | undefined {
  return (
    rowOfCode(platformCode) ??
    ERROR_TABLE.find(
      (row) => matchesStatus(row.httpStatus, httpStatus) && matchesFamily(row.platformCode, platformCode),
    )
  );
}

/** Whether a refusal's status says enough where its body broke off. */
export function statusSpeaksAlone(httpStatus: number): boolean {
  const row = rowOf(httpStatus, undefined);
  return row !== undefined && row.needsWholeBody !== true;
}

/** Whether an answer refused the credentials, so that new ones may be let in. */
export function mayNewKeysHelp({ code, httpStatus, platformCode }: PlatformError): boolean {
  const isRefused = code === "platform-unauthenticated" || platformCode === TOKEN_UNREADABLE;
  return isRefused && httpStatus !== undefined;
}

function matchesStatus(expected: ErrorRow["httpStatus"], httpStatus: number): boolean {
  return typeof expected === "number"
    ? expected === httpStatus
    : Number(expected[0]) === Math.floor(httpStatus / 100);
}

function matchesFamily(expected: string, platformCode: string | undefined): boolean {
  return (
    expected === "*" || (expected.endsWith(".*") && (platformCode ?? "").startsWith(expected.slice(0, -1)))
  );
}
