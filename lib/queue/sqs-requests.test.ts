import { describe, expect, test } from "vitest";
import { stopTimers } from "../../sandbox/testing/stopped-timers.ts";
import type { Clock } from "../ports/clock.ts";
import { SqsQueue, type SqsQueueOptions } from "./sqs-queue.ts";
import {
  AMPLE_TIMEOUTS,
  answerOf,
  batchAnswer,
  entriesOf,
  md5,
  type SqsAnswer,
  type SqsRequest,
  startSqsServer,
} from "./testing/sqs-server.ts";

const { signal } = new AbortController();
const NOW = { signal, delayMs: 0 };

async function queueOn(
  answer: (request: SqsRequest, requestNumber: number) => SqsAnswer,
  options: Partial<SqsQueueOptions> = {},
) {
  const sleepsMs: number[] = [];
  const clock: Clock = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    sleep: async (ms) => {
      sleepsMs.push(ms);
    },
  };
  const server = await startSqsServer(answer);
  const queue = new SqsQueue(
    {
      queueUrl: new URL("/1/tasks", server.url),
      deadLetterQueueUrl: new URL("/1/letters", server.url),
      visibilityMs: 30_001,
      region: "eu-west-1",
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
      timeouts: AMPLE_TIMEOUTS,
      ...options,
    },
    { clock },
  );
  return { queue, requests: server.requests, sleepsMs };
}

/** A message as SQS shows it. */
function messageOf(body: string) {
  return { MessageId: `m-${body}`, ReceiptHandle: `h-${body}`, Body: body, MD5OfBody: md5(body) };
}

function actionsOf(requests: readonly SqsRequest[]): readonly string[] {
  return requests.map(({ action }) => action);
}

function taskMessages(count: number, extraBytes = 0) {
  return Array.from({ length: count }, (_, index) => ({
    exportTaskId: `task-${index}`,
    ...(extraBytes === 0 ? {} : { extra: { filler: "x".repeat(extraBytes) } }),
  }));
}

describe("a receive", () => {
  test("is a long poll of 20 s for one message with all its attributes, hidden for the visibility rounded up", async () => {
    const { queue, requests } = await queueOn(() => answerOf({}));
    await queue.receive({ signal });
    expect(requests[0]?.action).toBe("ReceiveMessage");
    expect(requests[0]?.input).toEqual({
      QueueUrl: expect.stringMatching(/\/1\/tasks$/),
      MaxNumberOfMessages: 1,
      VisibilityTimeout: 31,
      WaitTimeSeconds: 20,
      MessageSystemAttributeNames: ["ApproximateReceiveCount", "SentTimestamp", "DeadLetterQueueSourceArn"],
      MessageAttributeNames: ["All"],
    });
  });

  test.each([
    [5_900, 5],
    [60_000, 20],
    [0, 0],
  ])("polls for as long as it is told: %i ms", async (longPollMs, seconds) => {
    const { queue, requests } = await queueOn(() => answerOf({}), { longPollMs });
    await queue.receive({ signal });
    expect(requests[0]?.input.WaitTimeSeconds).toBe(seconds);
  });

  test("may be answered as late as its long poll lasts", async () => {
    const timers = stopTimers();
    const server = await startSqsServer(() => {
      timers.pass(1_099);
      return answerOf({});
    });
    const timeouts = { ...AMPLE_TIMEOUTS, answerMs: 100, callMs: 100 };
    const { queue } = await queueOn(() => answerOf({}), {
      endpoint: server.url,
      longPollMs: 1_000,
      timeouts,
    });
    expect(await queue.receive({ signal })).toBeUndefined();
    expect(timers.lengthsMs.filter((ms) => ms === 1_100)).toHaveLength(2);
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ["3", 3],
    ["many", 1],
    [undefined, 1],
  ])("reads the receive count %j as %i", async (written, receiveCount) => {
    const { queue } = await queueOn(() =>
      answerOf({
        Messages: [
          {
            ...messageOf("task-1"),
            Attributes: written === undefined ? undefined : { ApproximateReceiveCount: written },
          },
        ],
      }),
    );
    expect(await queue.receive({ signal })).toMatchObject({
      handle: "h-task-1",
      body: "task-1",
      receiveCount,
    });
  });
});

describe("sending", () => {
  test("takes ten messages to a request, in order", async () => {
    const { queue, requests } = await queueOn((request) => batchAnswer(request));
    await queue.send(taskMessages(23), NOW);
    expect(requests.map((request) => entriesOf(request).length)).toEqual([10, 10, 3]);
    const ids = requests.flatMap((request) => entriesOf(request).map(({ MessageBody }) => MessageBody));
    expect(ids).toEqual(taskMessages(23).map((message) => JSON.stringify(message)));
  });

  test("takes at most 256 KiB to a request", async () => {
    const { queue, requests } = await queueOn((request) => batchAnswer(request));
    await queue.send(taskMessages(5, 100_000), NOW);
    expect(requests.map((request) => entriesOf(request).length)).toEqual([2, 2, 1]);
  });

  test.each([
    [0, 0],
    [-5, 0],
    [1, 1],
    [61_001, 62],
    [24 * 3_600_000, 900],
  ])("a delay of %i ms is one of %i s", async (delayMs, seconds) => {
    const { queue, requests } = await queueOn((request) => batchAnswer(request));
    await queue.sendBodies(["task-1"], { signal, delayMs });
    expect(entriesOf(requests[0])[0]?.DelaySeconds).toBe(seconds);
  });

  test("again what failed for no fault of its own, and only that", async () => {
    const { queue, requests, sleepsMs } = await queueOn((request, requestNumber) =>
      batchAnswer(request, (body) =>
        requestNumber < 3 && /task-[37]"/.test(body)
          ? { Code: "InternalError", SenderFault: false }
          : undefined,
      ),
    );
    await queue.send(taskMessages(10), NOW);
    expect(requests.map((request) => entriesOf(request).length)).toEqual([10, 2, 2]);
    expect(sleepsMs).toEqual([200, 400]);
  });

  test("ends after four rounds", async () => {
    const { queue, requests } = await queueOn((request) =>
      batchAnswer(request, () => ({ Code: "InternalError", SenderFault: false })),
    );
    await expect(queue.sendBodies(["task-1"], NOW)).rejects.toMatchObject({ code: "queue-unavailable" });
    expect(requests).toHaveLength(4);
  });

  test("takes an entry that the answer does not mention for one that was not sent", async () => {
    const { queue, requests } = await queueOn((request, requestNumber) =>
      requestNumber === 1 ? answerOf({}) : batchAnswer(request),
    );
    await queue.sendBodies(["task-1"], NOW);
    expect(requests).toHaveLength(2);
  });

  test("ends at once with a message that the queue refuses, whatever befell the others", async () => {
    const { queue, requests } = await queueOn((request) =>
      batchAnswer(request, (body) =>
        body.includes("task-1")
          ? { Code: "InvalidMessageContents", SenderFault: true }
          : { Code: "InternalError", SenderFault: false },
      ),
    );
    const refused = { code: "queue-misconfigured", scope: "task" };
    await expect(queue.send(taskMessages(3), NOW)).rejects.toMatchObject(refused);
    expect(requests).toHaveLength(1);
  });

  test("stops between two rounds when it is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    const { queue, requests } = await queueOn((request) => {
      setImmediate(() => controller.abort(reason));
      return batchAnswer(request, () => ({ Code: "InternalError", SenderFault: false }));
    });
    await expect(queue.sendBodies(["x"], { signal: controller.signal, delayMs: 0 })).rejects.toBe(reason);
    expect(requests).toHaveLength(1);
  });
});

describe("a message that another one replaces", () => {
  const message = messageOf("task-1");

  test("goes after the other one is there", async () => {
    const { queue, requests } = await queueOn((request) =>
      request.action === "ReceiveMessage" ? answerOf({ Messages: [message] }) : batchAnswer(request),
    );
    const received = await queue.receive({ signal });
    await queue.requeue(received ?? expect.fail(), { exportTaskId: "task-1", attempts: 1 }, NOW);
    expect(actionsOf(requests)).toEqual(["ReceiveMessage", "SendMessageBatch", "DeleteMessage"]);
  });

  test("stays while the other one cannot be sent", async () => {
    const { queue, requests } = await queueOn((request) =>
      request.action === "ReceiveMessage"
        ? answerOf({ Messages: [message] })
        : batchAnswer(request, () => ({ Code: "InvalidMessageContents", SenderFault: true })),
    );
    const received = (await queue.receive({ signal })) ?? expect.fail();
    await expect(queue.requeue(received, { exportTaskId: "task-1" }, NOW)).rejects.toThrow();
    await expect(queue.release(received, NOW)).rejects.toThrow();
    expect(actionsOf(requests)).not.toContain("DeleteMessage");
  });
});

describe("the region of the signature", () => {
  test.each([
    ["https://sqs.ap-southeast-3.amazonaws.com/1/tasks", "ap-southeast-3"],
    ["https://sqs.cn-north-1.amazonaws.com.cn/1/tasks", "cn-north-1"],
    ["https://sqs-fips.us-gov-west-1.amazonaws.com/1/tasks", "us-gov-west-1"],
    ["https://vpce-1a2b-3c4d.sqs.eu-central-1.vpce.amazonaws.com/1/tasks", "eu-central-1"],
    ["https://sa-east-1.queue.amazonaws.com/1/tasks", "sa-east-1"],
    ["https://queue.example.com/1/tasks", "eu-west-1"],
    ["https://sqs.example.com/1/tasks", "eu-west-1"],
  ])("of %s is %s", async (queueUrl, region) => {
    const server = await startSqsServer(() => answerOf({}));
    const { queue } = await queueOn(() => answerOf({}), {
      queueUrl: new URL(queueUrl),
      endpoint: server.url,
    });
    await queue.receive({ signal });
    expect(server.requests[0]?.headers.authorization).toContain(`/${region}/sqs/aws4_request`);
    expect(server.requests[0]?.input.QueueUrl).toBe(queueUrl);
  });
});

test("the depth counts letters that somebody looks at just now", async () => {
  const { queue } = await queueOn((request) =>
    answerOf({
      Attributes: {
        ApproximateNumberOfMessages: "1",
        ApproximateNumberOfMessagesDelayed: "20",
        ApproximateNumberOfMessagesNotVisible: String(request.input.QueueUrl).endsWith("/letters")
          ? "300"
          : "7",
      },
    }),
  );
  expect(await queue.depth({ signal })).toEqual({
    ready: 1,
    delayed: 20,
    inFlight: 7,
    deadLetters: 321,
    nextDueAtMs: undefined,
  });
});

describe("a letter that SQS itself moved", () => {
  test("is a crash loop, of which SQS does not tell since when", async () => {
    const letter = {
      ...messageOf("task-1"),
      Attributes: {
        SentTimestamp: "1795312923004",
        DeadLetterQueueSourceArn: "arn:aws:sqs:eu-west-1:1:tasks",
      },
    };
    const { queue } = await queueOn((request, requestNumber) =>
      answerOf(request.action === "ReceiveMessage" && requestNumber === 1 ? { Messages: [letter] } : {}),
    );
    expect(await queue.listDeadLetters({ signal, limit: 5 })).toEqual([
      {
        id: "m-task-1",
        body: "task-1",
        reason: "crash-loop",
        detail: expect.stringContaining("redrive policy"),
        attempts: 0,
        runId: "unknown",
        deadLetteredAtMs: undefined,
      },
    ]);
  });
});

describe("a walk through the dead letters", () => {
  test("ends when the queue shows the same letters again and again, each counted once", async () => {
    const { queue, requests } = await queueOn((request) =>
      answerOf(request.action === "ReceiveMessage" ? { Messages: [messageOf("a")] } : {}),
    );
    expect(await queue.listDeadLetters({ signal, limit: 100 })).toHaveLength(1);
    expect(requests.filter(({ action }) => action === "ReceiveMessage")).toHaveLength(4);
  });

  test("shows the letters again although it failed, and fails with what failed", async () => {
    const letters = ["a", "b"].map(messageOf);
    const { queue, requests } = await queueOn((request) =>
      request.action === "ReceiveMessage"
        ? answerOf({ Messages: letters })
        : batchAnswer(request, () => ({ Code: "AccessDenied", SenderFault: true })),
    );
    await expect(queue.redrive("all", { signal })).rejects.toMatchObject({ code: "queue-forbidden" });
    expect(actionsOf(requests)).toEqual([
      "ReceiveMessage",
      "SendMessageBatch",
      "ChangeMessageVisibilityBatch",
    ]);
    expect(requests[2]?.input.Entries).toEqual([
      { Id: "0", ReceiptHandle: "h-a", VisibilityTimeout: 0 },
      { Id: "1", ReceiptHandle: "h-b", VisibilityTimeout: 0 },
    ]);
  });

  test("removes a letter once its message was sent, and shows it no more", async () => {
    const { queue, requests } = await queueOn((request, requestNumber) => {
      if (request.action === "SendMessageBatch") {
        return batchAnswer(request);
      }
      return answerOf(requestNumber === 1 ? { Messages: [messageOf("a")] } : {});
    });
    await queue.redrive(["m-a"], { signal });
    expect(actionsOf(requests)).toEqual(["ReceiveMessage", "SendMessageBatch", "DeleteMessage"]);
  });

  test("is good without the right to show letters again", async () => {
    const { queue } = await queueOn((request) =>
      request.action === "ReceiveMessage"
        ? answerOf({ Messages: [messageOf("a")] })
        : { status: 403, body: JSON.stringify({ __type: "AccessDenied" }) },
    );
    expect(await queue.listDeadLetters({ signal, limit: 1 })).toHaveLength(1);
  });
});
