import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
} from "@aws-sdk/client-sqs";
import * as v from "valibot";
import type { Clock } from "../ports/clock.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { QueueError, SendOptions } from "../ports/task-queue.ts";
import { MAX_BODY_BYTES } from "./message-codec.ts";
import type { SqsCaller } from "./sqs-caller.ts";
import { malformedAnswerError, sqsError } from "./sqs-errors.ts";
import {
  readReceived,
  type SqsOutgoing,
  type SqsReceived,
  SYSTEM_ATTRIBUTES,
  sizeBytesOf,
} from "./sqs-messages.ts";

/** The most messages of one receive or of one batch. */
export const MAX_MESSAGES_OF_REQUEST = 10;

interface ReceiveRequest extends CallOptions {
  readonly maxMessages: number;
  readonly visibilitySeconds: number;
  readonly waitSeconds: number;
}

/** One receive. An answer that SQS would not give is an error; its messages come back after their timeout. */
export async function receiveMessages(
  caller: SqsCaller,
  { maxMessages, visibilitySeconds, waitSeconds, signal }: ReceiveRequest,
): Promise<readonly SqsReceived[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: caller.queueUrl,
    MaxNumberOfMessages: maxMessages,
    VisibilityTimeout: visibilitySeconds,
    WaitTimeSeconds: waitSeconds,
    MessageSystemAttributeNames: [...SYSTEM_ATTRIBUTES],
    MessageAttributeNames: ["All"],
  });
  const answer = await caller.call("receive", (client, options) => client.send(command, options), {
    signal,
    waitMs: waitSeconds * 1000,
  });
  const received = readReceived(answer.Messages);
  if (received === undefined) {
    throw malformedAnswerError(caller.role, "receive", "a message without body, id or handle");
  }
  return received;
}

/** Starts the visibility timeout of one message again. */
export async function changeVisibility(
  caller: SqsCaller,
  handle: string,
  visibilitySeconds: number,
  options: CallOptions,
): Promise<void> {
  const command = new ChangeMessageVisibilityCommand({
    QueueUrl: caller.queueUrl,
    ReceiptHandle: handle,
    VisibilityTimeout: visibilitySeconds,
  });
  await caller.call("renew", (client, request) => client.send(command, request), options);
}

/** Makes messages visible again, at most {@link MAX_MESSAGES_OF_REQUEST}; those that it cannot come back by themselves. */
export async function showAgain(
  caller: SqsCaller,
  handles: readonly string[],
  options: CallOptions,
): Promise<void> {
  const command = new ChangeMessageVisibilityBatchCommand({
    QueueUrl: caller.queueUrl,
    Entries: handles.map((handle, index) => ({
      Id: String(index),
      ReceiptHandle: handle,
      VisibilityTimeout: 0,
    })),
  });
  await caller.call("renew", (client, request) => client.send(command, request), options);
}

export async function deleteMessage(caller: SqsCaller, handle: string, options: CallOptions): Promise<void> {
  const command = new DeleteMessageCommand({ QueueUrl: caller.queueUrl, ReceiptHandle: handle });
  await caller.call("delete", (client, request) => client.send(command, request), options);
}

const count = v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number));
const countsSchema = v.object({
  ApproximateNumberOfMessages: count,
  ApproximateNumberOfMessagesDelayed: count,
  ApproximateNumberOfMessagesNotVisible: count,
});

/** How many messages a queue holds; approximate. */
interface SqsCounts {
  readonly ready: number;
  readonly delayed: number;
  readonly inFlight: number;
}

export async function readCounts(caller: SqsCaller, options: CallOptions): Promise<SqsCounts> {
  const command = new GetQueueAttributesCommand({
    QueueUrl: caller.queueUrl,
    AttributeNames: [
      "ApproximateNumberOfMessages",
      "ApproximateNumberOfMessagesDelayed",
      "ApproximateNumberOfMessagesNotVisible",
    ],
  });
  const answer = await caller.call("look", (client, request) => client.send(command, request), options);
  const result = v.safeParse(countsSchema, answer.Attributes);
  if (!result.success) {
    throw malformedAnswerError(caller.role, "look", "no counts of messages");
  }
  return {
    ready: result.output.ApproximateNumberOfMessages,
    delayed: result.output.ApproximateNumberOfMessagesDelayed,
    inFlight: result.output.ApproximateNumberOfMessagesNotVisible,
  };
}

const MAX_BATCH_MESSAGES = 10;
/** Every queue takes this much; newer ones 1 MiB. */
const MAX_BATCH_BYTES = MAX_BODY_BYTES;
/** The longest delay of SQS; what has to wait longer says so in its `notBefore`. */
const MAX_DELAY_SECONDS = 900;
/** How often a batch is sent, the first time included, while some of its messages fail. */
const MAX_ROUNDS = 4;
const FIRST_PAUSE_MS = 200;

/**
 * Sends messages in their order, in batches. Messages of a batch that failed are sent again, then only these.
 * When it throws, a part may have been sent.
 *
 * @throws QueueError of the first message that stayed behind.
 */
export async function sendAll(
  caller: SqsCaller,
  clock: Clock,
  messages: readonly SqsOutgoing[],
  { signal, delayMs }: SendOptions,
): Promise<void> {
  const delaySeconds = Math.min(MAX_DELAY_SECONDS, Math.max(0, Math.ceil(delayMs / 1000)));
  for (const batch of batchesOf(messages)) {
    const entries = batch.map(({ body, attributes }, index) => ({
      Id: String(index),
      MessageBody: body,
      MessageAttributes: { ...attributes },
      // Said even when it is 0: the queue may have a delay of its own.
      DelaySeconds: delaySeconds,
    }));
    await sendBatch(caller, clock, entries, signal);
  }
}

/** Cuts a list into batches that one request may carry; a message too large for any goes alone. */
function batchesOf(messages: readonly SqsOutgoing[]): SqsOutgoing[][] {
  const batches: SqsOutgoing[][] = [];
  let roomBytes = 0;
  for (const message of messages) {
    const sizeBytes = sizeBytesOf(message);
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === MAX_BATCH_MESSAGES || sizeBytes > roomBytes) {
      batches.push([message]);
      roomBytes = MAX_BATCH_BYTES - sizeBytes;
    } else {
      batch.push(message);
      roomBytes -= sizeBytes;
    }
  }
  return batches;
}

async function sendBatch(
  caller: SqsCaller,
  clock: Clock,
  entries: readonly SendMessageBatchRequestEntry[],
  signal: AbortSignal,
): Promise<void> {
  let pending = entries;
  for (let round = 1; ; round += 1) {
    const failures = await sendOnce(caller, pending, signal);
    const refusal = [...failures.values()].find(({ retry }) => retry === "never");
    const [firstFailure] = failures.values();
    if (firstFailure === undefined) {
      return;
    }
    if (refusal !== undefined || round === MAX_ROUNDS) {
      throw refusal ?? firstFailure;
    }
    pending = pending.filter(({ Id = "" }) => failures.has(Id));
    await clock.sleep(FIRST_PAUSE_MS * 2 ** (round - 1), signal);
  }
}

/** The errors of the entries that were not sent, by their ids. What the answer does not mention was not. */
async function sendOnce(
  caller: SqsCaller,
  entries: readonly SendMessageBatchRequestEntry[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, QueueError>> {
  const command = new SendMessageBatchCommand({ QueueUrl: caller.queueUrl, Entries: [...entries] });
  const answer = await caller.call("send", (client, options) => client.send(command, options), { signal });
  const sent = new Set(answer.Successful?.map(({ Id }) => Id));
  const failed = new Map(answer.Failed?.map((entry) => [entry.Id, entry]));
  return new Map(
    entries
      .map(({ Id = "" }) => Id)
      .filter((id) => !sent.has(id))
      .map((id) => {
        const entry = failed.get(id);
        const error = sqsError({
          role: caller.role,
          operation: "send",
          name: entry?.Code ?? "NotMentioned",
          httpStatus: entry?.SenderFault === true ? 400 : 500,
          requestId: answer.$metadata.requestId,
        });
        return [id, error];
      }),
  );
}
