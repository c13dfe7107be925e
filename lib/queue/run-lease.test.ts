import { describe, expect, test } from "vitest";
import { RUN_LEASE_KEY } from "../domain/queue-layout.ts";
import type { ReceivedMessage } from "../ports/task-queue.ts";
import type { StoreCall } from "./testing/memory-store.ts";
import { NOW, type StoreRunner, StoreRunners, signal, VISIBILITY_MS } from "./testing/store-runners.ts";

const SECOND_MS = 1_000;

/** Two runners of a store without compare-and-swap, and this many messages. */
async function scene(messages = 2) {
  const runners = new StoreRunners(false);
  const first = runners.start();
  const second = runners.start();
  const ids = Array.from({ length: messages }, (_, index) => ({ exportTaskId: `task-${index}` }));
  await first.queue.send(ids, NOW);
  return { runners, clock: runners.clock, first, second };
}

async function mustReceive({ queue }: StoreRunner): Promise<ReceivedMessage> {
  const received = await queue.receive(NOW);
  if (received === undefined) {
    throw new Error("the queue showed no message");
  }
  return received;
}

/** Does something once, when this call is made. */
function once([method, key]: StoreCall, act: () => Promise<unknown>): (call: StoreCall) => Promise<void> {
  let isDone = false;
  return async ([name, subject]) => {
    if (!isDone && name === method && subject === key) {
      isDone = true;
      await act();
    }
  };
}

describe("one runner receives where the store has no compare-and-swap", () => {
  test("another one finds nothing, and is told once how long at most", async () => {
    const { first, second, clock } = await scene();
    await mustReceive(first);
    expect(await second.queue.receive(NOW)).toBeUndefined();
    expect(await second.queue.receive(NOW)).toBeUndefined();
    expect(second.told).toHaveLength(1);
    const untilMs = Date.parse(second.told[0]?.slice("leased until ".length) ?? "");
    expect(untilMs).toBeGreaterThan(clock.wallMs() + VISIBILITY_MS / 2);
    expect(untilMs).toBeLessThanOrEqual(clock.wallMs() + VISIBILITY_MS);
    // What it cannot have is not ready: it would ask again and again.
    expect(await second.queue.depth({ signal })).toMatchObject({
      ready: 0,
      inFlight: 2,
      nextDueAtMs: untilMs,
    });
  });

  test("the lease goes on to the next one once all messages are settled and none is left", async () => {
    const { first, second } = await scene(1);
    const received = await mustReceive(first);
    expect(await first.queue.receive(NOW)).toBeUndefined();
    await first.queue.send([{ exportTaskId: "more" }], NOW);
    expect(await second.queue.receive(NOW)).toBeUndefined();
    await first.queue.acknowledge(received, { signal });
    await first.queue.acknowledge(await mustReceive(first), { signal });
    expect(await first.queue.receive(NOW)).toBeUndefined();
    await first.queue.send([{ exportTaskId: "more" }], NOW);
    await mustReceive(second);
  });

  test("a run that closes its queue gives the lease up, whatever it holds", async () => {
    const { first, second } = await scene();
    await mustReceive(first);
    await first.queue.close();
    await mustReceive(second);
  });

  test("the lease of a runner that died runs out", async () => {
    const { first, second, clock } = await scene();
    await mustReceive(first);
    clock.advance(VISIBILITY_MS);
    expect(await mustReceive(second)).toMatchObject({ receiveCount: 2 });
  });

  test("it is kept by renewing messages, and its old holder does not take it back after it ran out", async () => {
    const { first, second, clock } = await scene();
    const received = await mustReceive(first);
    for (let third = 0; third < 9; third += 1) {
      clock.advance(VISIBILITY_MS / 3);
      await first.queue.renew(received, { signal });
      expect(await second.queue.receive(NOW)).toBeUndefined();
    }
    clock.advance(VISIBILITY_MS);
    await mustReceive(second);
    await expect(first.queue.renew(received, { signal })).rejects.toMatchObject({
      code: "queue-handle-expired",
    });
    expect(await first.queue.receive(NOW)).toBeUndefined();
  });

  test("what cannot be read, or claims years, counts as free", async () => {
    for (const text of [
      "no JSON",
      undefined,
      JSON.stringify({ schemaVersion: 1, holder: "0".repeat(32), until: "2036-01-01T00:00:00.000Z" }),
    ]) {
      const { first } = await scene();
      first.store.plant(RUN_LEASE_KEY, text);
      await mustReceive(first);
    }
  });
});

describe("two runners that find it free at once", () => {
  test("the slower one gives it up, and the faster one learns that its name was written over", async () => {
    const { first, second, clock } = await scene();
    // The second one takes the lease between the first one's look and its write.
    let received: ReceivedMessage | undefined;
    first.store.before = once(["putDocument", RUN_LEASE_KEY], async () => {
      received = await mustReceive(second);
    });
    expect(await first.queue.receive(NOW)).toBeUndefined();
    clock.advance(VISIBILITY_MS / 3);
    await expect(second.queue.renew(received as ReceivedMessage, { signal })).rejects.toMatchObject({
      code: "queue-handle-expired",
    });
    expect(await second.queue.receive(NOW)).toBeUndefined();
    clock.advance(VISIBILITY_MS);
    await mustReceive(second);
  });

  test("the one whose name stands has it", async () => {
    const { second, clock, runners } = await scene();
    // The first one writes between the second one's look and its write, and sleeps until the second one has the lease.
    const asleep = Promise.withResolvers<void>();
    const awake = Promise.withResolvers<void>();
    const first = runners.start({
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: async () => {
        asleep.resolve();
        await awake.promise;
      },
    });
    const received: Promise<ReceivedMessage | undefined>[] = [];
    second.store.before = once(["putDocument", RUN_LEASE_KEY], async () => {
      received.push(first.queue.receive(NOW));
      await asleep.promise;
    });
    await mustReceive(second);
    awake.resolve();
    expect(await Promise.all(received)).toEqual([undefined]);
  });
});

describe("a process that stood still", () => {
  test("between its look and its claim has received nothing", async () => {
    const { first, second, clock } = await scene(1);
    let received: ReceivedMessage | undefined;
    first.store.before = async ([method, key]) => {
      if (received === undefined && method === "putDocument" && key !== RUN_LEASE_KEY) {
        clock.advance(VISIBILITY_MS + SECOND_MS);
        received = await mustReceive(second);
      }
    };
    expect(await first.queue.receive(NOW)).toBeUndefined();
    expect(received).toMatchObject({ receiveCount: 1 });
  });

  test("while it renews the lease does not have it", async () => {
    const { first, second, clock } = await scene();
    const received = await mustReceive(first);
    clock.advance(VISIBILITY_MS / 3);
    first.store.before = once(["putDocument", RUN_LEASE_KEY], async () => {
      clock.advance(VISIBILITY_MS);
      await mustReceive(second);
    });
    await expect(first.queue.renew(received, { signal })).rejects.toMatchObject({
      code: "queue-handle-expired",
    });
    // Its late write fell upon the other's name: that gives it no right to receive.
    await first.queue.send([{ exportTaskId: "more" }], NOW);
    expect(await first.queue.receive(NOW)).toBeUndefined();
  });
});
