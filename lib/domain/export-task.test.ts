import { describe, expect, test } from "vitest";
import {
  type ExportTask,
  idempotencyKeyOf,
  isExportTaskId,
  oldestFirst,
  parsePlatformTime,
  revisionOf,
} from "./export-task.ts";

const ID = "5f2d9c3a1b2c3d4e5f6a7b8c";

function taskOf(exportTaskId: string, createTime?: string): ExportTask {
  return {
    exportTaskId,
    status: "Success",
    resourceType: "BatchTask",
    resourceCondition: {},
    appType: undefined,
    appId: undefined,
    exportCount: 1,
    createTime,
    endTime: undefined,
    source: {},
  };
}

describe("an export task id", () => {
  test.each([ID, "export_task-01", "A", "-", "x".repeat(36)])("%j is one", (text) => {
    expect(isExportTaskId(text)).toBe(true);
  });

  test.each(["", "x".repeat(37), "a/b", "..", "a b", "a\n", "\na", "ä", "a.json", "a%2f", "{}"])(
    "%j is none",
    (text) => {
      expect(isExportTaskId(text)).toBe(false);
    },
  );
});

describe("a platform time", () => {
  const atSecond = Date.UTC(2026, 10, 20, 1, 3, 5);

  test.each([
    ["2026-11-20T01:03:05.000Z", atSecond],
    ["2026-11-20T01:03:05Z", atSecond],
    ["20261120T010305Z", atSecond],
    ["2026-11-20T01:03:05.250Z", atSecond + 250],
    ["2026-11-20T01:03:05.25Z", atSecond + 250],
    ["2026-11-20T01:03:05.2Z", atSecond + 200],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["1970-01-01T00:00:00Z", 0],
  ])("%s", (text, epochMs) => {
    expect(parsePlatformTime(text)).toBe(epochMs);
  });

  test.each([
    "2026-02-30T00:00:00Z",
    "20260230T000000Z",
    "2025-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-11-20T24:00:00Z",
    "2026-11-20T23:60:00Z",
    "2026-06-30T23:59:60Z",
    "20261120T240000Z",
  ])("%s names no real moment", (text) => {
    expect(parsePlatformTime(text)).toBeUndefined();
  });

  test.each([
    "",
    "now",
    "2026-11-20",
    "2026-11-20 01:03:05",
    "2026-11-20T01:03:05",
    "2026-11-20T01:03:05+00:00",
    "2026-11-20T01:03:05.2500Z",
    "20261120T010305.250Z",
    "20261120T0103Z",
    " 20261120T010305Z",
    "20261120T010305Z\n",
    "1795136585",
  ])("%j is in no documented format", (text) => {
    expect(parsePlatformTime(text)).toBeUndefined();
  });
});

describe("the revision", () => {
  test.each<[string, string | undefined, number | undefined, string]>([
    [ID, "2026-11-20T01:03:05.250Z", 3, "fe8e44f7"],
    ["export_task-01", "20261120T010305Z", 0, "e7826e9f"],
    ["export_task-01", undefined, undefined, "9f2234fa"],
  ])("of %s, %s, %s is %s (architecture §4)", (exportTaskId, endTime, exportCount, revision) => {
    expect(revisionOf({ exportTaskId, endTime, exportCount })).toBe(revision);
  });

  const revisionAt = (endTime: string | undefined, exportCount: number | undefined = 7) =>
    revisionOf({ exportTaskId: ID, endTime, exportCount });

  test("is the same for one moment in every documented format", () => {
    const spellings = ["2026-11-20T01:03:05.000Z", "2026-11-20T01:03:05Z", "20261120T010305Z"];
    expect(new Set(spellings.map((spelling) => revisionAt(spelling)))).toHaveLength(1);
  });

  test("changes with each of its three parts, and an absent count is not 0", () => {
    const revisions = [
      revisionAt("20261120T010305Z"),
      revisionAt("20261120T010306Z"),
      revisionAt("20261120T010305Z", 8),
      revisionAt("20261120T010305Z", 0),
      revisionOf({ exportTaskId: ID, endTime: "20261120T010305Z", exportCount: undefined }),
      revisionOf({ exportTaskId: "other", endTime: "20261120T010305Z", exportCount: 7 }),
    ];
    expect(new Set(revisions)).toHaveLength(revisions.length);
  });

  test("changes with an end time in an undocumented format", () => {
    const endTimes = [undefined, "20 Nov 2026 01:03", "20 Nov 2026 01:04", "2026-02-30T00:00:00Z"];
    expect(new Set(endTimes.map((endTime) => revisionAt(endTime)))).toHaveLength(endTimes.length);
  });
});

test("the idempotency key names project, instance or default, task and revision", () => {
  const key = (instanceId: string | undefined) =>
    idempotencyKeyOf({ projectId: "p1", instanceId }, ID, "fe8e44f7");
  expect(key(undefined)).toBe(`iotda:p1:default:${ID}:fe8e44f7`);
  expect(key("i-9")).toBe(`iotda:p1:i-9:${ID}:fe8e44f7`);
});

describe("oldest first", () => {
  const order = (tasks: readonly ExportTask[]) => oldestFirst(tasks).map(({ exportTaskId }) => exportTaskId);

  test("by moment, whatever the format, and those without a readable one last", () => {
    const tasks = [
      taskOf("undated-newer"),
      taskOf("third", "2026-11-20T01:03:06.500Z"),
      taskOf("unreadable", "yesterday"),
      taskOf("first", "2026-11-19T23:59:59Z"),
      taskOf("second", "20261120T010305Z"),
      taskOf("undated-older"),
    ];
    expect(order(tasks)).toEqual([
      "first",
      "second",
      "third",
      "undated-older",
      "unreadable",
      "undated-newer",
    ]);
  });

  test("equal moments keep the order of the platform, whose list is newest first", () => {
    const tasks = ["c", "b", "a"].map((id) => taskOf(id, "20261120T010305Z"));
    expect(order(tasks)).toEqual(["a", "b", "c"]);
    expect(tasks.map(({ exportTaskId }) => exportTaskId)).toEqual(["c", "b", "a"]);
  });
});
