import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import * as v from "valibot";
import type { CallOptions } from "../ports/platform.ts";
import type { SqsCaller } from "./sqs-caller.ts";
import { malformedAnswerError } from "./sqs-errors.ts";
import { readReceived, type SqsReceived, SYSTEM_ATTRIBUTES } from "./sqs-messages.ts";

/** The most messages of one receive or of one batch. */
export const MAX_MESSAGES_OF_REQUEST = 10;

export interface ReceiveRequest extends CallOptions {
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
export interface SqsCounts {
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
