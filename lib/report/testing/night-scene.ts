import type { ExportTask } from "../../domain/export-task.ts";
import { revisionOf } from "../../domain/export-task.ts";
import type { InventoryState } from "../../records/inventory-state.ts";
import { emptyCounts, type RunReport, type TaskEntry } from "../../records/run-report.ts";
import type { EarlierNight, NightFacts, NightLine, PlatformSeen } from "../night-facts.ts";
import { nightOf } from "../night-of.ts";
import { addDays } from "../zoned-time.ts";

/** The report of this scene is made at 07:00 in UTC; its night began a day before. */
export const MADE_AT_MS = Date.parse("2026-11-28T07:00:00Z");
export const FROM_MS = Date.parse("2026-11-27T07:00:00Z");
export const DATE = "2026-11-28";

/** A time of the night or of the day before, `HH:mm`. */
export function at(time: string): string {
  const date = time < "07:00" ? "2026-11-28" : "2026-11-27";
  return `${date}T${time}:00.000Z`;
}

/** Facts of a night in which one run ended and found nothing to do. */
export function facts(changes: Partial<NightFacts> = {}): NightFacts {
  return {
    scope: { projectId: "project-1", instanceId: undefined },
    endpoint: "https://iotda.cn-north-4.myhuaweicloud.com",
    timeZone: "UTC",
    date: DATE,
    fromMs: FROM_MS,
    madeAtMs: MADE_AT_MS,
    deletion: "after-verify",
    runs: [run()],
    platform: platform([]),
    lines: [],
    inventory: inventory(),
    earlier: [],
    rules: [],
    notNotified: [],
    unknown: {},
    ...changes,
  };
}

/** The night of such facts. */
export function night(changes: Partial<NightFacts> = {}) {
  return nightOf(facts(changes));
}

/** A run that ended at a time of the night. */
export function run(changes: Partial<RunReport> = {}, endedAt = at("03:00")): RunReport {
  return {
    runId: `run-${endedAt}`,
    startedAt: new Date(Date.parse(endedAt) - 600_000).toISOString(),
    endedAt,
    stopReason: "drained",
    counts: emptyCounts(),
    bytes: 0,
    pacing: "shared",
    tasks: [],
    platform: { held: 0, limit: 50 },
    ...changes,
  };
}

/** A run that worked on these. */
export function runOn(tasks: readonly Partial<TaskEntry>[], endedAt = at("03:00")): RunReport {
  return run(
    { tasks: tasks.map((task) => ({ exportTaskId: "a", outcome: "retried", durationMs: 1, ...task })) },
    endedAt,
  );
}

/** An export on the platform, finished ten minutes after it was made. */
export function task(exportTaskId: string, createTime = at("01:00"), changes: Partial<ExportTask> = {}) {
  const listed: ExportTask = {
    exportTaskId,
    status: "Success",
    resourceType: "batchTask",
    resourceCondition: { task_id: `batch-${exportTaskId}` },
    appType: undefined,
    appId: undefined,
    exportCount: 5,
    createTime,
    endTime: new Date(Date.parse(createTime) + 600_000).toISOString(),
    source: {},
    ...changes,
  };
  return listed;
}

/** @param archived ids of those that have a copy. */
export function platform(
  tasks: readonly ExportTask[],
  archived: readonly string[] = [],
  changes: Partial<PlatformSeen> = {},
): PlatformSeen {
  const names = tasks.filter(({ exportTaskId }) => archived.includes(exportTaskId)).map(nameOfTask);
  return { tasks, oddItems: 0, archived: new Set(names), givenUp: new Map(), ...changes };
}

export function nameOfTask(listed: ExportTask): string {
  return `${listed.exportTaskId}/${revisionOf(listed)}`;
}

/** What the records say of an archived export. */
export function line(exportTaskId: string, changes: Partial<NightLine> = {}): NightLine {
  return {
    exportTaskId,
    revision: "0a1b2c3d",
    createTime: at("01:00"),
    exportCount: 5,
    key: `exports/project-1/default/2026/11/28/${exportTaskId}/0a1b2c3d-abcdef.zip`,
    sizeBytes: 100,
    sha256: "0".repeat(64),
    archivedAt: at("02:00"),
    ...changes,
  };
}

export function inventory(changes: Partial<InventoryState> = {}): InventoryState {
  return {
    startedAt: at("04:00"),
    stopReason: "done",
    counts: { exports: 0, orphans: 0 },
    damage: [],
    unremoved: [],
    ...changes,
  };
}

/** Nights before this one, the last of them yesterday. */
export function earlier(count: number, changes: Partial<EarlierNight> = {}): readonly EarlierNight[] {
  return Array.from({ length: count }, (_, index) => ({
    date: addDays(DATE, index - count),
    verdict: "ok" as const,
    made: 10,
    streak: index + 1,
    ...changes,
  }));
}
