import { expect, test } from "vitest";
import { SeededRandom } from "../../test/world/seeded-random.ts";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import type { ExportTask } from "../domain/export-task.ts";
import { emptyCounts } from "../records/run-report.ts";
import type { ArchiveEvent } from "./events.ts";
import type { ArchivePorts } from "./ports.ts";
import type { PreflightResult } from "./preflight.ts";
import { failedRunReport, summarize } from "./run-summary.ts";

const START_WALL_MS = Date.UTC(2026, 10, 22, 1, 0, 0);

test("a run that failed before it could begin has a whole report all the same", () => {
  const clock = new VirtualClock({ startWallMs: START_WALL_MS });
  const failure = { code: "configuration", message: "ARCHIVER_STORE is missing", hint: "Set it." };
  expect(failedRunReport({ clock, random: new SeededRandom(1) }, failure)).toEqual({
    runId: expect.stringMatching(/^20261122T010000000Z-[0-9a-f]{8}$/),
    startedAt: "2026-11-22T01:00:00.000Z",
    endedAt: "2026-11-22T01:00:00.000Z",
    stopReason: "system-failure",
    counts: emptyCounts(),
    bytes: 0,
    pacing: "shared",
    tasks: [],
    platform: { held: 0, limit: 50 },
    failure,
  });
});

test("an export without a time of creation is counted, but its age cannot be told", async () => {
  const clock = new VirtualClock({ startWallMs: START_WALL_MS });
  const undated: Pick<ExportTask, "exportTaskId" | "status" | "createTime"> = {
    exportTaskId: "export-01",
    status: "Success",
    createTime: undefined,
  };
  // Of the ports and the preflight, a summary needs these.
  const told: string[] = [];
  const observe = ({ kind }: ArchiveEvent) => told.push(kind);
  const ports: unknown = { clock, observe, store: { putDocument: async () => "written" } };
  const records = { ofTask: async () => ({ revisions: new Map() }) };
  const ready: unknown = { abilities: { compareAndSwap: true }, records, list: { tasks: [undated] } };
  const frame = { runId: "20261122T010000000Z-00000000", startedAtMs: START_WALL_MS, leftMs: 60_000 };
  const ending = { stopReason: "no-pressure", tasks: [], ready: ready as PreflightResult } as const;
  const report = await clock.run(() => summarize(ports as ArchivePorts, frame, ending));
  expect(report.platform).toEqual({ held: 1, limit: 50 });
  expect(told).toEqual(["run-ended"]);
});
