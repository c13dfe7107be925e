import { expect, test } from "vitest";
import { parsePacingState } from "./shared-pace.ts";

const STATE = { nextAt: 1_000, nonce: "ab", runId: "run-1" };

test("a state is read, up to the latest moment that is believed", () => {
  const text = JSON.stringify({ ...STATE, later: "field" });
  expect(parsePacingState({ text }, 1_000)).toEqual(STATE);
  expect(parsePacingState({ text }, 999)).toBeUndefined();
});

test.each([
  "",
  "{",
  "null",
  "[]",
  "17",
  JSON.stringify({ ...STATE, nextAt: "1000" }),
  JSON.stringify({ ...STATE, nextAt: -1 }),
  JSON.stringify({ ...STATE, nextAt: null }),
  '{"nextAt":1e999,"nonce":"ab","runId":"run-1"}',
  JSON.stringify({ ...STATE, nonce: undefined }),
  JSON.stringify({ ...STATE, runId: 7 }),
])("%j is not a state", (text) => {
  expect(parsePacingState({ text }, Number.POSITIVE_INFINITY)).toBeUndefined();
});
