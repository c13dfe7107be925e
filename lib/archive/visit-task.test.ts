import { expect, test } from "vitest";
import { BareVisit } from "./testing/bare-visit.ts";
import { visitTask } from "./visit-task.ts";

test("a visit that never asks for a slot lets the task behind it have its turn, and leaves no timer", async () => {
  const bare = new BareVisit({
    lists: () => {
      throw new TypeError("x is not a function");
    },
  });
  expect(await visitTask(bare.visit)).toMatchObject({ kind: "system-failure" });
  expect(bare.turnsPassed).toBe(1);
  expect(bare.clock.countPending()).toBe(0);
});
