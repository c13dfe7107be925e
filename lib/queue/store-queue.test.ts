import { describe, expect, test } from "vitest";
import type { ReceivedMessage } from "../ports/task-queue.ts";
import type { StoreCall } from "./testing/memory-store.ts";
import { NOW, StoreRunners, signal, TestClock, VISIBILITY_MS } from "./testing/store-runners.ts";

const FOLDER = "queue/messages/";

function scene(canSwap = true) {
  const runners = new StoreRunners(canSwap);
  return { runners, clock: runners.clock, ...runners.start() };
}

async function bodiesOf(queue: { receive(options: typeof NOW): Promise<ReceivedMessage | undefined> }) {
  const bodies: string[] = [];
  for (let next = await queue.receive(NOW); next !== undefined; next = await queue.receive(NOW)) {
    bodies.push(next.body);
  }
  return bodies;
}

function failing(method: StoreCall[0], subject: RegExp, times = 1): (call: StoreCall) => void {
  let left = times;
  return ([name, key]) => {
    if (name === method && subject.test(key) && left > 0) {
      left -= 1;
      throw new Error("connection reset");
    }
  };
}

describe("what other programs put among the messages", () => {
  test.each([
    ["a bare id", "task-7", "task-7"],
    ["JSON", '{"exportTaskId":"task-7"}', '{"exportTaskId":"task-7"}'],
    ["a text that names no task", "hello", "hello"],
  ])("%s is a message, whatever its file is called", async (_name, text, body) => {
    const { queue, store, told } = scene();
    store.plant(`${FOLDER}anything.txt`, text);
    const received = await queue.receive(NOW);
    expect(received).toMatchObject({ body, receiveCount: 1 });
    await queue.acknowledge(received as ReceivedMessage, { signal });
    expect(await queue.depth({ signal })).toMatchObject({ ready: 0, inFlight: 0 });
    expect(told).toEqual([]);
  });

  test.each([
    ["bytes that make up no text", undefined, "is not a text"],
    ["a body too large", "x".repeat(256 * 1024 + 1), "has a body larger than 256 KiB"],
    [
      "a body too large in a document of ours",
      JSON.stringify({ schemaVersion: 1, body: "ä".repeat(128 * 1024 + 1) }),
      "has a body larger than 256 KiB",
    ],
    ["a newer version's", '{"schemaVersion":2,"body":"task-7"}', "was written by a newer version, or edited"],
    ["an edited one", '{"schemaVersion":1,"body":7}', "was written by a newer version, or edited"],
  ])("%s is left alone, told once, and the others are received", async (_name, text, problem) => {
    const { queue, store, told, runners } = scene();
    store.plant(`${FOLDER}0.json`, text);
    await queue.send([{ exportTaskId: "task-1" }], NOW);
    expect(await bodiesOf(queue)).toEqual(['{"exportTaskId":"task-1"}']);
    expect(told).toEqual([`${FOLDER}0.json ${problem}`]);
    expect(runners.documents.get(`${FOLDER}0.json`)?.text).toBe(text);
  });

  test("a folder marker of a console is left alone", async () => {
    const { queue, store, told } = scene();
    store.plant(FOLDER, "");
    expect(await queue.receive(NOW)).toBeUndefined();
    expect(await queue.depth({ signal })).toMatchObject({ ready: 0 });
    expect(told).toEqual([`${FOLDER} is a folder marker`]);
  });

  test("a claim that lasts for years hides nothing", async () => {
    const { queue, store } = scene();
    const claim = { handle: "0".repeat(32), visibleAt: "2036-01-01T00:00:00.000Z", receiveCount: 3 };
    store.plant(`${FOLDER}1.json`, JSON.stringify({ schemaVersion: 1, body: "task-1", claim }));
    expect(await queue.receive(NOW)).toMatchObject({ body: "task-1", receiveCount: 4 });
  });
});

describe("answers that are lost", () => {
  test("a claim that stands all the same is ours", async () => {
    const { queue, store } = scene();
    await queue.send([{ exportTaskId: "task-1" }], NOW);
    store.after = failing("putDocument", /messages/);
    const received = await queue.receive(NOW);
    expect(received).toMatchObject({ receiveCount: 1 });
    await queue.acknowledge(received as ReceivedMessage, { signal });
  });

  test("a claim that was never made is not", async () => {
    const { queue, store } = scene();
    await queue.send([{ exportTaskId: "task-1" }], NOW);
    store.before = failing("putDocument", /messages/);
    await expect(queue.receive(NOW)).rejects.toThrow("connection reset");
    expect(await queue.receive(NOW)).toMatchObject({ receiveCount: 1 });
  });

  test("a removal that had its effect leaves no message, and the handle is spent", async () => {
    const { queue, store } = scene();
    await queue.send([{ exportTaskId: "task-1" }], NOW);
    const received = (await queue.receive(NOW)) as ReceivedMessage;
    store.after = failing("removeObject", /messages/);
    await expect(queue.acknowledge(received, { signal })).rejects.toThrow("connection reset");
    await expect(queue.acknowledge(received, { signal })).rejects.toMatchObject({
      code: "queue-handle-expired",
    });
    expect(await queue.depth({ signal })).toMatchObject({ ready: 0, inFlight: 0 });
  });

  test("a message goes only once its successor is durable", async () => {
    const { queue, store, clock } = scene();
    await queue.send([{ exportTaskId: "task-1" }], NOW);
    const received = (await queue.receive(NOW)) as ReceivedMessage;
    store.before = failing("putDocument", /messages/);
    await expect(queue.requeue(received, { exportTaskId: "task-1", attempts: 1 }, NOW)).rejects.toThrow();
    clock.advance(VISIBILITY_MS);
    expect(await queue.receive(NOW)).toMatchObject({ receiveCount: 2, body: '{"exportTaskId":"task-1"}' });
  });
});

describe("time", () => {
  test.each([-3_600_000, 3_600_000])(
    "is the store's, where it differs by %i ms from ours",
    async (skewMs) => {
      const { queue, store, clock, runners } = scene();
      store.skewMs = skewMs;
      // The other one's clock is right: it has read the same store.
      const other = runners.start(new SkewedClock(clock, skewMs));
      await queue.send([{ exportTaskId: "task-1" }], { signal, delayMs: 10_000 });
      expect(await other.queue.receive(NOW)).toBeUndefined();
      expect(await other.queue.depth({ signal })).toMatchObject({ delayed: 1 });
      const { nextDueAtMs = 0 } = await queue.depth({ signal });
      // By our own clock: who waits for it does so by that.
      expect(nextDueAtMs - clock.wallMs()).toBeGreaterThan(7_000);
      expect(nextDueAtMs - clock.wallMs()).toBeLessThanOrEqual(10_000);
      clock.advance(10_000);
      expect(await other.queue.receive(NOW)).toMatchObject({ receiveCount: 1 });
      expect(await queue.receive(NOW)).toBeUndefined();
      clock.advance(VISIBILITY_MS);
      expect(await queue.receive(NOW)).toMatchObject({ receiveCount: 2 });
    },
  );

  test("is read again after a machine has slept", async () => {
    const { queue, clock } = scene();
    await queue.send([{ exportTaskId: "task-1" }], { signal, delayMs: 3_600_000 });
    expect(await queue.receive(NOW)).toBeUndefined();
    // The monotonic clock stood still meanwhile.
    clock.wall += 3_600_000;
    expect(await queue.receive(NOW)).toMatchObject({ receiveCount: 1 });
  });

  test("a delay may reach beyond all calendars", async () => {
    const { queue } = scene();
    await queue.send([{ exportTaskId: "task-1" }], { signal, delayMs: Number.MAX_SAFE_INTEGER });
    const { delayed, nextDueAtMs = 0 } = await queue.depth({ signal });
    expect(delayed).toBe(1);
    expect(new Date(nextDueAtMs).getUTCFullYear()).toBe(9999);
  });
});

class SkewedClock extends TestClock {
  readonly #true: TestClock;
  readonly #skewMs: number;

  constructor(trueClock: TestClock, skewMs: number) {
    super();
    this.#true = trueClock;
    this.#skewMs = skewMs;
  }

  override wallMs(): number {
    return this.#true.wallMs() + this.#skewMs;
  }

  override monotonicMs(): number {
    return this.#true.monotonicMs() + 77;
  }

  override async sleep(ms: number): Promise<void> {
    this.#true.advance(ms);
  }
}

describe("requests", () => {
  const countOf = (calls: readonly StoreCall[]) =>
    Object.fromEntries(
      [...Map.groupBy(calls, ([method]) => method)].map(([method, made]) => [method, made.length]),
    );

  test("a receive lists once, and reads neither what is delayed nor again what is in flight", async () => {
    const { queue, store } = scene();
    await queue.send(
      Array.from({ length: 30 }, (_, index) => ({ exportTaskId: `late-${index}` })),
      {
        signal,
        delayMs: 3_600_000,
      },
    );
    await queue.send([{ exportTaskId: "a" }, { exportTaskId: "b" }, { exportTaskId: "c" }], NOW);
    await queue.receive(NOW);
    await queue.receive(NOW);
    store.calls.length = 0;
    await queue.receive(NOW);
    // One of the two in flight is read once more to see that it is.
    expect(countOf(store.calls)).toEqual({ list: 1, getDocument: 2, putDocument: 1 });
    await queue.receive(NOW);
    store.calls.length = 0;
    expect(await queue.receive(NOW)).toBeUndefined();
    expect(countOf(store.calls)).toEqual({ list: 2 });
  });

  test("an empty queue costs two lists a poll", async () => {
    const { queue, store } = scene(false);
    await queue.receive(NOW);
    store.calls.length = 0;
    await queue.receive(NOW);
    expect(countOf(store.calls)).toEqual({ list: 2 });
  });

  test("the depth reads only what changed within a visibility timeout", async () => {
    const { queue, store, clock } = scene();
    await queue.send(
      Array.from({ length: 40 }, (_, index) => ({ exportTaskId: `t-${index}` })),
      NOW,
    );
    clock.advance(VISIBILITY_MS + 5_000);
    await queue.receive(NOW);
    store.calls.length = 0;
    expect(await queue.depth({ signal })).toMatchObject({ ready: 39, inFlight: 1, delayed: 0 });
    expect(countOf(store.calls)).toEqual({ list: 1, getDocument: 1 });
  });
});

describe("dead letters that this program did not write", () => {
  test("are shown, can be moved back where their body fits a message, and dismissed", async () => {
    const { queue, store } = scene();
    store.plant("queue/dead-letters/a.json", "task-9");
    store.plant("queue/dead-letters/b.json", undefined);
    store.plant("queue/dead-letters/", "");
    const letters = await queue.listDeadLetters({ signal, limit: 10 });
    expect(letters).toMatchObject([
      { id: "a", body: "task-9", reason: "unknown", attempts: 0 },
      { id: "b", body: "", reason: "unknown" },
    ]);
    expect(await queue.redrive("all", { signal })).toMatchObject([{ id: "a" }]);
    expect(await queue.receive(NOW)).toMatchObject({ body: "task-9" });
    expect(await queue.dismiss(["b"], async () => undefined, { signal })).toMatchObject([{ id: "b" }]);
    expect(await queue.listDeadLetters({ signal, limit: 10 })).toEqual([]);
  });
});
