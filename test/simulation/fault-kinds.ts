import { rowOf as platformRowOf } from "../../lib/iotda/error-table.ts";
import { StoreError } from "../../lib/ports/object-store.ts";
import { PlatformError } from "../../lib/ports/platform.ts";
import { QueueError } from "../../lib/ports/task-queue.ts";
import { faultOf as queueFaultOf, type SqsOperation } from "../../lib/queue/sqs-errors.ts";
import {
  FAULT_BY_CODE,
  faultOfStatus,
  NOT_S3,
  type S3Fault,
  UNREACHABLE,
} from "../../lib/store/s3/fault-table.ts";
import { platformError, queueError, storeError } from "../world/port-errors.ts";

/** Stands for a secret in the text of an error: nothing that is kept or printed may hold it (promise I9). */
export const CANARY = "SECRET-CANARY-7f3a";

/** What goes wrong at a call: an error of its port, or no answer, or a late one. */
export type KindOutcome = Error | { readonly stalls: true } | { readonly lateByMs: number };

/** One kind of fault at one port. */
export interface FaultKind {
  readonly kind: string;
  readonly outcome: () => KindOutcome;
  /** Whether the effect may have been had all the same, and only the answer lost. */
  readonly mayBeDone: boolean;
}

const NO_ANSWER = ["reset", "refused", "time-out"] as const;
/** A call that was never accepted had no effect. */
const mayBeDone = (kind: string) => kind !== "refused" && kind !== "slow drip" && kind !== "stall";

function kinds(outcomes: Readonly<Record<string, () => KindOutcome>>): readonly FaultKind[] {
  return Object.entries(outcomes).map(([kind, outcome]) => ({ kind, outcome, mayBeDone: mayBeDone(kind) }));
}

/** The ways to go wrong that no port tells from another: silence, slowness, and an unforeseen error. */
const AT_ANY_PORT: Readonly<Record<string, () => KindOutcome>> = {
  stall: () => ({ stalls: true }),
  "slow drip": () => ({ lateByMs: 45_000 }),
  untyped: () => new TypeError(`Authorization: ${CANARY}`),
};

/** As the platform's client would classify this answer (`lib/iotda/error-table.ts`). */
function refusal(httpStatus: number, platformCode?: string): () => PlatformError {
  const row = platformRowOf(httpStatus, platformCode);
  if (row === undefined) {
    throw new RangeError(`the platform's error table has no row for ${httpStatus} ${platformCode}`);
  }
  const { code, hint, retry, scope, throttleIntervals } = row;
  const throttle =
    throttleIntervals === undefined ? undefined : { intervals: throttleIntervals, retryAfterMs: undefined };
  const facts = { scope, retry, hint, httpStatus, platformCode, throttle };
  return () => new PlatformError(code, `simulated ${httpStatus} ${platformCode ?? ""}`, facts);
}

/** Of every call of the platform. */
export const PLATFORM_KINDS: readonly FaultKind[] = kinds({
  ...Object.fromEntries(NO_ANSWER.map((kind) => [kind, () => platformError("platform-unreachable")])),
  "400 rejected": refusal(400, "IOTDA.000006"),
  "401 unauthenticated": refusal(401, "IOTDA.000002"),
  "403 throttle": refusal(403, "IOTDA.021101"),
  "403 throttle, account": refusal(403, "IOTDA.021102"),
  "403 permission": refusal(403, "IOTDA.000021"),
  "404 gateway": refusal(404, "APIGW.0101"),
  "429": refusal(429, "APIGW.0308"),
  "500": refusal(500, "IOTDA.000007"),
  "503": refusal(503),
  "malformed answer": () => platformError("platform-malformed-answer"),
  ...AT_ANY_PORT,
});

/** Of calls that name one task. */
export const PLATFORM_TASK_KINDS: readonly FaultKind[] = [
  ...PLATFORM_KINDS,
  ...kinds({
    "404 gone": refusal(404, "IOTDA.014003"),
    "disguised error": () => platformError("platform-disguised-error"),
  }),
];

/** As the S3 adapter reports this fault; the file adapter uses the same codes. */
function storeFault(fault: S3Fault): () => StoreError {
  return () => new StoreError(fault);
}

function storeCode(s3Code: string): () => StoreError {
  const fault = FAULT_BY_CODE.get(s3Code);
  if (fault === undefined) {
    throw new RangeError(`the S3 fault table has no code ${s3Code}`);
  }
  return storeFault(fault);
}

function storeStatus(status: number): () => StoreError {
  const fault = faultOfStatus(status);
  if (fault === undefined) {
    throw new RangeError(`the S3 fault table has no status ${status}`);
  }
  return storeFault(fault);
}

/** Of every call of the store. */
export const STORE_KINDS: readonly FaultKind[] = kinds({
  ...Object.fromEntries(NO_ANSWER.map((kind) => [kind, storeFault(UNREACHABLE)])),
  "400 expired token": storeCode("ExpiredToken"),
  "401 unauthenticated": storeStatus(401),
  "403 permission": storeStatus(403),
  "404 gateway": storeCode("NoSuchBucket"),
  "429": storeStatus(429),
  "500": storeStatus(500),
  "503": storeStatus(503),
  "501 not implemented": storeStatus(501),
  "507 full": storeStatus(507),
  "malformed answer": storeFault(NOT_S3),
  ...AT_ANY_PORT,
});

export const STORE_UPLOAD_KINDS: readonly FaultKind[] = [
  ...STORE_KINDS,
  ...kinds({
    "404 gone": storeCode("NoSuchUpload"),
    "too large": () => storeError("store-too-large"),
  }).map((kind) => ({ ...kind, mayBeDone: false })),
];

export const STORE_COMPLETE_KINDS: readonly FaultKind[] = [
  ...STORE_UPLOAD_KINDS,
  ...kinds({
    "412 key taken": storeStatus(412),
    "proof mismatch": () => storeError("store-proof-mismatch"),
  }).map((kind) => ({ ...kind, mayBeDone: false })),
];

/** Of calls that want an object to be there. */
export const STORE_OBJECT_KINDS: readonly FaultKind[] = [
  ...STORE_KINDS,
  ...kinds({ "404 gone": storeCode("NoSuchKey") }),
];

/** Of reading its bytes. */
export const STORE_READ_KINDS: readonly FaultKind[] = [
  ...STORE_OBJECT_KINDS,
  ...kinds({ "403 archive class": storeCode("InvalidObjectState") }),
];

/** As the SQS adapter classifies this failure; the SQLite adapter uses the same codes. */
function queueFailure(operation: SqsOperation, name: string, httpStatus?: number): () => QueueError {
  const fault = queueFaultOf({ operation, name, httpStatus });
  return () => new QueueError(fault, undefined, { place: "ARCHIVER_QUEUE" });
}

/** Of every call of the queue. */
export function queueKinds(operation: SqsOperation): readonly FaultKind[] {
  const isByHandle = operation === "renew" || operation === "delete";
  return kinds({
    ...Object.fromEntries(NO_ANSWER.map((kind) => [kind, queueFailure(operation, "TimeoutError")])),
    "400 expired token": queueFailure(operation, "ExpiredTokenException", 400),
    "403 permission": queueFailure(operation, "AccessDenied", 403),
    "404 gateway": queueFailure(operation, "QueueDoesNotExist", 400),
    "429": queueFailure(operation, "RequestThrottled", 429),
    "500": queueFailure(operation, "InternalError", 500),
    "503": queueFailure(operation, "ServiceUnavailable", 503),
    "507 full": () => queueError("queue-full"),
    "malformed answer": queueFailure(operation, "SyntaxError"),
    ...AT_ANY_PORT,
    ...(isByHandle ? { "404 gone": queueFailure(operation, "ReceiptHandleIsInvalid", 404) } : {}),
  });
}
