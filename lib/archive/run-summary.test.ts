import { expect, test } from "vitest";
import { SeededRandom } from "../../test/world/seeded-random.ts";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import type { ExportTask } from "../domain/export-task.ts";
import { LeftAloneTally } from "../domain/left-alone.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { emptyCounts } from "../records/run-report.ts";
import type { RunStart } from "../run/run-frame.ts";
import type { ArchiveEvent, ArchivePorts } from "./events.ts";
import type { PreflightResult } from "./run.ts";
import { failedRunReport, summarize } from "./run-summary.ts";

const START_WALL_MS = Date.UTC(2026, 10, 22, 1, 0, 0);

/** A run that has this long left, on a clock that begins at 0. */
function startIn(leftMs: number): RunStart {
  const runId = "20261122T010000000Z-00000000";
  return { runId, startedAtMs: START_WALL_MS, startedMonotonicMs: 0, limitAtMs: leftMs };
}

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
    platform: { limit: 50 },
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
  const records = { ofTask: async () => ({ revisions: new Map(), leftAlone: [] }) };
  const ready: unknown = {
    abilities: { compareAndSwap: true },
    records,
    list: { tasks: [undated], oddItems: [], startedAtMs: 0 },
    leftAlone: new LeftAloneTally(() => undefined),
  };
  const start = startIn(60_000);
  const ending = { stopReason: "no-pressure", tasks: [], ready: ready as PreflightResult } as const;
  const report = await clock.run(() =>
    summarize(ports as ArchivePorts, { projectId: "project-1", instanceId: undefined }, start, ending),
  );
  expect(report.platform).toEqual({ held: 1, limit: 50 });
  expect(told).toEqual(["run-ended"]);
});

test.each([
  ["of 8 s, 2 are for the look and half of the rest for the report", 8_000, 2_000, 5_000],
  ["of much, 5 s are for each", 600_000, 5_000, 10_000],
  ["of no time, nothing is", -1, 0, 0],
])("calls that hang are cut: %s", async (_which, leftMs, lookCutAtMs, reportCutAtMs) => {
  const clock = new VirtualClock({ startWallMs: START_WALL_MS });
  const cutAtMs: number[] = [];
  const hang = async ({ signal }: { readonly signal: AbortSignal }) => {
    await clock.sleep(Number.POSITIVE_INFINITY, signal).finally(() => cutAtMs.push(clock.monotonicMs()));
    throw new Error("nothing hangs for ever");
  };
  const told: string[] = [];
  const observe = (event: ArchiveEvent) => told.push(event.kind === "warning" ? event.code : event.kind);
  const store = {
    putDocument: (...[, , , options]: Parameters<ObjectStore["putDocument"]>) => hang(options),
  };
  const ports: unknown = { clock, observe, store };
  const records = { ofTask: (_id: string, options: CallOptions) => hang(options) };
  const task = { exportTaskId: "export-01", status: "Success", createTime: "2026-11-21T01:00:00.000Z" };
  const ready: unknown = {
    abilities: { compareAndSwap: true },
    records,
    list: { tasks: [task], oddItems: [], startedAtMs: 0 },
    leftAlone: new LeftAloneTally(() => undefined),
  };
  const start = startIn(leftMs);
  const ending = { stopReason: "drained", tasks: [], ready: ready as PreflightResult } as const;
  const report = await clock.run(() =>
    summarize(ports as ArchivePorts, { projectId: "project-1", instanceId: undefined }, start, ending),
  );
  expect(report.platform).toEqual({ held: 1, limit: 50 });
  expect(told).toEqual(["oldest-unknown", "report-not-stored", "run-ended"]);
  expect(cutAtMs).toEqual([lookCutAtMs, reportCutAtMs]);
});
