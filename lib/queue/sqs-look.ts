import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import * as v from "valibot";
import type { QueueLook } from "../doctor/ports.ts";
import { allEnded } from "../domain/promises.ts";
import type { CallOptions } from "../ports/platform.ts";
import { type SqsAccess, SqsCaller } from "./sqs-caller.ts";
import { malformedAnswerError } from "./sqs-errors.ts";
import { readCounts } from "./sqs-requests.ts";

const keptSchema = v.object({
  MessageRetentionPeriod: v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number)),
});

/**
 * Looks at the two queues of SQS: receives nothing. SQS tells neither the age of a message nor who may write.
 *
 * @throws QueueError, or the signal's reason.
 */
export async function lookAtSqsQueues(
  queues: { readonly queueUrl: URL; readonly deadLetterQueueUrl: URL } & SqsAccess,
  { signal }: CallOptions,
): Promise<QueueLook> {
  const tasks = new SqsCaller("task", queues.queueUrl, queues);
  const letters = new SqsCaller("dead-letter", queues.deadLetterQueueUrl, queues);
  try {
    const [inTasks, inLetters, keptSeconds] = await allEnded([
      readCounts(tasks, { signal }),
      readCounts(letters, { signal }),
      readKeptSeconds(letters, signal),
    ]);
    return {
      isMade: true,
      isWritable: true,
      messages: inTasks.ready + inTasks.delayed + inTasks.inFlight,
      deadLetters: inLetters.ready + inLetters.delayed + inLetters.inFlight,
      lettersKeptMs: keptSeconds * 1_000,
    };
  } finally {
    tasks.close();
    letters.close();
  }
}

async function readKeptSeconds(caller: SqsCaller, signal: AbortSignal): Promise<number> {
  const command = new GetQueueAttributesCommand({
    QueueUrl: caller.queueUrl,
    AttributeNames: ["MessageRetentionPeriod"],
  });
  const answer = await caller.call("look", (client, request) => client.send(command, request), { signal });
  const result = v.safeParse(keptSchema, answer.Attributes);
  if (!result.success) {
    throw malformedAnswerError(caller.role, "look", "no time for which messages are kept");
  }
  return result.output.MessageRetentionPeriod;
}
