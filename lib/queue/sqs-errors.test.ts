import { inspect } from "node:util";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { stopTimers } from "../../sandbox/testing/stopped-timers.ts";
import { withoutRegion } from "../network/testing/no-region.ts";
import type { Clock } from "../ports/clock.ts";
import { sqsError } from "./sqs-errors.ts";
import { SqsQueue, type SqsQueueOptions } from "./sqs-queue.ts";
import {
  AMPLE_TIMEOUTS,
  answerOf,
  md5,
  refusalOf,
  type SqsAnswer,
  startSqsServer,
} from "./testing/sqs-server.ts";

const { signal } = new AbortController();
const SECRET = "FwoGZXIvYXdzEJr-the-session-token";
const clock: Clock = { wallMs: () => 0, monotonicMs: () => 0, sleep: async () => undefined };
const received = {
  handle: "handle-1",
  receiveCount: 1,
  body: "task-1",
  parsed: { kind: "task", message: { exportTaskId: "task-1" } },
} as const;

async function queueAnswering(
  answer: SqsAnswer | ((requestNumber: number) => SqsAnswer),
  options: Partial<SqsQueueOptions> = {},
) {
  const server = await startSqsServer((_request, requestNumber) =>
    typeof answer === "function" ? answer(requestNumber) : answer,
  );
  const queue = new SqsQueue(
    {
      queueUrl: new URL("/1/tasks", server.url),
      deadLetterQueueUrl: new URL("/1/letters", server.url),
      visibilityMs: 30_000,
      longPollMs: 0,
      region: "eu-west-1",
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "the-secret-key", sessionToken: SECRET },
      timeouts: AMPLE_TIMEOUTS,
      ...options,
    },
    { clock },
  );
  return { queue, requests: server.requests, connections: server.connections };
}

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (thrown) {
    return thrown;
  }
  throw new Error("the call did not fail");
}

describe("a refusal", () => {
  const MISCONFIGURED = { code: "queue-misconfigured", scope: "system", retry: "never" };
  const FORBIDDEN = { code: "queue-forbidden", scope: "system", retry: "never" };
  test.each([
    [400, "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", MISCONFIGURED],
    [400, "com.amazonaws.sqs#QueueDoesNotExist", undefined, MISCONFIGURED],
    [
      400,
      "com.amazonaws.sqs#UnsupportedOperation",
      "AWS.SimpleQueueService.UnsupportedOperation",
      MISCONFIGURED,
    ],
    [400, "com.amazonaws.sqs#KmsDisabled", "KMS.DisabledException", MISCONFIGURED],
    [400, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue", MISCONFIGURED],
    [404, "NotFound", undefined, MISCONFIGURED],
    [403, "com.amazon.coral.service#AccessDeniedException", "AccessDenied", FORBIDDEN],
    [400, "com.amazon.coral.service#AccessDeniedException", "AccessDeniedException", FORBIDDEN],
    [403, "InvalidClientTokenId", "InvalidClientTokenId", FORBIDDEN],
    [403, "com.amazon.coral.service#UnrecognizedClientException", undefined, FORBIDDEN],
    [400, "com.amazon.coral.service#ExpiredTokenException", undefined, FORBIDDEN],
    [400, "com.amazonaws.sqs#KmsAccessDenied", "KMS.AccessDeniedException", FORBIDDEN],
    [403, "SomethingNew", undefined, FORBIDDEN],
  ])("%i %s (%s) is told by its name", async (status, type, queryName, expected) => {
    const { queue, requests } = await queueAnswering(
      refusalOf(status, type, `x-amz-security-token:${SECRET}`, queryName),
    );
    const error = await errorOf(queue.receive({ signal }));
    expect(error).toMatchObject({ ...expected, hint: expect.stringContaining("ARCHIVER_QUEUE") });
    expect(requests).toHaveLength(1);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(SECRET);
    expect((error as Error).cause).toBeUndefined();
  });

  test.each([
    "SignatureDoesNotMatch",
    "com.amazon.coral.service#InvalidSignatureException",
    "RequestTimeTooSkewed",
  ])("%s is signed again once, whatever the call, and then blamed", async (type) => {
    const { queue, requests } = await queueAnswering(refusalOf(403, type));
    expect(await errorOf(queue.sendBodies(["x"], { signal, delayMs: 0 }))).toMatchObject({
      ...FORBIDDEN,
      hint: expect.stringContaining("clock"),
    });
    expect(requests).toHaveLength(2);
  });

  test.each(["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "InvalidSignatureException"])(
    "a single %s is not seen",
    async (type) => {
      const { queue, requests } = await queueAnswering((requestNumber) =>
        requestNumber === 1 ? refusalOf(403, type) : answerOf({}),
      );
      expect(await queue.receive({ signal })).toBeUndefined();
      expect(requests).toHaveLength(2);
    },
  );

  test("names the request and the variable of the queue it is about", async () => {
    const { queue } = await queueAnswering(refusalOf(403, "AccessDenied"));
    const error = await errorOf(queue.listDeadLetters({ signal, limit: 5 }));
    expect(error).toMatchObject({
      message: expect.stringMatching(/ARCHIVER_DEAD_LETTER_QUEUE.*AccessDenied.*403.*request-1/),
      hint: expect.stringContaining("ARCHIVER_DEAD_LETTER_QUEUE"),
    });
  });

  test("quotes no name that is not a name", async () => {
    const { queue } = await queueAnswering(refusalOf(403, `Oops ${SECRET}!`));
    const error = await errorOf(queue.receive({ signal }));
    expect((error as Error).message).not.toContain(SECRET);
  });
});

describe("an expired handle", () => {
  test.each([
    ["com.amazonaws.sqs#ReceiptHandleIsInvalid", "AWS.SimpleQueueService.ReceiptHandleIsInvalid"],
    ["com.amazonaws.sqs#MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"],
    ["com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue"],
    ["com.amazonaws.sqs#InvalidIdFormat", "InvalidIdFormat"],
  ])("%s", async (type, queryName) => {
    const { queue } = await queueAnswering(refusalOf(400, type, "why", queryName));
    const expected = { code: "queue-handle-expired", scope: "task" };
    expect(await errorOf(queue.renew(received, { signal }))).toMatchObject(expected);
    expect(await errorOf(queue.acknowledge(received, { signal }))).toMatchObject(expected);
  });
});

describe("a message that SQS does not take", () => {
  test.each([
    ["com.amazonaws.sqs#InvalidMessageContents"],
    ["com.amazonaws.sqs#BatchRequestTooLong"],
    ["com.amazon.coral.service#InvalidParameterValueException"],
  ])("%s is this message's fault", async (type) => {
    const { queue } = await queueAnswering(refusalOf(400, type));
    expect(await errorOf(queue.sendBodies(["x"], { signal, delayMs: 0 }))).toMatchObject({
      code: "queue-misconfigured",
      scope: "task",
      retry: "never",
    });
  });
});

describe("an outage", () => {
  const UNAVAILABLE = { code: "queue-unavailable", scope: "system", retry: "later" };

  test.each([
    [400, "com.amazonaws.sqs#RequestThrottled"],
    [400, "ThrottlingException"],
    [503, "ServiceUnavailable"],
    [500, "SomethingNew"],
  ])("%i %s is tried three times", async (status, type) => {
    const { queue, requests } = await queueAnswering(refusalOf(status, type));
    expect(await errorOf(queue.receive({ signal }))).toMatchObject(UNAVAILABLE);
    expect(requests).toHaveLength(3);
  });

  test("is tried three times whatever the environment says", async () => {
    vi.stubEnv("AWS_MAX_ATTEMPTS", "1");
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { queue, requests } = await queueAnswering("cut");
    expect(await errorOf(queue.receive({ signal }))).toMatchObject(UNAVAILABLE);
    expect(requests).toHaveLength(3);
  });

  test("of a longer answer than SQS gives is not read to its end, and not asked for again", async () => {
    const body = JSON.stringify({ Messages: [{ Body: "x".repeat(17 * 1024 * 1024) }] });
    const { queue, requests } = await queueAnswering({ status: 200, body });
    const error = await errorOf(queue.receive({ signal }));
    expect(error).toMatchObject({ ...UNAVAILABLE, message: expect.stringContaining("longer than 16.0 MiB") });
    expect(requests).toHaveLength(1);
  });

  test("that passes is not seen", async () => {
    const { queue, requests } = await queueAnswering((requestNumber) =>
      requestNumber === 1 ? refusalOf(400, "RequestThrottled") : requestNumber === 2 ? "cut" : answerOf({}),
    );
    expect(await queue.receive({ signal })).toBeUndefined();
    expect(requests).toHaveLength(3);
  });

  test("in which every connection is cut keeps what the network said", async () => {
    const { queue, requests } = await queueAnswering("cut");
    const error = await errorOf(queue.acknowledge(received, { signal }));
    expect(error).toMatchObject({ ...UNAVAILABLE, cause: { code: "ECONNRESET" } });
    expect(requests).toHaveLength(3);
  });

  test("without an answer ends by its time limits", async () => {
    const timeouts = { ...AMPLE_TIMEOUTS, answerMs: 40 };
    const { queue, connections } = await queueAnswering("hang", { timeouts });
    expect(await errorOf(queue.receive({ signal }))).toMatchObject(UNAVAILABLE);
    await expect.poll(connections).toBe(3);
  });

  test("longer than a whole call may take ends by that limit", async () => {
    const timeouts = { ...AMPLE_TIMEOUTS, callMs: 60 };
    const { queue } = await queueAnswering("hang", { timeouts });
    expect(await errorOf(queue.receive({ signal }))).toMatchObject(UNAVAILABLE);
  });

  test.each([
    ["HTML", { status: 200, body: "<html>Welcome to this hotel</html>" }],
    [
      "a body with another digest",
      answerOf({ Messages: [{ MessageId: "m", ReceiptHandle: "h", Body: "a", MD5OfBody: md5("b") }] }),
    ],
    [
      "a message without handle",
      answerOf({ Messages: [{ MessageId: "m", Body: "a", MD5OfBody: md5("a") }] }),
    ],
  ])("of good sense: %s for an answer", async (_name, answer) => {
    const { queue } = await queueAnswering(answer);
    expect(await errorOf(queue.receive({ signal }))).toMatchObject(UNAVAILABLE);
  });

  test("counts that are none", async () => {
    const { queue } = await queueAnswering(answerOf({ Attributes: { ApproximateNumberOfMessages: "many" } }));
    expect(await errorOf(queue.depth({ signal }))).toMatchObject(UNAVAILABLE);
  });
});

describe("an abort", () => {
  test("ends a call at once while the SDK waits between two tries", async () => {
    const { queue, requests } = await queueAnswering({
      status: 503,
      body: "{}",
      headers: { "retry-after": "20", "x-amz-retry-after": "20000" },
    });
    const timers = stopTimers();
    const controller = new AbortController();
    const reason = new Error("the operator pressed Ctrl-C");
    const call = queue.receive({ signal: controller.signal });
    // The SDK adds five seconds at most to its own short delay.
    await timers.until(() => timers.lengthsMs.some((ms) => ms >= 5_000 && ms < 6_000));
    expect(requests).toHaveLength(1);
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });
});

describe("credentials that no source hands out", () => {
  const credentials = () => new Promise<never>(() => undefined);

  test("are not waited for after an abort", async () => {
    const { queue } = await queueAnswering(answerOf({}), { credentials });
    const controller = new AbortController();
    const reason = new Error("the operator pressed Ctrl-C");
    const call = queue.receive({ signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await expect(call).rejects.toBe(reason);
  });

  test("are not waited for when the abort comes before they are asked for", async () => {
    const { queue } = await queueAnswering(answerOf({}), { credentials });
    const controller = new AbortController();
    const reason = new Error("the operator pressed Ctrl-C");
    const call = queue.receive({ signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  test("are not waited for longer than a call may take", async () => {
    const timeouts = { ...AMPLE_TIMEOUTS, callMs: 30 };
    const { queue } = await queueAnswering(answerOf({}), { credentials, timeouts });
    expect(await errorOf(queue.receive({ signal }))).toMatchObject({ code: "queue-unavailable" });
  });
});

describe("what is missing", () => {
  test("credentials", async () => {
    const { queue, requests } = await queueAnswering(answerOf({}), {
      credentials: async () => {
        throw Object.assign(new Error(SECRET), { name: "CredentialsProviderError" });
      },
    });
    const error = await errorOf(queue.receive({ signal }));
    expect(error).toMatchObject({ code: "queue-forbidden", scope: "system" });
    expect((error as Error).message).not.toContain(SECRET);
    expect(requests).toHaveLength(0);
  });

  test("the region", async () => {
    withoutRegion();
    const { queue, requests } = await queueAnswering(answerOf({}), { region: undefined });
    expect(await errorOf(queue.receive({ signal }))).toMatchObject({
      code: "queue-misconfigured",
      hint: expect.stringContaining("AWS_REGION"),
    });
    expect(requests).toHaveLength(0);
  });
});

test("a certificate that does not hold is said to be the matter", () => {
  const cause = Object.assign(new Error("x"), { code: "SELF_SIGNED_CERT_IN_CHAIN" });
  const fault = { role: "task", operation: "send", name: "Error", httpStatus: undefined, cause } as const;
  expect(sqsError(fault).hint).toMatch(/certificate.*ARCHIVER_QUEUE.*export NODE_EXTRA_CA_CERTS/);
  expect(sqsError({ ...fault, cause: undefined }).hint).toContain("reaches the host");
});
