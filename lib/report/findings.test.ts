import { describe, expect, test } from "vitest";
import { compact } from "../domain/compact.ts";
import { revisionOf } from "../domain/export-task.ts";
import { urgencyOf, verdictOf } from "./findings.ts";
import { nightOf } from "./night-of.ts";
import { at, facts, inventory, line, night, platform, run, runOn, task } from "./testing/night-scene.ts";

const many = (count: number, createTime?: string) =>
  Array.from({ length: count }, (_, index) => task(`t${String(index).padStart(2, "0")}`, createTime));
const idsOf = (tasks: readonly { readonly exportTaskId: string }[]) => tasks.map((one) => one.exportTaskId);

test("a night in which all went well has nothing to say", () => {
  const { verdict, findings } = night({ runs: [runOn([{ outcome: "archived-deleted" }])], lines: [] });
  expect({ verdict, findings }).toEqual({ verdict: "ok", findings: [] });
});

describe("a loss is near", () => {
  test("with 45 used slots and an export without a copy", () => {
    const tasks = many(45);
    expect(night({ platform: platform(tasks, idsOf(tasks).slice(1)) })).toMatchObject({
      verdict: "act",
      findings: [{ kind: "loss-near", exportTaskId: "t00", held: 45, limit: 50 }],
    });
  });

  test("not while all of them have a copy", () => {
    const tasks = many(47);
    expect(night({ platform: platform(tasks, idsOf(tasks)) })).toMatchObject({
      verdict: "ok",
      findings: [{ kind: "slots-nearly-used", held: 47, limit: 50 }],
    });
  });

  test("where one more night like the fastest is enough", () => {
    // 26 made this night; the 25th create from now destroys the oldest.
    expect(night({ platform: platform(many(26)) }).verdict).toBe("act");
    // 25 made; the 26th create does.
    expect(night({ platform: platform(many(25)) }).verdict).toBe("ok");
  });

  test("from now on, where no pace is known", () => {
    const old = many(46, "2026-11-20T01:00:00.000Z");
    expect(night({ platform: platform(old) }).findings).toMatchObject([
      { kind: "loss-near", lossFromMs: facts().madeAtMs },
      { kind: "still-waiting" },
    ]);
  });

  test("by the last run, where the platform does not answer", () => {
    const oldestUnarchived = { exportTaskId: "a", createTime: at("01:00") };
    const runs = [run({ platform: { held: 48, limit: 50, oldestUnarchived } })];
    const { platform: _answer, ...silent } = facts({ runs });
    expect(nightOf(silent)).toMatchObject({
      verdict: "act",
      findings: [{ kind: "loss-near", exportTaskId: "a", held: 48 }],
      places: { held: 48, seenAt: at("03:00") },
    });
  });
});

describe("a person has to look", () => {
  test("when an export was given up or lost", () => {
    const runs = [
      runOn([
        { exportTaskId: "a", outcome: "dead-lettered", reason: "export-failed" },
        { exportTaskId: "b", outcome: "dead-lettered", reason: "source-gone" },
      ]),
    ];
    expect(night({ runs })).toMatchObject({
      verdict: "look",
      findings: [
        { kind: "lost", exportTaskId: "b", atMs: Date.parse(at("03:00")) },
        { kind: "given-up", exportTaskId: "a", reason: "export-failed" },
      ],
      counts: { givenUp: 2 },
    });
  });

  test("when the last runs failed because of the system", () => {
    const failure = { code: "store-full", message: "no space", hint: "make room" };
    const failing = (time: string) => run({ stopReason: "system-failure", failure }, at(time));
    const runs = [failing("01:00"), run({}, at("02:00")), failing("03:00"), failing("04:00")];
    expect(night({ runs })).toMatchObject({
      verdict: "look",
      findings: [{ kind: "system-failing", failure, runs: 2, sinceMs: Date.parse(at("03:00")) }],
      lastRunAt: at("02:00"),
    });
    expect(night({ runs: [...runs, run({}, at("05:00"))] }).findings).toEqual([]);
    // An operator's interrupt ends no failure.
    expect(night({ runs: [...runs, run({ stopReason: "aborted" }, at("05:00"))] }).verdict).toBe("look");
  });

  test("when an export was finished before the night and is still not archived", () => {
    const old = task("old", "2026-11-27T01:00:00.000Z");
    expect(night({ platform: platform([old, task("new")]) }).findings).toEqual([
      { kind: "still-waiting", count: 1, exportTaskId: "old", sinceMs: Date.parse("2026-11-27T01:10:00Z") },
    ]);
    // So it is where each attempt failed.
    const revision = revisionOf(old);
    const tried = [runOn([{ exportTaskId: "old", revision, outcome: "retried", reason: "short-body" }])];
    expect(night({ platform: platform([old]), runs: tried })).toMatchObject({
      verdict: "look",
      findings: [{ kind: "still-waiting", count: 1, exportTaskId: "old" }],
    });
    const runs = [runOn([{ exportTaskId: "old", outcome: "retried" }])];
    expect(night({ platform: platform([]), runs }).findings).toEqual([]);
  });

  test("when the inventory found damage, late reading or a copy that could not be restored", () => {
    const verification = {
      limitDays: 90,
      copies: 9,
      coldCopies: 0,
      checked: 3,
      damaged: 1,
      oldestUnreadDays: 88,
      isLimitKept: false,
      missedFrom: "2026-12-01T00:00:00.000Z",
      drill: { exportTaskId: "c", result: "failed" as const },
    };
    const damage = [{ exportTaskId: "a", revision: "0a1b2c3d", kind: "changed" as const, key: "exports/x" }];
    const found = night({ inventory: inventory({ damage, verification }) });
    expect(found.verdict).toBe("look");
    expect(found.findings).toEqual([
      { kind: "damaged", exportTaskId: "a", revision: "0a1b2c3d", damage: "changed", key: "exports/x" },
      { kind: "verification-late", limitDays: 90, missedFromMs: Date.parse("2026-12-01T00:00:00Z") },
      { kind: "drill-failed", exportTaskId: "c", atMs: Date.parse(at("04:00")) },
    ]);
    expect(found.verification).toEqual({
      limitDays: 90,
      copies: 9,
      coldCopies: 0,
      oldestUnreadDays: 88,
      isLimitKept: false,
      readToday: 3,
      damaged: 1,
      at: at("04:00"),
    });
  });

  test("at no more than a hundred findings of one kind", () => {
    const damage = Array.from({ length: 300 }, (_, index) => ({
      exportTaskId: `d${index}`,
      revision: "0a1b2c3d",
      kind: "missing" as const,
      key: "exports/x",
    }));
    expect(night({ inventory: inventory({ damage }) }).findings).toHaveLength(100);
  });
});

test("what is only to be known changes no verdict", () => {
  const old = inventory({ startedAt: "2026-11-26T04:00:00.000Z", counts: { exports: 1, orphans: 2 } });
  const notNotified = [{ kind: "not-notified", target: "slack", sinceMs: 1 } as const];
  const found = night({
    inventory: old,
    deadLetters: 3,
    platform: platform([], [], { oddItems: 1 }),
    lines: [line("a")],
    notNotified,
  });
  expect(found.verdict).toBe("ok");
  expect(found.findings).toEqual([
    { kind: "no-inventory", lastMs: Date.parse("2026-11-26T04:00:00Z") },
    { kind: "dead-letters", count: 3 },
    { kind: "orphans", count: 2 },
    { kind: "left-alone", count: 1 },
    ...notNotified,
  ]);
  const { inventory: _none, ...without } = facts();
  expect(nightOf(without)).toMatchObject({ verdict: "ok", findings: [{ kind: "no-inventory" }] });
});

test.each([
  { what: "was never whole", lastWholeAt: undefined, found: [{ kind: "no-inventory" }] },
  {
    what: "was whole days ago",
    lastWholeAt: "2026-11-25T04:00:00.000Z",
    found: [{ kind: "no-inventory", lastMs: Date.parse("2026-11-25T04:00:00Z") }],
  },
  { what: "was whole a day ago", lastWholeAt: "2026-11-27T06:00:00.000Z", found: [] },
])("an inventory that is cut each day and $what", ({ lastWholeAt, found }) => {
  const cut = inventory({ stopReason: "time-budget", ...compact({ lastWholeAt }) });
  expect(night({ inventory: cut }).findings).toEqual(found);
});

test("a night without a run is worse than what somebody has to look at, and better than a near loss", () => {
  const rule = { name: "nightly", every: "1d", by: "06:00", atLeast: 1 };
  expect(night({ runs: [], rules: [rule] })).toMatchObject({
    verdict: "none",
    findings: [{ kind: "expected-missing" }],
  });
  expect(night({ runs: [], platform: platform(many(45)) }).verdict).toBe("act");
});

test("the verdict is that of the worst finding", () => {
  const watch = { kind: "orphans", count: 1 } as const;
  const look = { kind: "lost", exportTaskId: "a", atMs: 1 } as const;
  const act = { kind: "loss-near", exportTaskId: "a", lossFromMs: 1, held: 45, limit: 50 } as const;
  expect([watch, look, act].map(urgencyOf)).toEqual(["watch", "look", "act"]);
  expect(verdictOf([watch, look, act], false)).toBe("act");
  expect(verdictOf([watch, look], false)).toBe("none");
  expect(verdictOf([watch, look], true)).toBe("look");
  expect(verdictOf([watch], true)).toBe("ok");
});
