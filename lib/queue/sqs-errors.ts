import { certificateHint } from "../network/certificate-faults.ts";
import { QueueError, type QueueErrorCode } from "../ports/task-queue.ts";

/** Which of the two queues a call is about: hints name the variable that holds its URL. */
export type SqsQueueRole = "task" | "dead-letter";

/** What is known of a failed call. Nothing of the answer's text is kept: it may quote the signed request. */
interface SqsFault extends SqsFailure {
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
export function sqsError(fault: SqsFault): QueueError {
  const row = rowOf(fault);
  const variable = variableOf(fault.role);
  const facts = [
    quotable(fault.name),
    fault.httpStatus === undefined ? undefined : `status ${fault.httpStatus}`,
    fault.requestId === undefined ? undefined : `request ${quotable(fault.requestId)}`,
  ].filter((fact) => fact !== undefined);
  return new QueueError(row.code, `${fault.operation} (${variable}): ${row.problem} (${facts.join(", ")})`, {
    scope: row.scope,
    retry: row.retry,
    hint: certificateHint(codeOf(fault.cause), variable) ?? row.hint(variable),
    cause: fault.cause,
  });
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
  const variable = variableOf(role);
  return new QueueError("queue-unavailable", `${operation} (${variable}): ${problem}`, {
    scope: "system",
    retry: "later",
    hint: `The answer is not what SQS documents: look for a proxy that rewrites it, and whether ${variable} (or AWS_ENDPOINT_URL_SQS) names an SQS queue.`,
  });
}

/** The signature needs a region and nothing names one. */
export function missingRegionError(role: SqsQueueRole): QueueError {
  return new QueueError("queue-misconfigured", `the region of ${variableOf(role)} is not known`, {
    scope: "system",
    retry: "never",
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

/** What a failure means, and what to do about it. */
interface SqsErrorRow {
  readonly code: QueueErrorCode;
  readonly scope: "task" | "system";
  readonly retry: "later" | "never";
  readonly problem: string;
  readonly hint: (variable: string) => string;
}

const NO_SUCH_QUEUE: SqsErrorRow = {
  code: "queue-misconfigured",
  scope: "system",
  retry: "never",
  problem: "there is no such queue",
  hint: (variable) => `Set ${variable} to the URL of an existing queue of this account and region.`,
};
const FORBIDDEN: SqsErrorRow = {
  code: "queue-forbidden",
  scope: "system",
  retry: "never",
  problem: "the credentials are missing, not accepted or not allowed to do this",
  hint: (variable) =>
    `Give the AWS credentials in use receive, send, delete, change-visibility and get-attributes on the queue of ${variable}; if they have it, look whether they expired and whether this machine's clock is right.`,
};
const KEY_UNUSABLE: SqsErrorRow = {
  code: "queue-misconfigured",
  scope: "system",
  retry: "never",
  problem: "the KMS key of the queue cannot be used",
  hint: (variable) => `Enable the KMS key of the queue of ${variable}, or choose another one for it.`,
};
const UNAVAILABLE: SqsErrorRow = {
  code: "queue-unavailable",
  scope: "system",
  retry: "later",
  problem: "SQS did not do it",
  hint: () =>
    "Nothing to do if it passes on its own; the next run tries again. Else look at the AWS health page.",
};
const UNREACHABLE: SqsErrorRow = {
  code: "queue-unavailable",
  scope: "system",
  retry: "later",
  problem: "there was no whole answer",
  hint: (variable) =>
    `Look whether this machine reaches the host of ${variable} (or of AWS_ENDPOINT_URL_SQS): name, route, proxy, VPC endpoint.`,
};
const MESSAGE_REFUSED: SqsErrorRow = {
  code: "queue-misconfigured",
  scope: "task",
  retry: "never",
  problem: "the queue refuses this message",
  hint: (variable) =>
    `Raise MaximumMessageSize of the queue of ${variable} to 262144 bytes or more; else the message holds characters that SQS does not take.`,
};
const CALL_REFUSED: SqsErrorRow = {
  code: "queue-misconfigured",
  scope: "system",
  retry: "never",
  problem: "the call was refused",
  hint: (variable) => `Look whether ${variable} (or AWS_ENDPOINT_URL_SQS) names an SQS standard queue.`,
};
const HANDLE_EXPIRED: SqsErrorRow = {
  code: "queue-handle-expired",
  scope: "task",
  retry: "never",
  problem: "the visibility timeout of a received message ran out",
  hint: () =>
    "Another run may work on this message now; nothing is lost. Raise ARCHIVER_VISIBILITY_MS if it happens often.",
};

/**
 * By error name, without the `AWS.SimpleQueueService.` before it and the `Exception` after it, which differ
 * between SQS's two protocols. Names: "Common Error Types" and "Errors" of each action in the SQS API reference.
 */
const ROWS: ReadonlyMap<string, SqsErrorRow> = new Map([
  ...rowsOf(NO_SUCH_QUEUE, [
    "QueueDoesNotExist",
    "NonExistentQueue",
    "QueueDeletedRecently",
    "InvalidAddress",
  ]),
  ...rowsOf(FORBIDDEN, [
    "AccessDenied",
    "AuthFailure",
    "CredentialsProviderError",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignature",
    "KmsAccessDenied",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenProviderError",
    "UnrecognizedClient",
  ]),
  ...rowsOf(KEY_UNUSABLE, [
    "KmsDisabled",
    "KmsInvalidKeyUsage",
    "KmsInvalidState",
    "KmsNotFound",
    "KmsOptInRequired",
  ]),
  ...rowsOf(UNAVAILABLE, [
    "InternalError",
    "InternalFailure",
    "KmsThrottled",
    // 120,000 messages of one queue in flight.
    "OverLimit",
    "RequestLimitExceeded",
    "RequestThrottled",
    "ServiceUnavailable",
    "Throttled",
    "Throttling",
    "TooManyRequests",
  ]),
  ...rowsOf(HANDLE_EXPIRED, ["InvalidIdFormat", "MessageNotInflight", "ReceiptHandleIsInvalid"]),
  ...rowsOf(MESSAGE_REFUSED, ["BatchRequestTooLong", "InvalidMessageContents"]),
]);

/**
 * SQS has one name for every wrong parameter. Which one it was follows from the call: the handle is the only
 * parameter of a renewal or deletion that can go stale (a handle "that has expired", a message "not available
 * for visibility timeout change", the 12 hours that a message may be held), the message is the only one of sending.
 */
const ROWS_OF_INVALID_PARAMETER: Readonly<Record<SqsOperation, SqsErrorRow>> = {
  receive: CALL_REFUSED,
  renew: HANDLE_EXPIRED,
  delete: HANDLE_EXPIRED,
  send: MESSAGE_REFUSED,
  look: CALL_REFUSED,
};

function rowsOf(row: SqsErrorRow, names: readonly string[]): (readonly [string, SqsErrorRow])[] {
  return names.map((name) => [name, row]);
}

/** The row of a failure: by name first, by status second. */
export function rowOf({ name, operation, httpStatus }: SqsFailure): SqsErrorRow {
  const bareName = name.replace(/^AWS\.SimpleQueueService\./, "").replace(/Exception$/, "");
  if (bareName === "InvalidParameterValue") {
    return ROWS_OF_INVALID_PARAMETER[operation];
  }
  const row = ROWS.get(bareName);
  if (row !== undefined) {
    return row;
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
