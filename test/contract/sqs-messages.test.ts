import { type FauxqsServer, type MessageAttributeValue, startFauxqs } from "fauxqs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { formatBytes } from "../../lib/domain/format-bytes.ts";
import type { ReceivedMessage } from "../../lib/ports/task-queue.ts";
import { MAX_BODY_BYTES } from "../../lib/queue/message-codec.ts";
import { SqsQueue } from "../../lib/queue/sqs-queue.ts";
import { AMPLE_TIMEOUTS } from "../../lib/queue/testing/sqs-server.ts";
import { stopTimers } from "../../sandbox/testing/stopped-timers.ts";
import { ManualClock } from "./clocks.ts";

const { signal } = new AbortController();
/** Longer than any test takes: for fauxqs real time passes. */
const VISIBILITY_MS = 3_600_000;
const NOW = { signal, delayMs: 0 };
const TRACE = { trace: { DataType: "String", StringValue: "1-5759e988" } };
const FOREIGN: Record<string, MessageAttributeValue> = {
  ...TRACE,
  priority: { DataType: "Number.int", StringValue: "7" },
  // fauxqs keeps binary values as the base64 text of the wire.
  blob: { DataType: "Binary", BinaryValue: Buffer.from([0, 1, 255]).toString("base64") },
};
const letter = {
  body: "task-1",
  reason: "export-failed",
  detail: "The platform says that the export failed.",
  attempts: 3,
  runId: "20261122T010000000Z-0a1b2c3d",
} as const;

let server: FauxqsServer;
let queue: SqsQueue;
let clock: ManualClock;

beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false });
});
afterAll(async () => {
  await server.stop();
});
beforeEach(() => {
  server.purgeAll();
  server.createQueue("tasks", { attributes: { MaximumMessageSize: String(MAX_BODY_BYTES) } });
  server.createQueue("letters", { attributes: { MaximumMessageSize: String(MAX_BODY_BYTES) } });
  queue = open(0);
});

function open(longPollMs: number) {
  clock = new ManualClock();
  return new SqsQueue(
    {
      queueUrl: new URL("/000000000000/tasks", server.address),
      deadLetterQueueUrl: new URL("/000000000000/letters", server.address),
      visibilityMs: VISIBILITY_MS,
      longPollMs,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      timeouts: AMPLE_TIMEOUTS,
    },
    { clock },
  );
}

async function mustReceive(): Promise<ReceivedMessage> {
  const received = await queue.receive({ signal });
  if (received === undefined) {
    throw new Error("the queue showed no message");
  }
  return received;
}

/** The messages that are ready in a queue, as fauxqs holds them. */
function readyIn(name: string) {
  return (server.inspectQueue(name)?.messages.ready ?? []).map(({ body, messageAttributes }) => ({
    body,
    attributes: messageAttributes,
  }));
}

describe("attributes of other programs", () => {
  test("go with the message that takes the place of theirs", async () => {
    server.sendMessage("tasks", '{"exportTaskId":"task-1"}', { messageAttributes: FOREIGN });
    const received = await mustReceive();
    await queue.requeue(received, { exportTaskId: "task-1", attempts: 1 }, NOW);
    expect(readyIn("tasks")).toEqual([
      { body: '{"exportTaskId":"task-1","attempts":1}', attributes: FOREIGN },
    ]);
  });

  test.each(["task-1", "no task at all!"])("stay with %j when it is released", async (body) => {
    server.sendMessage("tasks", body, { messageAttributes: FOREIGN });
    await queue.release(await mustReceive(), NOW);
    expect(readyIn("tasks")).toEqual([{ body, attributes: FOREIGN }]);
  });

  test("go to no other message, not even to one for the same task", async () => {
    server.sendMessage("tasks", "task-1", { messageAttributes: TRACE });
    await mustReceive();
    await queue.send([{ exportTaskId: "task-1" }], NOW);
    await queue.deadLetter(letter, { signal });
    expect(readyIn("tasks").map(({ attributes }) => attributes)).toEqual([{}]);
    expect(readyIn("letters")[0]?.attributes).not.toHaveProperty("trace");
  });

  test("go when there is no room for them, the message does not", async () => {
    server.sendMessage("tasks", "task-1", {
      messageAttributes: { large: { DataType: "String", StringValue: "x".repeat(MAX_BODY_BYTES - 100) } },
    });
    const filler = "x".repeat(100);
    await queue.requeue(await mustReceive(), { exportTaskId: "task-1", extra: { filler } }, NOW);
    expect(readyIn("tasks")).toMatchObject([{ attributes: {} }]);
  });

  test("stay with a dead letter, and with the message that it becomes", async () => {
    server.sendMessage("tasks", '{"exportTaskId":"task-1","attempts":4}', { messageAttributes: TRACE });
    await queue.acknowledge(await deadLettered(), { signal });
    expect(readyIn("letters")[0]?.attributes).toMatchObject(TRACE);
    await queue.redrive("all", { signal });
    expect(readyIn("tasks")).toEqual([{ body: '{"exportTaskId":"task-1"}', attributes: TRACE }]);
  });

  test("give way to ours, of ten that SQS takes", async () => {
    const ten = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`a${index}`, { DataType: "String", StringValue: "v" }]),
    );
    server.sendMessage("tasks", "task-1", {
      messageAttributes: { ...ten, reason: { DataType: "String", StringValue: "old" } },
    });
    await deadLettered();
    const { attributes = {} } = readyIn("letters")[0] ?? {};
    expect(Object.keys(attributes)).toHaveLength(10);
    expect(attributes.reason).toEqual({ DataType: "String", StringValue: "export-failed" });
  });

  async function deadLettered(): Promise<ReceivedMessage> {
    const received = await mustReceive();
    await queue.deadLetter({ ...letter, body: received.body }, { signal, about: received });
    return received;
  }
});

describe("what SQS does not take", () => {
  test("in a field of another program is escaped, and arrives as it was", async () => {
    const extra = { odd: "\uFFFF\uFFFE \u0000 \uD800 \u00E9" };
    await queue.send([{ exportTaskId: "task-1", extra }], NOW);
    expect((await mustReceive()).parsed).toEqual({
      kind: "task",
      message: { exportTaskId: "task-1", extra },
    });
  });

  test("in the detail of a letter is replaced, and an empty one is not empty", async () => {
    await queue.deadLetter({ ...letter, detail: "bell\u0007 \uFFFF\uD800 end" }, { signal });
    await queue.deadLetter({ ...letter, detail: "", runId: "" }, { signal });
    const [first, second] = await queue.listDeadLetters({ signal, limit: 10 });
    expect(first?.detail).toBe("bell\uFFFD \uFFFD\uFFFD end");
    expect(second).toMatchObject({ detail: "-", runId: "-" });
  });

  test("a detail of any length is cut between two characters", async () => {
    await queue.deadLetter({ ...letter, detail: `x${"€".repeat(10_000)}` }, { signal });
    const [held] = await queue.listDeadLetters({ signal, limit: 1 });
    expect(held?.detail).toBe(`x${"€".repeat(233)}`);
  });

  test("the largest readable body fits into a letter with all that is said about it", async () => {
    const body = JSON.stringify({ exportTaskId: "task-1", filler: "x".repeat(MAX_BODY_BYTES - 1024 - 37) });
    expect(Buffer.byteLength(body)).toBe(MAX_BODY_BYTES - 1024);
    await queue.deadLetter(
      { ...letter, body, detail: "€".repeat(1000), reason: "too-large-for-run" },
      { signal },
    );
    expect(readyIn("letters")[0]?.body).toBe(body);
  });

  test("an unreadable body too large for a letter is cut, and the letter says so", async () => {
    const body = "€".repeat(Math.floor(MAX_BODY_BYTES / 3));
    await queue.sendBodies([body], NOW);
    await queue.deadLetter({ ...letter, body, reason: "unreadable" }, { signal });
    const [held] = await queue.listDeadLetters({ signal, limit: 1 });
    expect(held?.detail).toBe(`(Body cut from ${formatBytes(Buffer.byteLength(body))}.) ${letter.detail}`);
    expect(body.startsWith(held?.body ?? "?")).toBe(true);
    expect(Buffer.byteLength(held?.body ?? "")).toBeGreaterThan(MAX_BODY_BYTES - 1024);
  });
});

describe("dead letters", () => {
  test("more than one request can carry are all listed, and all moved", async () => {
    const ids = Array.from({ length: 23 }, (_, index) => `task-${index}`);
    for (const id of ids) {
      await queue.deadLetter({ ...letter, body: id }, { signal });
    }
    const held = await queue.listDeadLetters({ signal, limit: 100 });
    expect(held.map(({ body }) => body).toSorted()).toEqual(ids.toSorted());
    expect(readyIn("letters")).toHaveLength(23);
    expect(await queue.redrive("all", { signal })).toHaveLength(23);
    expect(
      readyIn("tasks")
        .map(({ body }) => body)
        .toSorted(),
    ).toEqual(ids.toSorted());
    expect(await queue.depth({ signal })).toMatchObject({ ready: 23, deadLetters: 0 });
  });

  test("put there by somebody else are shown as unknown, and moved without their progress", async () => {
    server.sendMessage("letters", '{"exportTaskId":"task-1","attempts":9}', { messageAttributes: TRACE });
    const [held] = await queue.listDeadLetters({ signal, limit: 1 });
    expect(held).toMatchObject({ reason: "unknown", attempts: 0, runId: "unknown" });
    await queue.redrive([held?.id ?? ""], { signal });
    expect(readyIn("tasks")).toEqual([{ body: '{"exportTaskId":"task-1"}', attributes: TRACE }]);
  });

  test("say when they were put there", async () => {
    const beforeMs = Date.now();
    await queue.deadLetter(letter, { signal });
    const [held] = await queue.listDeadLetters({ signal, limit: 1 });
    expect(held?.deadLetteredAtMs).toBeGreaterThanOrEqual(beforeMs);
    expect(held?.deadLetteredAtMs).toBeLessThanOrEqual(Date.now());
  });
});

test("a long poll ends with the message that arrives during it", async () => {
  const longPollMs = 20_000;
  const timers = stopTimers();
  queue = open(longPollMs);
  const waiting = queue.receive({ signal });
  await timers.areSet(longPollMs);
  await queue.sendBodies(["task-1"], NOW);
  expect((await waiting)?.body).toBe("task-1");
});

test("a queue that does not exist is named by its variable", async () => {
  server.deleteQueue("tasks");
  await expect(queue.receive({ signal })).rejects.toMatchObject({
    code: "queue-misconfigured",
    hint: expect.stringContaining("ARCHIVER_QUEUE"),
  });
  server.deleteQueue("letters");
  await expect(queue.deadLetter(letter, { signal })).rejects.toMatchObject({
    code: "queue-misconfigured",
    hint: expect.stringContaining("ARCHIVER_DEAD_LETTER_QUEUE"),
  });
});

test("a late acknowledgement deletes where it can, and is called expired", async () => {
  await queue.sendBodies(["task-1"], NOW);
  const received = await mustReceive();
  clock.advance(VISIBILITY_MS);
  await expect(queue.acknowledge(received, { signal })).rejects.toMatchObject({
    code: "queue-handle-expired",
  });
  expect(await queue.depth({ signal })).toMatchObject({ ready: 0, inFlight: 0 });
});

test("a message that was renewed is acknowledged in time", async () => {
  await queue.sendBodies(["task-1"], NOW);
  const received = await mustReceive();
  for (let renewals = 0; renewals < 3; renewals += 1) {
    clock.advance(0.6 * VISIBILITY_MS);
    await queue.renew(received, { signal });
  }
  await queue.acknowledge(received, { signal });
});
