import * as v from "valibot";
import { formatBytes } from "../../domain/format-bytes.ts";
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
  readonly httpStatus?: number;
  /** The store's error code, or Node's or the SDK's name of what broke. */
  readonly s3Code?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** A failed request to the store. */
export class S3Error extends StoreError {
  readonly fault: S3Fault;
  readonly httpStatus: number | undefined;
  readonly s3Code: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** The store may have done what was asked although it did not say so. */
  readonly mayHaveHappened: boolean;

  constructor(fault: S3Fault, { operation, subject }: RequestSubject, sighting: Sighting = {}) {
    const { httpStatus, s3Code, requestId, retryAfterMs } = sighting;
    const facts = [
      `${operation} ${subject}`,
      httpStatus === undefined ? undefined : `HTTP ${httpStatus}`,
      s3Code,
      requestId === undefined ? undefined : `request ${requestId}`,
    ];
    // The SDK's error is not a cause: S3 quotes key ids, tokens and strings to sign in some of them (promise I9).
    super(fault, facts.filter((fact) => fact !== undefined).join(", "));
    this.fault = fault;
    this.httpStatus = httpStatus;
    this.s3Code = s3Code;
    this.retryAfterMs = retryAfterMs;
    this.mayHaveHappened = httpStatus === undefined || httpStatus < 300 || httpStatus >= 500;
  }
}

/** A success that lacks what every S3 store answers: a proxy's page, most likely. */
export function notS3Error(request: RequestSubject): S3Error {
  return new S3Error(NOT_S3, request, { httpStatus: 200 });
}

// Names and codes only: free text of others is never read, and never shown.
const nameSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/));
const optional = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.fallback(v.optional(schema), undefined);
const thrownSchema = v.object({
  name: optional(nameSchema),
  Code: optional(nameSchema),
  code: optional(nameSchema),
  $fault: optional(v.picklist(["client", "server"])),
  $metadata: optional(v.object({ httpStatusCode: optional(v.number()), requestId: optional(nameSchema) })),
  $response: optional(
    v.object({ statusCode: optional(v.number()), headers: optional(v.record(v.string(), v.unknown())) }),
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
    return new S3Error(OVERSIZED, request, { s3Code: `over ${formatBytes(thrown.maxBytes)}` });
  }
  const parsed = v.safeParse(thrownSchema, thrown);
  if (!parsed.success) {
    return undefined;
  }
  const { name, Code, code, $metadata, $response, $fault } = parsed.output;
  const httpStatus = $response?.statusCode ?? $metadata?.httpStatusCode;
  if (httpStatus !== undefined) {
    const s3Code = $fault === undefined ? undefined : (Code ?? name);
    const retryAfter = v.safeParse(retryAfterSchema, $response?.headers?.["retry-after"]);
    return new S3Error(faultOf(s3Code, httpStatus), request, {
      httpStatus,
      s3Code,
      requestId: $metadata?.requestId,
      retryAfterMs: retryAfter.success ? retryAfter.output * 1000 : undefined,
    });
  }
  if (name === "CredentialsProviderError" || name === "ProviderError" || name === "TokenProviderError") {
    return new S3Error(NO_CREDENTIALS, request, { s3Code: name });
  }
  const ofCertificate = certificateHint(code, "AWS_ENDPOINT_URL_S3");
  if (ofCertificate !== undefined) {
    return new S3Error(untrustedTls(ofCertificate), request, { s3Code: code });
  }
  if (name === "TimeoutError" || name === "AbortError") {
    return new S3Error(TOO_SLOW, request);
  }
  const isConnectionFault = code !== undefined && !code.startsWith("ERR_INVALID");
  return isConnectionFault ? new S3Error(UNREACHABLE, request, { s3Code: code }) : undefined;
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
