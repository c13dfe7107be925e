import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import {
  hasHalfTheRunAhead,
  TimeLimit,
  taskLimitMs,
  timeUntilGraceMs,
  wasStartedTooLate,
  withOwnLimit,
} from "./deadlines.ts";

const parentSignal = () => new AbortController().signal;

describe("a time limit", () => {
  test("is aborted when it runs out, with a reason of its own", async () => {
    const clock = new VirtualClock();
    const limit = new TimeLimit(clock, parentSignal());
    limit.arm(1_000);
    await clock.run(() => clock.sleep(999));
    expect(limit.signal.aborted).toBe(false);
    await clock.run(() => clock.sleep(1));
    expect(limit.signal.reason).toMatchObject({ code: "task-limit" });
    limit.close();
  });

  test("starts from zero when armed again, rests when disarmed, and leaves no timer behind", async () => {
    const clock = new VirtualClock();
    const limit = new TimeLimit(clock, parentSignal());
    limit.arm(1_000);
    await clock.run(() => clock.sleep(900));
    limit.arm(1_000);
    await clock.run(() => clock.sleep(900));
    expect(limit.signal.aborted).toBe(false);
    limit.disarm();
    await clock.run(() => clock.sleep(10_000));
    expect(limit.signal.aborted).toBe(false);
    limit.arm(Number.POSITIVE_INFINITY);
    limit.close();
    expect(clock.countPending()).toBe(0);
  });

  test("without end asks for no timer: a real one takes a delay without end for none at all", () => {
    let slept = 0;
    const sleep = () => {
      slept += 1;
      return Promise.resolve();
    };
    const limit = new TimeLimit({ wallMs: () => 0, monotonicMs: () => 0, sleep }, parentSignal());
    limit.arm(Number.POSITIVE_INFINITY);
    expect(slept).toBe(0);
    limit.arm(1);
    expect(slept).toBe(1);
    limit.close();
  });

  test.each(["before", "after"])("passes on its parent's reason, aborted %s it was made", (when) => {
    const parent = new AbortController();
    const reason = new Error("stop");
    if (when === "before") {
      parent.abort(reason);
    }
    const limit = new TimeLimit(new VirtualClock(), parent.signal);
    parent.abort(reason);
    expect(limit.signal.reason).toBe(reason);
    limit.close();
  });

  test("a closed one no longer listens to its parent", () => {
    const parent = new AbortController();
    const limit = new TimeLimit(new VirtualClock(), parent.signal);
    limit.close();
    parent.abort();
    expect(limit.signal.aborted).toBe(false);
  });

  test("work with a limit of its own ends with it", async () => {
    const clock = new VirtualClock();
    const working = clock.run(() =>
      withOwnLimit(clock, 500, (signal) => clock.sleep(Number.POSITIVE_INFINITY, signal)),
    );
    await expect(working).rejects.toMatchObject({ code: "task-limit" });
    expect(clock.monotonicMs()).toBe(500);
    expect(clock.countPending()).toBe(0);
  });
});

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
