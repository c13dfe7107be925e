import { expect, test } from "vitest";
import { ManualClock } from "../../test/contract/clocks.ts";
import { SqsQueue } from "./sqs-queue.ts";
import { AMPLE_TIMEOUTS, answerOf, batchAnswer, startSqsServer } from "./testing/sqs-server.ts";

const { signal } = new AbortController();

/** A queue on a server that says that 2 messages are delayed, as SQS says it: not until when. */
async function queueAt(clock: ManualClock) {
  const server = await startSqsServer((request) =>
    request.action === "SendMessageBatch"
      ? batchAnswer(request)
      : answerOf({
          Attributes: {
            ApproximateNumberOfMessages: "0",
            ApproximateNumberOfMessagesDelayed: "2",
            ApproximateNumberOfMessagesNotVisible: "0",
          },
        }),
  );
  return new SqsQueue(
    {
      queueUrl: new URL("/1/tasks", server.url),
      deadLetterQueueUrl: new URL("/1/letters", server.url),
      visibilityMs: 30_000,
      region: "eu-west-1",
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
      timeouts: AMPLE_TIMEOUTS,
    },
    { clock },
  );
}

test("when the next message is due is known of those that it delayed itself, in the whole seconds of SQS", async () => {
  const clock = new ManualClock();
  const queue = await queueAt(clock);
  const startedAtMs = clock.wallMs();
  const nextDueInMs = async () => {
    const { nextDueAtMs } = await queue.depth({ signal });
    return nextDueAtMs === undefined ? undefined : nextDueAtMs - startedAtMs;
  };
  await queue.send([{ exportTaskId: "task-1" }], { signal, delayMs: 0 });
  expect(await nextDueInMs()).toBeUndefined();
  // Longer than SQS can delay: it will show earlier, but that is not when it is due.
  await queue.sendBodies(["handed back"], { signal, delayMs: 3_600_000 });
  await queue.send([{ exportTaskId: "task-2" }], { signal, delayMs: 5_001 });
  expect(await nextDueInMs()).toBe(6_000);
  clock.advance(5_999);
  expect(await nextDueInMs()).toBe(6_000);
  clock.advance(1);
  expect(await nextDueInMs()).toBe(3_600_000);
  clock.advance(3_594_000);
  expect(await nextDueInMs()).toBeUndefined();
});

test("a message that could not be sent is not waited for", async () => {
  const queue = await queueAt(new ManualClock());
  const aborted = AbortSignal.abort("too late");
  await expect(queue.sendBodies(["body"], { signal: aborted, delayMs: 5_000 })).rejects.toThrow();
  expect((await queue.depth({ signal })).nextDueAtMs).toBeUndefined();
});
