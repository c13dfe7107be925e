import { expect, test } from "vitest";
import { leftAloneReport } from "../domain/left-alone.ts";
import type { RunReport, TaskEntry } from "../records/run-report.ts";
import { discoveredLine, discoverLines, runLines } from "./run-lines.ts";

function reportOf(tasks: readonly TaskEntry[]): RunReport {
  return {
    runId: "20261121T020000000Z-0a1b2c3d",
    startedAt: "2026-11-21T02:00:00.000Z",
    endedAt: "2026-11-21T02:00:09.000Z",
    stopReason: "drained",
    counts: {
      received: tasks.length,
      archived: tasks.length,
      deleted: 0,
      kept: tasks.length,
      postponed: 0,
      retried: 0,
      deadLettered: 0,
      throttled: 0,
    },
    bytes: 10_240,
    pacing: "shared",
    tasks,
    platform: { held: 4, limit: 50 },
  };
}

function kept(exportTaskId: string, reason: string): TaskEntry {
  return { exportTaskId, outcome: "archived-kept", reason, durationMs: 5 };
}

test("with deletion off, what was kept for it is counted; what was kept for another reason is told", async () => {
  const off = [kept("night-1", "delete-disabled"), kept("night-2", "delete-disabled")];
  const lines = await runLines(reportOf([...off, kept("night-3", "hold")]));
  expect(lines.slice(0, 4)).toEqual([
    "Run 20261121T020000000Z-0a1b2c3d: nothing is left to do now (9.0 s)",
    "  archived 3 (10.0 KiB), deleted 0, kept 3",
    "  export slots used: 4 of 50",
    "  2 exports archived and kept: deletion is off (ARCHIVER_DELETE=never)",
  ]);
  expect(lines.join("\n")).toMatch(/night-3 .* held by an operator/);
  expect(lines.join("\n")).not.toMatch(/night-[12]/);
  expect(await runLines(reportOf(off))).toHaveLength(4);
});

test("what discover skipped is told by reason", () => {
  const found = { runId: "r", held: 6, limit: 50, unfinished: 1, enqueued: ["night-9"] };
  const skipped = [
    { exportTaskId: "night-1", reason: "kept:hold" },
    { exportTaskId: "night-2", reason: "dead-lettered" },
    { exportTaskId: "night-3", reason: "kept:delete-disabled" },
    { exportTaskId: "night-4", reason: "enqueued-recently" },
  ] as const;
  expect(discoveredLine({ ...found, skipped })).toBe(
    "Discovered: 1 enqueued, 4 skipped (2 archived and kept, 1 dead-lettered, 1 enqueued less than 6 h ago), 1 still being made",
  );
  expect(discoveredLine({ ...found, skipped: [] })).toBe(
    "Discovered: 1 enqueued, 0 skipped, 1 still being made",
  );
});

test("what helps a dead-lettered task is said once, also where its letter was dismissed", () => {
  const found = { runId: "r", held: 6, limit: 50, unfinished: 0, enqueued: [] };
  const skipped = ["night-1", "night-2"].map((exportTaskId) => ({
    exportTaskId,
    reason: "dead-lettered" as const,
  }));
  expect(discoverLines({ ...found, skipped }).slice(2)).toEqual([
    "Skipped 2 tasks:",
    "  night-1: dead-lettered",
    "  night-2: dead-lettered",
    expect.stringMatching(
      /^To try .* redrive <id …>"\..* was dismissed, ask for the export again\..* by hand\.$/,
    ),
  ]);
  expect(discoverLines({ ...found, skipped: [] }).join("\n")).not.toContain("ead-lettered");
});

test("what was left alone is named, the first few of it", async () => {
  const items = Array.from({ length: 22 }, (_, index) => ({
    kind: "store-entry" as const,
    key: `records/x${index}`,
    problem: "it is a pipe",
  }));
  const leftAlone = leftAloneReport(items);
  const lines = await runLines({ ...reportOf([]), ...(leftAlone && { leftAlone }) });
  expect(lines).toContain("Left alone because the program cannot understand them: 22");
  expect(lines).toContain("  the entry records/x0 of the store: it is a pipe");
  expect(lines.at(-1)).toBe("  and 2 more");
});
