import { describeFailure, type Failure } from "../domain/errors.ts";
import { type ExportTask, oldestFirst, revisionOf } from "../domain/export-task.ts";
import { runIdOf } from "../domain/key-layout.ts";
import type { Records } from "../records/records.ts";
import {
  emptyCounts,
  type PlatformPlaces,
  type RunReport,
  type StopReason,
  type TaskEntry,
} from "../records/run-report.ts";
import { writeRunReport } from "../records/run-reports.ts";
import { recordsOfRevision } from "../records/task-records.ts";
import type { ArchivePorts } from "./ports.ts";
import type { PreflightResult } from "./preflight.ts";
import type { Run } from "./run.ts";
import { PLACES_LIMIT } from "./settings.ts";
import { withOwnLimit } from "./time-limit.ts";

/** Looking for the oldest unarchived export and storing the report share this. */
const SUMMARY_LIMIT_MS = 10_000;

/** How a run ended, and as far as it got. */
export interface RunEnding {
  readonly stopReason: StopReason;
  readonly tasks: readonly TaskEntry[];
  readonly failure?: Failure | undefined;
  /** Missing when the preflight did not pass. */
  readonly ready?: PreflightResult;
  readonly run?: Run;
}

/** The run's name, start, and the time it has left for its summary. */
export interface RunFrame {
  readonly runId: string;
  readonly startedAtMs: number;
  readonly leftMs: number;
}

/** Makes the run report and stores it. A report that cannot be stored is still returned, with a warning. */
export async function summarize(ports: ArchivePorts, frame: RunFrame, ending: RunEnding): Promise<RunReport> {
  const { runId, startedAtMs } = frame;
  const { ready, run } = ending;
  const limitMs = Math.min(SUMMARY_LIMIT_MS, Math.max(0, frame.leftMs) / 2);
  return await withOwnLimit(ports.clock, limitMs, async (signal) => {
    const report: RunReport = {
      runId,
      startedAt: new Date(startedAtMs).toISOString(),
      endedAt: new Date(ports.clock.wallMs()).toISOString(),
      stopReason: ending.stopReason,
      counts: run?.counts ?? emptyCounts(),
      bytes: run?.archivedBytes ?? 0,
      pacing: ready?.abilities.compareAndSwap === false ? "unshared" : "shared",
      tasks: ending.tasks,
      platform:
        ready === undefined
          ? { held: 0, limit: PLACES_LIMIT }
          : await places(ports, ready.records, run?.lastSeen ?? ready.list.tasks, signal),
      ...(ending.failure === undefined ? {} : { failure: ending.failure }),
    };
    try {
      await writeRunReport(ports.store, report, startedAtMs, { signal });
    } catch (error) {
      const { message } = describeFailure(error);
      ports.observe({
        kind: "warning",
        code: "report-not-stored",
        message: `the run report could not be stored: ${message}`,
      });
    }
    ports.observe({ kind: "run-ended", report });
    return report;
  });
}

/** The report of a run that failed before it could begin: a configuration that cannot work. */
export function failedRunReport(
  { clock, random }: Pick<ArchivePorts, "clock" | "random">,
  failure: Failure,
): RunReport {
  const nowMs = clock.wallMs();
  const now = new Date(nowMs).toISOString();
  return {
    runId: runIdOf(nowMs, random.hex(4)),
    startedAt: now,
    endedAt: now,
    stopReason: "system-failure",
    counts: emptyCounts(),
    bytes: 0,
    pacing: "shared",
    tasks: [],
    platform: { held: 0, limit: PLACES_LIMIT },
    failure,
  };
}

/** The places held, and the export that has waited longest for its archive. */
async function places(
  ports: ArchivePorts,
  records: Records,
  tasks: readonly ExportTask[],
  signal: AbortSignal,
): Promise<PlatformPlaces> {
  const held = { held: tasks.length, limit: PLACES_LIMIT };
  try {
    for (const task of oldestFirst(tasks)) {
      if (task.status !== "Success" || task.createTime === undefined) {
        continue;
      }
      const known = recordsOfRevision(await records.ofTask(task.exportTaskId, { signal }), revisionOf(task));
      if (known.archived === undefined) {
        return {
          ...held,
          oldestUnarchived: { exportTaskId: task.exportTaskId, createTime: task.createTime },
        };
      }
    }
  } catch (error) {
    ports.observe({
      kind: "warning",
      code: "oldest-unknown",
      message: `the oldest unarchived export could not be found out: ${describeFailure(error).message}`,
    });
  }
  return held;
}
