import { describe, expect, test } from "vitest";
import { describeTaskQueue } from "../contract/task-queue.contract.ts";
import { ALWAYS } from "./example-archiver.ts";
import { type Runner, World, type WorldOptions } from "./world.ts";

describeTaskQueue("the simulated world's", async () => {
  const visibilityMs = 10_000;
  // Without latencies nothing waits for virtual time, so the suite can await the calls outside a run.
  const world = new World({ queue: { visibilityMs, callLatency: 0, longPollMs: 0, maxDelayMs: Infinity } });
  return {
    queue: world.startRunner("one").queue,
    other: world.startRunner("other").queue,
    visibilityMs,
    pass: (ms) => world.run(() => world.clock.sleep(ms)),
    close: async () => undefined,
  };
});

function start(options: WorldOptions = {}): { world: World; runner: Runner } {
  const world = new World(options);
  return { world, runner: world.startRunner("a") };
}

describe("what only the world's queue does", () => {
  test("a long poll waits for a message that is sent meanwhile", async () => {
    const { world, runner } = start({ queue: { longPollMs: 2_000, callLatency: 0 } });
    world.clock.schedule(1_200, () => world.queue.send("task-1"));
    const received = await world.run(() => runner.queue.receive(ALWAYS));
    expect(received?.body).toBe("task-1");
    expect(world.clock.monotonicMs()).toBe(1_500);
    expect(await world.run(() => runner.queue.receive(ALWAYS))).toBeUndefined();
    expect(world.clock.monotonicMs()).toBe(3_500);
  });

  test("a long poll is over the moment a delayed message is due, and when it is aborted", async () => {
    const { world, runner } = start({ queue: { longPollMs: 20_000, callLatency: 0 } });
    world.queue.send("task-1", 1_234);
    await world.run(() => runner.queue.receive(ALWAYS));
    expect(world.clock.monotonicMs()).toBe(1_234);
    const controller = new AbortController();
    const reason = new Error("shutting down");
    world.clock.schedule(100, () => controller.abort(reason));
    await expect(world.run(() => runner.queue.receive(controller))).rejects.toBe(reason);
  });

  test("duplicates: two runners hold one message, the first to acknowledge wins", async () => {
    const { world, runner } = start({ queue: { duplicateFraction: 1 } });
    const other = world.startRunner("b");
    world.queue.send("task-1");
    await world.run(async () => {
      const first = await runner.queue.receive(ALWAYS);
      const second = await other.queue.receive(ALWAYS);
      expect([first?.receiveCount, second?.receiveCount]).toEqual([1, 2]);
      if (first !== undefined && second !== undefined) {
        await runner.queue.acknowledge(first, ALWAYS);
        await expect(other.queue.acknowledge(second, ALWAYS)).rejects.toMatchObject({
          code: "queue-handle-expired",
        });
      }
    });
    expect(world.queue.messages).toEqual([]);
  });

  test("a receive window shuffles; long delays are cut as SQS cuts them", async () => {
    const { world, runner } = start({ seed: 3, queue: { receiveWindow: 5, callLatency: 0 } });
    const sent = ["t1", "t2", "t3", "t4", "t5"];
    for (const id of sent) {
      world.queue.send(id);
    }
    const received: (string | undefined)[] = [];
    await world.run(async () => {
      for (const _ of sent) {
        received.push((await runner.queue.receive(ALWAYS))?.body);
      }
      await runner.queue.sendBodies(["late"], { ...ALWAYS, delayMs: 3_600_000 });
    });
    expect(received.toSorted()).toEqual(sent);
    expect(received).not.toEqual(sent);
    expect(world.queue.messages.find(({ body }) => body === "late")?.visibleAtMs).toBe(900_000);
  });
});
