import { expect, test } from "vitest";
import { hasHalfTheRunAhead, taskLimitMs, timeUntilGraceMs, wasStartedTooLate } from "./deadlines.ts";

type Run = Parameters<typeof taskLimitMs>[0];

/** What of a run its time depends on. */
function runEndingIn(leftMs: number): Run {
  const nowMs = 1_000_000;
  return {
    limitAtMs: nowMs + leftMs,
    ports: { clock: { monotonicMs: () => nowMs } },
    settings: { taskTimeoutMs: 600_000, minTaskMs: 60_000, downloadIntervalMs: 31_000 },
  } as Run;
}

test.each([
  [30_000, 20_000],
  [60_000, 40_000],
  [300_000, 280_000],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
])("of %d ms a third, and at most 20 s, is left for settling: %d ms remain", (leftMs, untilGraceMs) => {
  expect(timeUntilGraceMs(runEndingIn(leftMs))).toBe(untilGraceMs);
});

test.each([
  [300_000, undefined, 280_000],
  [900_000, undefined, 600_000],
  [900_000, true, 880_000],
  [Number.POSITIVE_INFINITY, undefined, 600_000],
  [Number.POSITIVE_INFINITY, true, Number.POSITIVE_INFINITY],
])(
  "a task that starts with %d ms ahead (needsFullRun: %s) may take %d ms",
  (leftMs, needsFullRun, limitMs) => {
    const message = { exportTaskId: "a", ...(needsFullRun === undefined ? {} : { needsFullRun }) };
    expect(taskLimitMs(runEndingIn(leftMs), message)).toBe(limitMs);
  },
);

test.each([
  [61_999, undefined, true],
  [62_000, undefined, false],
  [61_999, 5, false],
])("cut after %d ms, once before at %s: started too late is %s", (allottedMs, notBeforeMs, late) => {
  const message = { exportTaskId: "a", ...(notBeforeMs === undefined ? {} : { notBeforeMs }) };
  expect(wasStartedTooLate(runEndingIn(1), message, allottedMs)).toBe(late);
});

test.each([
  [450_000, true],
  [449_999, false],
])("with %d ms left of 900,000, half the run is ahead: %s", (leftMs, isAhead) => {
  const run = runEndingIn(leftMs);
  expect(hasHalfTheRunAhead(run, run.limitAtMs - 900_000)).toBe(isAhead);
});
