import { describe, expect, test } from "vitest";
import type { TaskEntry } from "../records/run-report.ts";
import type { RequestsReport } from "../requests/report.ts";
import { openRequestLines, requestLines } from "./request-lines.ts";

const NOTHING: RequestsReport = {
  created: [],
  underWay: [],
  waiting: [],
  ended: [],
  oldestRequestAgeSeconds: 0,
};
const NOW = Date.parse("2026-11-21T02:00:00.000Z");

describe("a batch task that is asked for twice", () => {
  test("is one batch task, and what is said of it is said once", () => {
    const underWay = { batchTaskId: "batch-1", exportTaskId: "export-1", reason: "unfinished" };
    expect(requestLines({ requests: { ...NOTHING, underWay: [underWay, underWay] } })).toEqual([
      "Export requests: 1 batch task",
      "  batch-1: export export-1, being made",
    ]);
  });

  test("has a line for each standing", () => {
    const waiting = ["batch-1", "batch-2"].map((batchTaskId) => ({
      batchTaskId,
      reason: "same-condition-unfinished",
    }));
    const created = [{ batchTaskId: "batch-1", exportTaskId: "export-1" }];
    // The second request is served by what the first one made just now.
    const underWay = created.map((one) => ({ ...one, reason: "unfinished" }));
    expect(requestLines({ requests: { ...NOTHING, created, underWay, waiting } })).toEqual([
      "Export requests: 2 batch tasks",
      "  batch-1: created export export-1",
      "  batch-1: waits; an export of the same batch task is being made",
      "  batch-2: waits; an export of the same batch task is being made",
    ]);
  });

  test("is one batch task for `status`, as old as the oldest request", () => {
    const asked = (requestedAt: string) => ({ batchTaskId: "batch-1", requestedAt, reason: "next-run" });
    const requests = [asked("2026-11-21T01:58:00.000Z"), asked("2026-11-21T01:59:00.000Z")];
    expect(openRequestLines({ open: 2, batchTasks: 1, requests }, NOW)).toEqual([
      "Open export requests: 1 batch task (2 requests)",
      "  batch-1, 2 min 00 s old: the next discover run works on it",
    ]);
  });
});

test.each<[Partial<TaskEntry> | undefined, string]>([
  [undefined, "not archived yet"],
  [{ outcome: "archived-deleted" }, "archived and deleted"],
  [{ outcome: "archived-kept", reason: "delete-disabled" }, "archived and kept: deletion is switched off"],
  [{ outcome: "dead-lettered", reason: "max-attempts" }, "dead-lettered: every attempt failed"],
  // It may be archived: only the delete is outstanding.
  [{ outcome: "postponed", reason: "still-listed" }, "postponed: the platform still lists it"],
])("after a run the run's word on an export counts: %j", (attempt, standing) => {
  const tasks =
    attempt === undefined ? [] : [{ exportTaskId: "export-1", durationMs: 1, ...attempt } as TaskEntry];
  const underWay = [{ batchTaskId: "batch-1", exportTaskId: "export-1", reason: "unarchived" }];
  expect(requestLines({ requests: { ...NOTHING, underWay } }, tasks)).toEqual([
    "Export requests: 1 batch task",
    `  batch-1: export export-1, ${standing}`,
  ]);
});
