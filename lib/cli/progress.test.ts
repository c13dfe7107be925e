import { expect, test } from "vitest";
import type { ArchiveEvent } from "../archive/events.ts";
import { Progress, progressLines } from "./progress.ts";

const STARTED: ArchiveEvent = {
  kind: "run-started",
  runId: "run-1",
  pacing: "shared",
  held: 3,
  oldest: "export-01",
  deletion: "after-verify",
};

function ended(exportTaskId: string, delayMs?: number): ArchiveEvent {
  const outcome = delayMs === undefined ? "archived-deleted" : "retried";
  return { kind: "task-ended", entry: { exportTaskId, outcome, durationMs: 1 }, delayMs };
}

function downloading(exportTaskId: string): readonly ArchiveEvent[] {
  return [
    { kind: "task-started", exportTaskId, attempts: 0 },
    { kind: "download-started", exportTaskId, idempotencyKey: "key", expectedSizeBytes: undefined },
  ];
}

/** What a terminal shows after these events of a run that has three exports to archive. */
function shownAfter(...events: readonly ArchiveEvent[]): string {
  const progress = new Progress();
  progress.note(STARTED);
  progress.expect({
    exportTaskIds: ["export-01", "export-02", "export-03"],
    downloadIntervalMs: 31_000,
  });
  for (const event of events) {
    progress.note(event);
  }
  return progressLines(progress, 0).join("\n");
}

test("the total, what is left of it and the least time are shown before the first download", () => {
  const shown = shownAfter();
  expect(shown).toContain("export slots 3/50");
  expect(shown).toContain("left 3 of 3  ·  at least 1 min 02 s if all are downloaded");
});

test("an export that has ended is left no more, and the last download may begin at once", () => {
  const shown = shownAfter(...downloading("export-01"), ended("export-01"), ...downloading("export-02"));
  expect(shown).toMatch(/left 2 of 3$/m);
});

test("an export that is tried again later is still left", () => {
  expect(shownAfter(ended("export-01", 60_000))).toContain("left 3 of 3");
});

test("when everything is downloaded no time is named", () => {
  const events = ["export-01", "export-02", "export-03"].flatMap(downloading);
  expect(shownAfter(...events)).toMatch(/left 3 of 3$/m);
});

test("the export that goes next is that of the newest list, and none on an empty platform", () => {
  const line = "destroyed first when the slots are full: ";
  expect(shownAfter()).toContain(`${line}export-01`);
  expect(shownAfter({ kind: "listed", held: 2, oldest: "export-02" })).toContain(`${line}export-02`);
  expect(shownAfter({ kind: "listed", held: 0 })).not.toContain(line);
});

test("a run that was told of no work counts nothing", () => {
  const progress = new Progress();
  progress.note(STARTED);
  expect(progressLines(progress, 0).join("\n")).not.toContain("left");
});

test("no line is longer than 80 columns", () => {
  const id = "e".repeat(36);
  const progress = new Progress();
  progress.note({ kind: "listed", held: 50, oldest: id });
  progress.expect({
    exportTaskIds: Array.from({ length: 50 }, (_, n) => `export-${n}`),
    downloadIntervalMs: 31_000,
  });
  const failure = { code: "network", message: "it failed", hint: "Wait." };
  const failed: ArchiveEvent = { kind: "failed", exportTaskId: "export-1", failure, verdict: "held" };
  for (const event of [...downloading(id), failed]) {
    progress.note(event);
  }
  expect(progressLines(progress, 0)).toContain("  failed tries 1");
  for (const line of progressLines(progress, 0)) {
    expect(line.length, line).toBeLessThanOrEqual(80);
  }
});
