import { expect, test } from "vitest";
import { repairLines } from "./repair-lines.ts";

const FAILURE = { code: "platform-forbidden", message: "the platform refused", hint: "Look at the key." };

test("what is archived again is named, and what is not with the reason", () => {
  expect(
    repairLines({
      enqueued: ["night-01", "night-02"],
      unrepaired: [{ exportTaskId: "night-03", reason: "unfinished" }],
    }),
  ).toEqual([
    "The next archive run archives again: night-01, night-02.",
    "night-03 may still be on the platform and is not archived again: the platform has not finished it.",
  ]);
});

test("a failure is said with what to do", () => {
  expect(repairLines({ enqueued: [], unrepaired: [], failure: FAILURE })).toEqual([
    { text: "Nothing is archived again: the platform refused", colour: "red" },
    "  Look at the key.",
  ]);
  expect(repairLines({ enqueued: [], unrepaired: [] })).toEqual([]);
});
