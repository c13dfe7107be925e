import { expect, test } from "vitest";
import { queueError } from "../../test/world/port-errors.ts";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import type { ReceivedMessage, TaskQueue } from "../ports/task-queue.ts";
import type { ArchiveEvent } from "./events.ts";
import { Lease } from "./leased-message.ts";

const VISIBILITY_MS = 120_000;
const body = "export-01";
const task: ReceivedMessage = {
  handle: "h",
  receiveCount: 1,
  body,
  parsed: { kind: "task", message: { exportTaskId: body } },
};
const unreadable: ReceivedMessage = { ...task, parsed: { kind: "unreadable", problem: "It is empty." } };

/** Holds a message for so long; each renewal meets the next of the errors, if there is one left. */
async function hold(received: ReceivedMessage, holdMs: number, errors: readonly Error[] = []) {
  const clock = new VirtualClock();
  const renewedAtMs: number[] = [];
  const events: ArchiveEvent[] = [];
  const renew = async (renewed: ReceivedMessage) => {
    expect(renewed).toBe(received);
    renewedAtMs.push(clock.monotonicMs());
    const error = errors[renewedAtMs.length - 1];
    if (error !== undefined) {
      throw error;
    }
  };
  await clock.run(async () => {
    // Of the queue, a lease knows how long a message is hidden and how to renew that.
    const queue: unknown = { visibilityMs: VISIBILITY_MS, renew };
    const lease = new Lease(
      { queue: queue as TaskQueue, clock, observe: (event) => events.push(event) },
      received,
    );
    await clock.sleep(holdMs);
    await lease.release();
  });
  return { renewedAtMs, events };
}

test("a message is renewed at each third of its timeout until it is released, and nothing is said", async () => {
  expect(await hold(task, 130_000)).toEqual({ renewedAtMs: [40_000, 80_000, 120_000], events: [] });
});

test("a renewal that fails is told and tried again", async () => {
  expect(await hold(task, 100_000, [queueError("queue-unavailable")])).toEqual({
    renewedAtMs: [40_000, 80_000],
    events: [{ kind: "warning", code: "renewal-failed", message: expect.any(String) }],
  });
});

test.each([
  ["a task", task, body],
  ["an unreadable body", unreadable, undefined],
])("a lease that is lost is told and left alone: %s", async (_name, received, exportTaskId) => {
  expect(await hold(received, 200_000, [queueError("queue-handle-expired")])).toEqual({
    renewedAtMs: [40_000],
    events: [{ kind: "lease-lost", exportTaskId }],
  });
});
