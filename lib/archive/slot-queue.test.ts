import { expect, test } from "vitest";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import { SlotQueue } from "./slot-queue.ts";

const PATIENCE_MS = 2_000;
const neverAborted = () => new AbortController().signal;

test("the first in the line does not wait, the second until the first has passed", async () => {
  const clock = new VirtualClock();
  const line = new SlotQueue();
  const first = line.join();
  const second = line.join();
  await clock.run(async () => {
    await first.wait(clock, neverAborted());
    expect(clock.monotonicMs()).toBe(0);
    clock.schedule(700, () => first.release());
    await second.wait(clock, neverAborted());
  });
  expect(clock.monotonicMs()).toBe(700);
  expect(clock.countPending()).toBe(0);
});

test("the third waits for both in front of it, whoever passes first", async () => {
  const clock = new VirtualClock();
  const line = new SlotQueue();
  const [first, second, third] = [line.join(), line.join(), line.join()];
  clock.schedule(300, () => second.release());
  clock.schedule(900, () => first.release());
  await clock.run(() => third.wait(clock, neverAborted()));
  expect(clock.monotonicMs()).toBe(900);
});

test("one in front that never passes is waited for 2 s", async () => {
  const clock = new VirtualClock();
  const line = new SlotQueue();
  line.join();
  const behind = line.join();
  await clock.run(() => behind.wait(clock, neverAborted()));
  expect(clock.monotonicMs()).toBe(PATIENCE_MS);
});

test("a task that is stopped while it waits takes no turn", async () => {
  const clock = new VirtualClock();
  const line = new SlotQueue();
  line.join();
  const behind = line.join();
  const stop = new AbortController();
  const reason = new Error("SIGINT");
  clock.schedule(500, () => stop.abort(reason));
  await expect(clock.run(() => behind.wait(clock, stop.signal))).rejects.toBe(reason);
  expect(clock.monotonicMs()).toBe(500);
});
