import * as v from "valibot";
import { AnswerTooLongError } from "../../network/answer-limit.ts";
import { certificateHint } from "../../network/certificate-faults.ts";
import { StoreError } from "../../ports/object-store.ts";
import {
  DENIED_WITHOUT_CODE,
  FAULT_BY_CODE,
  faultOfStatus,
  NO_CREDENTIALS,
  NOT_S3,
  OVERSIZED,
  type S3Fault,
  TOO_SLOW,
  UNREACHABLE,
  untrustedTls,
} from "./fault-table.ts";

/** What a request was about, for messages. */
export interface RequestSubject {
  /** The operation by the name S3 gives it. */
  readonly operation: string;
  /** The key below the prefix, or what else it was about. */
  readonly subject: string;
}

/** What a failed request showed. Never holds a header, a body or a signature. */
interface Sighting {
  readonly status: number | undefined;
  /** The store's error code, or Node's or the SDK's name of what broke. */
  readonly s3Code: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** A failed request to the store. */
export class S3Error extends StoreError {
  readonly fault: S3Fault;
  readonly httpStatus: number | undefined;
  readonly s3Code: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** The store may have done what was asked although it did not say so. */
  readonly mayHaveHappened: boolean;

  constructor(fault: S3Fault, request: RequestSubject, sighting: Sighting) {
    const facts = [
      sighting.status === undefined ? undefined : `HTTP ${sighting.status}`,
      sighting.s3Code,
      sighting.requestId === undefined ? undefined : `request ${sighting.requestId}`,
    ].filter((fact) => fact !== undefined);
    const detail = [`${request.operation} ${request.subject}`, ...facts].join(", ");
    // The SDK's error is not a cause: S3 quotes key ids, tokens and strings to sign in some of them (promise I9).
    super(fault, detail);
    this.fault = fault;
    this.httpStatus = sighting.status;
    this.s3Code = sighting.s3Code;
    this.retryAfterMs = sighting.retryAfterMs;
    this.mayHaveHappened = sighting.status === undefined || sighting.status < 300 || sighting.status >= 500;
  }
}

const NOTHING_SEEN: Sighting = {
  status: undefined,
  s3Code: undefined,
  requestId: undefined,
  retryAfterMs: undefined,
};

/** A success that lacks what every S3 store answers: a proxy's page, most likely. */
export function notS3Error(request: RequestSubject): S3Error {
  return new S3Error(NOT_S3, request, { ...NOTHING_SEEN, status: 200 });
}

/** An error of this fault that no answer of the store stands behind. */
export function faultError(fault: S3Fault, request: RequestSubject): S3Error {
  return new S3Error(fault, request, NOTHING_SEEN);
}

// Names and codes only: free text of others is never read, and never shown.
const nameSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/));
const thrownSchema = v.object({
  name: v.fallback(v.optional(nameSchema), undefined),
  Code: v.fallback(v.optional(nameSchema), undefined),
  code: v.fallback(v.optional(nameSchema), undefined),
  $fault: v.fallback(v.optional(v.picklist(["client", "server"])), undefined),
  $metadata: v.fallback(
    v.optional(
      v.object({
        httpStatusCode: v.fallback(v.optional(v.number()), undefined),
        requestId: v.fallback(v.optional(nameSchema), undefined),
      }),
    ),
    undefined,
  ),
  $response: v.fallback(
    v.optional(
      v.object({
        statusCode: v.fallback(v.optional(v.number()), undefined),
        headers: v.fallback(v.optional(v.record(v.string(), v.unknown())), undefined),
      }),
    ),
    undefined,
  ),
});

/** Whole seconds only: a date in `Retry-After` would need a clock that agrees. */
const retryAfterSchema = v.pipe(v.string(), v.regex(/^\d{1,4}$/), v.transform(Number));

/**
 * What a thrown thing of the SDK or of Node means; `undefined` when it is neither an answer of a store nor a
 * failure of the connection, so a mistake in the program.
 */
export function toS3Error(thrown: unknown, request: RequestSubject): S3Error | undefined {
  if (thrown instanceof AnswerTooLongError) {
    return new S3Error(OVERSIZED, request, { ...NOTHING_SEEN, s3Code: `over ${thrown.maxBytes} bytes` });
  }
  const parsed = v.safeParse(thrownSchema, thrown);
  if (!parsed.success) {
    return undefined;
  }
  const { name, Code, code, $metadata, $response, $fault } = parsed.output;
  const status = $response?.statusCode ?? $metadata?.httpStatusCode;
  if (status !== undefined) {
    const s3Code = $fault === undefined ? undefined : (Code ?? name);
    const retryAfter = v.safeParse(retryAfterSchema, $response?.headers?.["retry-after"]);
    return new S3Error(faultOf(s3Code, status), request, {
      status,
      s3Code,
      requestId: $metadata?.requestId,
      retryAfterMs: retryAfter.success ? retryAfter.output * 1000 : undefined,
    });
  }
  if (name === "CredentialsProviderError" || name === "ProviderError" || name === "TokenProviderError") {
    return new S3Error(NO_CREDENTIALS, request, { ...NOTHING_SEEN, s3Code: name });
  }
  const ofCertificate = certificateHint(code, "AWS_ENDPOINT_URL_S3");
  if (ofCertificate !== undefined) {
    return new S3Error(untrustedTls(ofCertificate), request, { ...NOTHING_SEEN, s3Code: code });
  }
  if (name === "TimeoutError" || name === "AbortError") {
    return faultError(TOO_SLOW, request);
  }
  const isConnectionFault = code !== undefined && !code.startsWith("ERR_INVALID");
  return isConnectionFault ? new S3Error(UNREACHABLE, request, { ...NOTHING_SEEN, s3Code: code }) : undefined;
}

/** What the SDK calls a refusal without a body, as all of a HEAD are. */
const NAMES_OF_NOTHING: ReadonlySet<string | undefined> = new Set([undefined, "Unknown", "UnknownError"]);

function faultOf(s3Code: string | undefined, status: number): S3Fault {
  const byCode = s3Code === undefined ? undefined : FAULT_BY_CODE.get(s3Code);
  if (byCode !== undefined) {
    return byCode;
  }
  if (status === 403 && NAMES_OF_NOTHING.has(s3Code)) {
    return DENIED_WITHOUT_CODE;
  }
  // A success that the SDK could not read, or an unknown refusal.
  return faultOfStatus(status) ?? NOT_S3;
}
