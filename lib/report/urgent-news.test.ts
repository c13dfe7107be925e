import { describe, expect, test } from "vitest";
import type { RunReport } from "../records/run-report.ts";
import { urgentOf } from "./tell-urgent.ts";
import { at, earlier, MADE_AT_MS, run, runOn } from "./testing/night-scene.ts";
import { newsOfInventory, newsOfRun } from "./urgent-news.ts";

const FAILURE = { code: "store-full", message: "the disk is full", hint: "Make room." };
const failed = (endedAt: string) => run({ stopReason: "system-failure", failure: FAILURE }, endedAt);
const held = (count: number, oldestUnarchived?: string) => {
  const oldest = oldestUnarchived && { exportTaskId: oldestUnarchived, createTime: at("01:00") };
  return run({
    platform: { held: count, limit: 50, ...(oldest === undefined ? {} : { oldestUnarchived: oldest }) },
  } as Partial<RunReport>);
};

function kindsTold(report: RunReport, context: Partial<Parameters<typeof newsOfRun>[1]> = {}) {
  const scope = { projectId: "project-1", instanceId: undefined };
  const { findings, judged } = newsOfRun(report, {
    scope,
    previous: undefined,
    earlier: [],
    nowMs: MADE_AT_MS,
    ...context,
  });
  return { told: urgentOf(findings, MADE_AT_MS).map(({ kind }) => kind), judged: [...judged].sort() };
}

describe("what a run makes known at once", () => {
  test.each<[string, RunReport, Partial<Parameters<typeof newsOfRun>[1]>, readonly string[]]>([
    ["a good run", held(3), {}, []],
    ["45 slots, one of them without a copy", held(45, "a"), {}, ["loss-near"]],
    ["45 slots, all with a copy", held(45), {}, []],
    [
      "few slots, and a pace that fills them within a day",
      held(20, "a"),
      { earlier: earlier(7, { made: 40 }) },
      ["loss-near"],
    ],
    ["few slots, and a slow pace", held(20, "a"), { earlier: earlier(7, { made: 4 }) }, []],
    ["an export that was lost", runOn([{ outcome: "dead-lettered", reason: "source-gone" }]), {}, ["lost"]],
    ["an export that was given up", runOn([{ outcome: "dead-lettered", reason: "max-attempts" }]), {}, []],
    ["the first failure of the system", failed(at("03:00")), { previous: run({}, at("02:30")) }, []],
    [
      "the second failure in a row",
      failed(at("03:00")),
      { previous: failed(at("02:30")) },
      ["system-failing"],
    ],
    [
      "a failure after an interrupted run",
      failed(at("03:00")),
      { previous: run({ stopReason: "aborted" }, at("02:30")) },
      [],
    ],
  ])("%s", (_name, report, context, told) => {
    expect(kindsTold(report, context).told).toEqual(told);
  });

  test("a run that saw no platform, or was interrupted, ends nothing that it could not see", () => {
    expect(kindsTold(held(3)).judged).toEqual(["loss-near", "lost", "system-failing"]);
    expect(kindsTold(run({ platform: { limit: 50 } })).judged).toEqual(["lost", "system-failing"]);
    expect(kindsTold(run({ stopReason: "aborted" })).judged).toEqual(["loss-near", "lost"]);
  });
});

describe("what an inventory makes known at once", () => {
  const damage = [{ exportTaskId: "a", revision: "0a1b2c3d", kind: "missing" as const, key: "exports/a" }];

  test("each damaged copy", () => {
    const { findings, judged } = newsOfInventory({ damage, stopReason: "done" });
    expect(urgentOf(findings, MADE_AT_MS)).toEqual([
      { kind: "damaged", exportTaskId: "a", revision: "0a1b2c3d", damage: "missing", key: "exports/a" },
    ]);
    expect([...judged]).toEqual(["damaged"]);
  });

  test.each(["time-budget", "system-failure"] as const)(
    "one that ended with %s ends no finding",
    (stopReason) => {
      expect([...newsOfInventory({ damage, stopReason }).judged]).toEqual([]);
    },
  );
});
