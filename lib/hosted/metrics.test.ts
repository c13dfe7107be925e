import { describe, expect, test } from "vitest";
import type { ArchiveEvent } from "../archive/events.ts";
import { leftAloneReport } from "../domain/left-alone.ts";
import { METRIC_UNITS } from "../observability/metrics.ts";
import { emptyCounts, type RunReport, type TaskEntry } from "../records/run-report.ts";
import {
  isMeasured,
  metricsOfDiscover,
  metricsOfExpire,
  metricsOfInventory,
  metricsOfReport,
  metricsOfRetain,
  metricsOfRun,
  type TimedEvent,
} from "./metrics.ts";

const REPORT: RunReport = {
  runId: "20261122T010000000Z-00000000",
  startedAt: "2026-11-22T01:00:00.000Z",
  endedAt: "2026-11-22T01:10:00.000Z",
  stopReason: "drained",
  counts: { ...emptyCounts(), received: 9, archived: 4, deleted: 3, kept: 2, deadLettered: 1, throttled: 5 },
  bytes: 4_096,
  pacing: "shared",
  tasks: [],
  platform: { held: 7, limit: 50 },
};

const STARTED: ArchiveEvent = {
  kind: "run-started",
  runId: REPORT.runId,
  pacing: "shared",
  held: 7,
  deletion: "after-verify",
};

function at(atMs: number, event: ArchiveEvent): TimedEvent {
  return { event, atMs };
}

function started(exportTaskId: string): ArchiveEvent {
  return { kind: "task-started", exportTaskId, attempts: 0 };
}

function awaiting(exportTaskId: string): ArchiveEvent {
  return { kind: "slot-awaited", exportTaskId, startsAtMs: 0 };
}

function downloading(exportTaskId: string): ArchiveEvent {
  return { kind: "download-started", exportTaskId, idempotencyKey: "k", expectedSizeBytes: undefined };
}

function ended(exportTaskId: string): ArchiveEvent {
  const entry: TaskEntry = { exportTaskId, outcome: "archived-deleted", durationMs: 1 };
  return { kind: "task-ended", entry, delayMs: undefined };
}

const ENDED: ArchiveEvent = { kind: "run-ended", report: REPORT };
const FAILURE = { code: "copy-differs", message: "m", hint: "h" };

test("counts of the report and of the events, zeros included", () => {
  const events = [
    at(0, STARTED),
    at(1, { kind: "export-lost", exportTaskId: "a", detail: "gone" }),
    at(2, { kind: "verification-failed", exportTaskId: "b", failure: FAILURE }),
    at(3, { kind: "verification-failed", exportTaskId: "c", failure: FAILURE }),
  ];
  const leftAlone = leftAloneReport([
    { kind: "list-item", index: 3, field: "export_count", problem: "is not a number" },
  ]);
  expect(metricsOfRun({ ...REPORT, ...(leftAlone && { leftAlone }) }, events)).toEqual({
    LeftAlone: 1,
    TasksHeld: 7,
    TasksArchived: 4,
    TasksDeleted: 3,
    TasksKept: 2,
    TasksDeadLettered: 1,
    ExportsLost: 1,
    ThrottledDownloads: 5,
    BytesArchived: 4_096,
    OldestUnarchivedAgeSeconds: 0,
    IdleWaitMs: 0,
    VerificationFailures: 2,
    RunsCompleted: 1,
  });
});

test.each([
  ["drained", 1],
  ["time-budget", 1],
  ["system-failure", 0],
  ["aborted", 0],
  ["no-pressure", 0],
] as const)("a run that ended %s counts %i as completed", (stopReason, completed) => {
  expect(metricsOfRun({ ...REPORT, stopReason }, []).RunsCompleted).toBe(completed);
});

test("what a run that never saw the platform cannot know is left out", () => {
  const metrics = metricsOfRun({ ...REPORT, platform: { limit: 50 } }, []);
  expect(metrics).not.toHaveProperty("TasksHeld");
  expect(metrics).not.toHaveProperty("OldestUnarchivedAgeSeconds");
  expect(metrics).not.toHaveProperty("DrainSeconds");
});

test("the age of the oldest unarchived export, at the run's end", () => {
  const oldestUnarchived = { exportTaskId: "a", createTime: "20261122T000000Z" };
  const waiting: RunReport = { ...REPORT, platform: { ...REPORT.platform, oldestUnarchived } };
  expect(metricsOfRun(waiting, [at(0, STARTED)]).OldestUnarchivedAgeSeconds).toBe(70 * 60);
  const unknown: ArchiveEvent = { kind: "warning", code: "oldest-unknown", message: "m" };
  expect(metricsOfRun(REPORT, [at(0, STARTED), at(1, unknown)])).not.toHaveProperty(
    "OldestUnarchivedAgeSeconds",
  );
});

test("the drain lasts from the first download to the last task's end, and idle is whoever only waits", () => {
  const events = [
    at(1_000, STARTED),
    // 500 ms without a task.
    at(1_500, started("a")),
    // 2 s in which the only task waits for its slot.
    at(2_000, awaiting("a")),
    at(4_000, downloading("a")),
    // The second one waits while the first one works.
    at(5_000, started("b")),
    at(5_100, awaiting("b")),
    at(7_000, ended("a")),
    // 1 s in which the second one still waits.
    at(8_000, downloading("b")),
    at(9_000, ended("b")),
    // 20 s for a poll that finds nothing.
    at(29_000, ENDED),
  ];
  const { DrainSeconds, IdleWaitMs } = metricsOfRun(REPORT, events);
  expect(DrainSeconds).toBe(5);
  expect(IdleWaitMs).toBe(500 + 2_000 + 1_000 + 20_000);
});

test("events that come with every chunk are not kept for measuring", () => {
  expect(isMeasured({ kind: "bytes", exportTaskId: "a", receivedBytes: 1 })).toBe(false);
  expect(isMeasured(STARTED)).toBe(true);
});

test("a discover run: requests that were looked at, and none that were not", () => {
  const requests = {
    created: [],
    waiting: [{ batchTaskId: "b", reason: "places" }],
    underWay: [],
    ended: [],
    oldestRequestAgeSeconds: 90_000,
  };
  expect(metricsOfDiscover({ held: 46, requests })).toEqual({
    TasksHeld: 46,
    LeftAlone: 0,
    RequestsWaiting: 1,
    OldestRequestAgeSeconds: 90_000,
  });
  expect(metricsOfDiscover({ held: 0 })).toEqual({
    TasksHeld: 0,
    LeftAlone: 0,
    RequestsWaiting: 0,
    OldestRequestAgeSeconds: 0,
  });
  expect(metricsOfDiscover({ held: 2, requests: { ...requests, failure: FAILURE } })).toEqual({
    TasksHeld: 2,
    LeftAlone: 0,
  });
});

test("a retain run counts outcomes; what did not occur is 0", () => {
  const counts = {
    retained: 3,
    refused: 1,
    failed: 6,
    unrecorded: 2,
    missing: 4,
    unreadable: 5,
    "up-to-date": 9,
  };
  expect(metricsOfRetain({ counts })).toEqual({
    ObjectsRetained: 3,
    RetentionRefused: 7,
    UnrecordedObjects: 2,
    DamagedObjects: 9,
  });
  expect(Object.values(metricsOfRetain({ counts: {} }))).toEqual([0, 0, 0, 0]);
});

test("an expire run counts what it removed, and what stays until a person has looked", () => {
  const counts = { checked: 9, due: 5, removed: 2, markedGone: 0 };
  const stayed = (
    ["held", "locked", "missing", "empty-list", "lost-race", "unreadable", "no-time"] as const
  ).map((reason) => ({ exportTaskId: "night-01", revision: "fe8e44f7", reason }));
  const metrics = metricsOfExpire({ counts, stayed });
  expect(metrics).toEqual({ ObjectsExpired: 2, ExpiryBlocked: 4 });
  expect(Object.keys(METRIC_UNITS)).toEqual(expect.arrayContaining(Object.keys(metrics)));
});

describe("an inventory", () => {
  const counts = {
    exports: 400,
    objects: 401,
    read: 50,
    damaged: 2,
    orphans: 1,
    monthsWritten: 1,
    monthsInConflict: 0,
  };
  const verification = {
    limitDays: 90,
    copies: 390,
    coldCopies: 0,
    checked: 7,
    checkedBytes: 700,
    intact: 6,
    cold: 0,
    failed: 0,
    damaged: 1,
    isGoalReached: true,
    oldestUnreadDays: 81,
    budgetBytesPerDay: 1_000,
    neededBytesPerDay: 2_000,
    isLimitKept: false,
  };
  const drill = {
    exportTaskId: "night-01",
    revision: "fe8e44f7",
    sizeBytes: 9,
    durationMs: 5,
    result: "failed",
  } as const;

  test("measures what it found, and whether copies are read in time", () => {
    const report = { counts, stopReason: "done", verification: { ...verification, drill } } as const;
    const metrics = metricsOfInventory(report);
    expect(metrics).toEqual({
      CatalogueExports: 400,
      CopiesDamaged: 2,
      Orphans: 1,
      CopiesVerified: 7,
      OldestUnreadDays: 81,
      VerificationLimitMissed: 1,
      DrillsFailed: 1,
      LeftAlone: 0,
    });
    expect(Object.keys(METRIC_UNITS)).toEqual(expect.arrayContaining(Object.keys(metrics)));
  });

  test("leaves out what it did not look for", () => {
    expect(metricsOfInventory({ counts, stopReason: "time-budget" })).toEqual({
      CatalogueExports: 400,
      CopiesDamaged: 2,
      LeftAlone: 0,
    });
    const well = { ...verification, isLimitKept: true, drill: { ...drill, result: "restored" } } as const;
    expect(metricsOfInventory({ counts, stopReason: "done", verification: well })).toMatchObject({
      VerificationLimitMissed: 0,
      DrillsFailed: 0,
    });
  });

  test("that failed has found nothing", () => {
    expect(metricsOfInventory({ counts, stopReason: "system-failure", failure: FAILURE })).toEqual({});
  });
});

describe("a report", () => {
  const night = {
    verdict: "act",
    madeAt: "2026-11-22T08:10:00.000Z",
    places: { held: 47, limit: 50, lossFrom: "2026-11-22T20:10:00.000Z" },
    findings: [
      { kind: "expected-missing", rule: "a", expected: 3, found: 1, byMs: 0 },
      { kind: "expected-missing", rule: "b", expected: 1, found: 0, byMs: 0 },
      { kind: "dead-letters", count: 7 },
    ],
  } as const;

  test("measures its night, and how many did not hear of it", () => {
    const metrics = metricsOfReport({ night, untold: ["slack"] });
    expect(metrics).toEqual({
      ReportsMade: 1,
      NightVerdict: 3,
      TasksHeld: 47,
      ExpectedExportsMissing: 3,
      SecondsToLoss: 12 * 3_600,
      TargetsUntold: 1,
    });
    expect(Object.keys(METRIC_UNITS)).toEqual(expect.arrayContaining(Object.keys(metrics)));
  });

  test.each([
    ["ok", 0],
    ["look", 1],
    ["none", 2],
    ["act", 3],
  ] as const)("tells the verdict %s as %i", (verdict, number) => {
    expect(metricsOfReport({ night: { ...night, verdict }, untold: [] }).NightVerdict).toBe(number);
  });

  test("leaves out what it does not know", () => {
    const places = { held: 12, limit: 50, seenAt: "2026-11-22T01:00:00.000Z" };
    expect(metricsOfReport({ night: { ...night, places, findings: [] }, untold: [] })).toEqual({
      ReportsMade: 1,
      NightVerdict: 3,
      ExpectedExportsMissing: 0,
      TargetsUntold: 0,
    });
    expect(metricsOfReport({ untold: [] })).toEqual({ ReportsMade: 0, TargetsUntold: 0 });
  });
});
