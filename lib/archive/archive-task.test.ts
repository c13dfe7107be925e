import { expect, test } from "vitest";
import { archiveTask } from "./archive-task.ts";
import { BareAttempt } from "./testing/bare-attempt.ts";

test("an attempt that never asks for a slot lets the task behind it have its turn, and leaves no timer", async () => {
  const bare = new BareAttempt({
    lists: () => {
      throw new TypeError("x is not a function");
    },
  });
  expect(await archiveTask(bare.attempt)).toMatchObject({ kind: "system-failure", facts: {} });
  expect(bare.ticketsReleased).toBe(1);
  expect(bare.clock.countPending()).toBe(0);
});
