import { describe, expect, test } from "vitest";
import {
  countOutcome,
  emptyCounts,
  isNamedByReport,
  type RunReport,
  type TaskOutcome,
  writeRunReport,
} from "../../lib/records/run-report.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { World } from "../world/world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = Date.UTC(2026, 10, 22, 12);

function reportOf(runId: string, startedAtMs: number, endedAtMs: number, ids: readonly string[]): RunReport {
  return {
    runId,
    startedAt: new Date(startedAtMs).toISOString(),
    endedAt: new Date(endedAtMs).toISOString(),
    stopReason: "drained",
    counts: emptyCounts(),
    bytes: 0,
    pacing: "shared",
    tasks: ids.map((exportTaskId) => ({ exportTaskId, outcome: "postponed", durationMs: 1 })),
    platform: { held: 0, limit: 50 },
  };
}

function sceneOf() {
  const world = new World();
  const { store } = world.startRunner("a");
  return {
    world,
    write: (startedAtMs: number, endedAtMs: number, ...ids: readonly string[]) => {
      const report = reportOf(`run-${startedAtMs}`, startedAtMs, endedAtMs, ids);
      return world.run(() => writeRunReport(store, report, startedAtMs, ALWAYS));
    },
    isNamed: (exportTaskId: string, sinceMs: number) =>
      world.run(() => isNamedByReport(store, exportTaskId, sinceMs, NOW_MS, ALWAYS)),
  };
}

test("a report lies under the day its run started on, and is the report", async () => {
  const { world } = sceneOf();
  const { store } = world.startRunner("b");
  const report = reportOf("20261121T235959000Z-00112233", NOW_MS - 13 * HOUR_MS, NOW_MS, ["t1"]);
  await world.run(() => writeRunReport(store, report, NOW_MS - 13 * HOUR_MS, ALWAYS));
  const key = "runs/2026/11/21/20261121T235959000Z-00112233.json";
  expect(world.store.keysUnder("")).toEqual([key]);
  expect(JSON.parse(world.store.textAt(key) ?? "")).toEqual(report);
});

describe("whether a run since some moment named a task", () => {
  test("its exact id, in any entry of any report", async () => {
    const { isNamed, write } = sceneOf();
    await write(NOW_MS - HOUR_MS, NOW_MS - HOUR_MS + 1, "t0");
    await write(NOW_MS - 2 * HOUR_MS, NOW_MS - HOUR_MS, "t0", "t1");
    await write(NOW_MS - 3 * HOUR_MS, NOW_MS - HOUR_MS);
    expect(await isNamed("t1", NOW_MS - 4 * HOUR_MS)).toBe(true);
    expect(await isNamed("t", NOW_MS - 4 * HOUR_MS)).toBe(false);
  });

  test("a report that is not text says nothing, and hides no other", async () => {
    const { isNamed, world, write } = sceneOf();
    world.store.plantObject("runs/2026/11/22/20261122T000000000Z-00112233.json", Uint8Array.of(0xff));
    await write(NOW_MS - HOUR_MS, NOW_MS, "t1");
    expect(await isNamed("t1", NOW_MS - 2 * HOUR_MS)).toBe(true);
    expect(await isNamed("t2", NOW_MS - 2 * HOUR_MS)).toBe(false);
  });

  test("a run that ended before says nothing of what was requested since", async () => {
    const { isNamed, write } = sceneOf();
    await write(NOW_MS - 3 * HOUR_MS, NOW_MS - 2 * HOUR_MS, "t1");
    expect(await isNamed("t1", NOW_MS - 2 * HOUR_MS)).toBe(true);
    expect(await isNamed("t1", NOW_MS - 2 * HOUR_MS + 1)).toBe(false);
  });

  test("a run over midnight is found under the day before", async () => {
    const { isNamed, write } = sceneOf();
    const midnightMs = NOW_MS - 12 * HOUR_MS;
    await write(midnightMs - 60_000, midnightMs + 120_000, "t1");
    expect(await isNamed("t1", midnightMs + 60_000)).toBe(true);
  });

  test("days in between are looked at, and none beyond two weeks", async () => {
    const { isNamed, write, world } = sceneOf();
    await write(NOW_MS - 5 * DAY_MS, NOW_MS - 5 * DAY_MS, "t1");
    await write(NOW_MS - 13 * DAY_MS, NOW_MS - 13 * DAY_MS, "t2");
    await write(NOW_MS - 20 * DAY_MS, NOW_MS - 20 * DAY_MS, "t3");
    expect(await isNamed("t1", NOW_MS - 6 * DAY_MS)).toBe(true);
    expect(await isNamed("t2", 0)).toBe(true);
    const before = world.faults.countCalls("store.list");
    expect(await isNamed("t3", 0)).toBe(false);
    expect(world.faults.countCalls("store.list") - before).toBeLessThanOrEqual(16);
  });

  test.each([
    "",
    "{",
    "null",
    '{"tasks":[]}',
    '{"tasks":"t1"}',
    '{"endedAt":"now","tasks":[{"exportTaskId":"t1"}]}',
  ])("a report that reads %j is passed over", async (text) => {
    const { isNamed, write, world } = sceneOf();
    world.store.plantObject("runs/2026/11/22/a.json", Buffer.from(text));
    expect(await isNamed("t1", NOW_MS - HOUR_MS)).toBe(false);
    await write(NOW_MS - HOUR_MS, NOW_MS, "t1");
    expect(await isNamed("t1", NOW_MS - HOUR_MS)).toBe(true);
  });

  test("the search is limited", async () => {
    const { isNamed, world } = sceneOf();
    for (let number = 0; number <= 2_000; number += 1) {
      world.store.plantObject(`runs/2026/11/22/${number}.json`, Buffer.from("{}"));
    }
    expect(await isNamed("t1", NOW_MS - HOUR_MS)).toBe(false);
    expect(world.faults.countCalls("store.getDocument")).toBe(2_000);
  });
});

test.each<[TaskOutcome, object]>([
  ["archived-deleted", {}],
  ["archived-kept", { kept: 1 }],
  ["deleted", {}],
  ["already-done", {}],
  ["postponed", { postponed: 1 }],
  ["retried", { retried: 1 }],
  ["dead-lettered", { deadLettered: 1 }],
])("the outcome %s adds %o to the counts", (outcome, added) => {
  const counts = emptyCounts();
  countOutcome(counts, outcome);
  expect(counts).toEqual({ ...emptyCounts(), ...added });
});
