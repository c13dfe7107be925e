import { certificateHint } from "../network/certificate-faults.ts";
import { QueueError } from "../ports/task-queue.ts";
import { rowOf, type SqsFailure, type SqsOperation } from "./sqs-error-table.ts";

/** Which of the two queues a call is about: hints name the variable that holds its URL. */
export type SqsQueueRole = "task" | "dead-letter";

/** What is known of a failed call. Nothing of the answer's text is kept: it may quote the signed request. */
export interface SqsFault extends SqsFailure {
  readonly role: SqsQueueRole;
  readonly requestId?: string | undefined;
  /** Only what the network said; an answer of SQS is no cause. */
  readonly cause?: unknown;
}

/** The name of the variable that holds a queue's URL. */
export function variableOf(role: SqsQueueRole): string {
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

/** The handle is no right to settle its message any more, by this machine's clock. */
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
