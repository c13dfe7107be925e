import { faultsByName } from "../domain/errors.ts";
import { certificateHint } from "../network/certificate-faults.ts";
import { QueueError } from "../ports/task-queue.ts";
import * as kinds from "./queue-errors.ts";

/** Which of the two queues a call is about: hints name the variable that holds its URL. */
export type SqsQueueRole = "task" | "dead-letter";

/** What a call does with the queue, as its error names it. */
export type SqsOperation = "receive" | "renew" | "send" | "delete" | "look";

/** What tells one failure from another. */
interface SqsFailure {
  readonly operation: SqsOperation;
  /** The SDK's error name or the `Code` of a failed batch entry. */
  readonly name: string;
  /** `undefined` when there was no answer. */
  readonly httpStatus: number | undefined;
}

/** What is known of a failed call. Nothing of the answer's text is kept: it may quote the signed request. */
interface FailedCall extends SqsFailure {
  readonly role: SqsQueueRole;
  readonly requestId?: string | undefined;
  /** Only what the network said; an answer of SQS is not a cause. */
  readonly cause?: unknown;
}

/** The name of the variable that holds a queue's URL. */
function variableOf(role: SqsQueueRole): string {
  return role === "task" ? "ARCHIVER_QUEUE" : "ARCHIVER_DEAD_LETTER_QUEUE";
}

/** The error of a failed call. */
export function sqsError(call: FailedCall): QueueError {
  const { role, operation, name, httpStatus, requestId, cause } = call;
  const fault = faultOf(call);
  const place = variableOf(role);
  const facts = [
    quotable(name),
    httpStatus === undefined ? undefined : `status ${httpStatus}`,
    requestId === undefined ? undefined : `request ${quotable(requestId)}`,
  ].filter((fact) => fact !== undefined);
  const problem = `${operation} (${place}): ${fault.problem}`;
  const hint = certificateHint(codeOf(cause), place) ?? fault.hint;
  return new QueueError({ ...fault, problem, hint }, facts.join(", "), { place, cause });
}

/** The handle does not give the right to settle its message any more, by this machine's clock. */
export function handleExpiredError(operation: "renew" | "delete"): QueueError {
  return sqsError({ role: "task", operation, name: "MessageNotInflight", httpStatus: undefined });
}

/** An answer that is none of SQS. `problem` quotes nothing of it. */
export function malformedAnswerError(
  role: SqsQueueRole,
  operation: SqsOperation,
  problem: string,
): QueueError {
  const place = variableOf(role);
  const hint =
    "The answer does not match the SQS documentation. Look for a proxy that rewrites it, and check that {place} (or AWS_ENDPOINT_URL_SQS) names an SQS queue.";
  const fault = { ...kinds.UNAVAILABLE, problem: `${operation} (${place}): ${problem}`, hint };
  return new QueueError(fault, undefined, { place });
}

/** The signature needs a region and nothing names one. */
export function missingRegionError(role: SqsQueueRole): QueueError {
  return new QueueError({
    ...kinds.MISCONFIGURED,
    problem: `the region of ${variableOf(role)} is unknown`,
    hint: "Set AWS_REGION to the region of the queue.",
  });
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
}

/** Names and request ids are short words; anything else might quote something secret. */
function quotable(text: string): string {
  return /^[A-Za-z0-9._-]{1,80}$/.test(text) ? text : "unnamed";
}

type SqsFault = kinds.QueueFault;

const NO_SUCH_QUEUE: SqsFault = {
  ...kinds.MISCONFIGURED,
  problem: "the queue does not exist",
  hint: "Set {place} to the URL of an existing queue of this account and region.",
};
const FORBIDDEN: SqsFault = {
  ...kinds.FORBIDDEN,
  problem: "SQS refuses the credentials, or they are missing",
  hint: "Allow the AWS credentials in use to receive, send, delete, change visibility and get attributes on the queue of {place}. If they may, check whether they have expired, and check this machine's clock.",
};
const KEY_UNUSABLE: SqsFault = {
  ...kinds.MISCONFIGURED,
  problem: "SQS cannot use the queue's KMS key",
  hint: "Enable the KMS key of the queue of {place}, or choose another one for it.",
};
const UNAVAILABLE: SqsFault = {
  ...kinds.UNAVAILABLE,
  problem: "SQS could not process the request",
  hint: "The next run retries. If it persists, check the AWS Health Dashboard.",
};
const UNREACHABLE: SqsFault = {
  ...kinds.UNAVAILABLE,
  problem: "SQS sent no complete answer",
  hint: "Check that this machine reaches the host of {place} (or of AWS_ENDPOINT_URL_SQS): name, route, proxy, VPC endpoint.",
};
const MESSAGE_REFUSED: SqsFault = {
  ...kinds.MISCONFIGURED,
  scope: "task",
  problem: "the queue refuses this message",
  hint: "Raise MaximumMessageSize of the queue of {place} to 262144 bytes or more. If it is that high, the message has characters that SQS does not accept.",
};
const CALL_REFUSED: SqsFault = {
  ...kinds.MISCONFIGURED,
  problem: "SQS refused the call",
  hint: "Look whether {place} (or AWS_ENDPOINT_URL_SQS) names an SQS standard queue.",
};

/**
 * By error name, without the `AWS.SimpleQueueService.` before it and the `Exception` after it, which differ
 * between SQS's two protocols. Names: "Common Error Types" and "Errors" of each action in the SQS API reference.
 */
const FAULTS = faultsByName<SqsFault>([
  [NO_SUCH_QUEUE, "QueueDoesNotExist NonExistentQueue QueueDeletedRecently InvalidAddress"],
  [FORBIDDEN, "AccessDenied AuthFailure CredentialsProviderError ExpiredToken IncompleteSignature"],
  [FORBIDDEN, "InvalidAccessKeyId InvalidClientTokenId InvalidSecurity InvalidSignature KmsAccessDenied"],
  [FORBIDDEN, "MissingAuthenticationToken NotAuthorized OptInRequired RequestExpired RequestInTheFuture"],
  [FORBIDDEN, "RequestTimeTooSkewed SignatureDoesNotMatch TokenProviderError UnrecognizedClient"],
  [KEY_UNUSABLE, "KmsDisabled KmsInvalidKeyUsage KmsInvalidState KmsNotFound KmsOptInRequired"],
  [UNAVAILABLE, "InternalError InternalFailure KmsThrottled RequestLimitExceeded RequestThrottled"],
  [UNAVAILABLE, "ServiceUnavailable Throttled Throttling TooManyRequests"],
  // 120,000 messages of one queue in flight.
  [UNAVAILABLE, "OverLimit"],
  [kinds.HANDLE_EXPIRED, "InvalidIdFormat MessageNotInflight ReceiptHandleIsInvalid"],
  [MESSAGE_REFUSED, "BatchRequestTooLong InvalidMessageContents"],
]);

/**
 * SQS has one name for every wrong parameter. Which one it was follows from the call: the handle is the only
 * parameter of a renewal or deletion that can go stale (a handle "that has expired", a message "not available
 * for visibility timeout change", the 12 hours that a message may be held), the message is the only one of sending.
 */
const FAULT_OF_INVALID_PARAMETER: Readonly<Record<SqsOperation, SqsFault>> = {
  receive: CALL_REFUSED,
  renew: kinds.HANDLE_EXPIRED,
  delete: kinds.HANDLE_EXPIRED,
  send: MESSAGE_REFUSED,
  look: CALL_REFUSED,
};

/** What a failure means: by name first, by status second. */
export function faultOf({ name, operation, httpStatus }: SqsFailure): SqsFault {
  const bareName = name.replace(/^AWS\.SimpleQueueService\./, "").replace(/Exception$/, "");
  if (bareName === "InvalidParameterValue") {
    return FAULT_OF_INVALID_PARAMETER[operation];
  }
  const byName = FAULTS.get(bareName);
  if (byName !== undefined) {
    return byName;
  }
  if (httpStatus === undefined) {
    return UNREACHABLE;
  }
  if (httpStatus === 401 || httpStatus === 403) {
    return FORBIDDEN;
  }
  const isRefusal = httpStatus >= 300 && httpStatus < 500 && httpStatus !== 408 && httpStatus !== 429;
  return isRefusal ? CALL_REFUSED : UNAVAILABLE;
}
