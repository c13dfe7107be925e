import { type FauxqsServer, startFauxqs } from "fauxqs";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { SqsQueue } from "../../lib/queue/sqs-queue.ts";
import { AMPLE_TIMEOUTS } from "../../lib/queue/testing/sqs-server.ts";
import { ManualClock } from "./clocks.ts";
import { describeTaskQueue } from "./task-queue.contract.ts";

let server: FauxqsServer;
let queuesMade = 0;

beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false });
});
afterAll(async () => {
  await server.stop();
});
// fauxqs reads the time from Date: held still, and moved on by `pass` together with the adapter's clock.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describeTaskQueue(
  "sqs on fauxqs",
  async () => {
    queuesMade += 1;
    const visibilityMs = 10_000;
    const clock = new ManualClock();
    const make = () =>
      new SqsQueue(
        {
          queueUrl: newQueueUrl(`tasks-${queuesMade}`),
          deadLetterQueueUrl: newQueueUrl(`letters-${queuesMade}`),
          visibilityMs,
          longPollMs: 0,
          region: "us-east-1",
          credentials: { accessKeyId: "test", secretAccessKey: "test" },
          timeouts: AMPLE_TIMEOUTS,
        },
        { clock },
      );
    const queue = make();
    const other = make();
    return {
      queue,
      other,
      visibilityMs,
      pass: async (ms) => {
        clock.advance(ms);
        vi.setSystemTime(Date.now() + ms);
      },
      close: async () => {
        queue.close();
        other.close();
      },
    };
  },
  // The adapter's own clock refuses the late acknowledgement that SQS says yes to.
  { ordered: false, refusesLateAcknowledgement: true },
);

function newQueueUrl(name: string): URL {
  server.createQueue(name);
  return new URL(`/000000000000/${name}`, server.address);
}
