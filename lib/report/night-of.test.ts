import { describe, expect, test } from "vitest";
import { nightOf } from "./night-of.ts";
import { at, DATE, earlier, facts, line, night, platform, run, runOn, task } from "./testing/night-scene.ts";
import { addDays } from "./zoned-time.ts";

test("a night counts its exports, and those first that need a person", () => {
  const runs = [
    run({
      tasks: [
        { exportTaskId: "kept", outcome: "archived-kept", reason: "hold", durationMs: 1, sizeBytes: 10 },
        { exportTaskId: "safe", outcome: "archived-deleted", durationMs: 1, sizeBytes: 20 },
        { exportTaskId: "late", outcome: "retried", reason: "short-body", durationMs: 1, sizeBytes: 40 },
        { exportTaskId: "bad", outcome: "dead-lettered", reason: "not-accepted", durationMs: 1 },
        { exportTaskId: "gone", outcome: "deleted", durationMs: 1 },
      ],
      counts: { ...run().counts, archived: 2, deleted: 2, throttled: 3 },
    }),
  ];
  const found = night({ runs, platform: platform([task("waits"), task("kept-2")], ["kept-2"]) });
  expect(found.exports.map(({ exportTaskId }) => exportTaskId)).toEqual([
    "bad",
    "waits",
    "late",
    "kept",
    "safe",
    "gone",
  ]);
  expect(found).toMatchObject({
    counts: { finished: 5, archived: 2, deleted: 2, kept: 1, givenUp: 1, waiting: 1, made: 2, throttled: 3 },
    bytes: 30,
    keptFor: { hold: 1 },
    places: { held: 2, limit: 50, archived: 1 },
    runs: [{ runId: `run-${at("03:00")}`, stopReason: "drained", archived: 2, deleted: 2 }],
    lastRunAt: at("03:00"),
    from: "2026-11-27T07:00:00.000Z",
    madeAt: "2026-11-28T07:00:00.000Z",
  });
});

describe("the last 30 nights", () => {
  test("are shown with gaps where no report was made", () => {
    const { nights } = night({ earlier: earlier(2, { archived: 9 }).slice(0, 1) });
    expect(nights).toHaveLength(30);
    expect(nights[0]).toEqual({ date: addDays(DATE, -29), verdict: "unreported" });
    expect(nights.slice(-3)).toEqual([
      { date: "2026-11-26", verdict: "ok", archived: 9, made: 10 },
      { date: "2026-11-27", verdict: "unreported" },
      { date: DATE, verdict: "ok", archived: 0, givenUp: 0, made: 0, held: 0, hasRetries: false },
    ]);
  });

  test("tell the most slots that were used, and whether an attempt was repeated", () => {
    const runs = [
      run({ platform: { held: 33, limit: 50 } }, at("01:00")),
      runOn([{ outcome: "retried" }], at("02:00")),
    ];
    expect(night({ runs }).nights.at(-1)).toMatchObject({ held: 33, hasRetries: true });
  });

  test("make a streak while nothing had to be done", () => {
    expect(night().streak).toBe(1);
    expect(night({ earlier: earlier(29, { streak: 60, made: 0 }) }).streak).toBe(61);
    expect(night({ earlier: earlier(1, { verdict: "look", streak: 0 }) }).streak).toBe(1);
    expect(night({ earlier: earlier(2).slice(0, 1) }).streak).toBe(1);
    expect(night({ runs: [], earlier: earlier(29) }).streak).toBe(0);
  });

  test("tell what is usual, and the pace", () => {
    expect(night({ earlier: earlier(7) })).toMatchObject({
      verdict: "look",
      findings: [{ kind: "fewer-than-usual", found: 0, median: 10 }],
    });
    const lines = Array.from({ length: 20 }, (_, index) => line(`e${index}`));
    expect(night({ earlier: earlier(20), lines }).places.fullInDays).toEqual({ least: 2.5, usual: 5 });
    // Older than 14 nights.
    expect(night({ earlier: earlier(20, { made: 50 }).slice(0, 6), lines }).places.fullInDays).toEqual({
      least: 2.5,
      usual: 2.5,
    });
  });
});

test("the last good run may be one of an earlier report", () => {
  const found = night({ runs: [], earlier: earlier(3, { lastRunAt: "2026-11-26T03:00:00.000Z" }) });
  expect(found).toMatchObject({ verdict: "none", lastRunAt: "2026-11-26T03:00:00.000Z" });
});

test("a night of which the platform told nothing says so", () => {
  const failure = { code: "platform-unreachable", message: "m", hint: "h" };
  const { platform: _answer, ...silent } = facts({ runs: [], unknown: { platform: failure } });
  expect(nightOf(silent)).toMatchObject({ places: { limit: 50 }, unknown: { platform: failure } });
  expect(nightOf(silent).places.held).toBeUndefined();
});
