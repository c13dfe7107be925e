import * as v from "valibot";
import type { Failure } from "../domain/errors.ts";
import { runReportKey, runReportsFolder } from "../domain/key-layout.ts";
import type { LeftAloneReport } from "../domain/left-alone.ts";
import { DAY_MS, startOfDayMs } from "../domain/utc-day.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { jsonText } from "./create-once.ts";
import { isoTime, parseRecord } from "./schemas.ts";

/** How one attempt at a task ended (architecture §6.4). */
export type TaskOutcome =
  | "archived-deleted"
  | "archived-kept"
  | "deleted"
  | "already-done"
  | "postponed"
  | "retried"
  | "dead-lettered";

/** Why an archived task stays on the platform. */
export type KeepReason =
  /** The copy lies in a storage class that cannot be read, and was read too long ago to delete on its strength. */
  | "copy-cold"
  | "delete-disabled"
  | "hold"
  | "expired"
  | "sibling"
  /** It may be gone: for 48 h no list showed it, and none could prove it. */
  | "odd-list";

/** Why a task is looked at again later, with its attempts unchanged. */
export type PostponeReason =
  | "unfinished"
  | "absent"
  /** Its own item in the platform's list cannot be understood. */
  | "left-alone"
  /** No list shows it, and one with items that cannot be understood proves nothing. */
  | "odd-list"
  | "throttled"
  | "sibling"
  | "revision-changed"
  | "gate-too-slow"
  | "copy-missing"
  | "still-listed"
  | "lost-race"
  | "cut-by-time-limit"
  /** The plan of this run does not say so. */
  | "not-in-plan"
  /** Its revision, what holds it or its records are not as they were when the plan was made. */
  | "changed-since-plan"
  | "system-failure";

/** One attempt at one task. */
export interface TaskEntry {
  readonly exportTaskId: string;
  readonly revision?: string;
  readonly outcome: TaskOutcome;
  /** A {@link KeepReason}, {@link PostponeReason}, dead-letter reason, or the code of the error behind a retry. */
  readonly reason?: string;
  readonly sizeBytes?: number;
  readonly durationMs: number;
}

export type StopReason = "drained" | "time-budget" | "system-failure" | "aborted" | "no-pressure";

export interface RunCounts {
  received: number;
  archived: number;
  deleted: number;
  kept: number;
  postponed: number;
  retried: number;
  deadLettered: number;
  throttled: number;
}

/** What an archive run returns and stores (architecture §6.4). */
export interface RunReport {
  readonly runId: string;
  /** Whose exports it archived. Reports of older versions do not say. */
  readonly projectId?: string;
  /** Missing for the default instance. */
  readonly instanceId?: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly stopReason: StopReason;
  readonly counts: Readonly<RunCounts>;
  /** Bytes of the exports archived in this run. */
  readonly bytes: number;
  readonly pacing: "shared" | "unshared";
  readonly tasks: readonly TaskEntry[];
  readonly platform: PlatformPlaces;
  /** What the run could not understand and left as it was. */
  readonly leftAlone?: LeftAloneReport;
  readonly failure?: Failure;
}

export interface PlatformPlaces {
  /** Export tasks on the platform when the run last saw them; missing when it never did. Older reports say 0 then. */
  readonly held?: number;
  readonly limit: number;
  /** When they were seen; missing where that was at the run's end. */
  readonly seenAt?: string;
  readonly oldestUnarchived?: { readonly exportTaskId: string; readonly createTime: string };
  /** Only while few export slots are free. */
  readonly nextToGo?: NextToGo;
}

/** The export task that is destroyed first when the platform runs out of slots. */
export interface NextToGo {
  readonly exportTaskId: string;
  /** Missing where the store could not tell. */
  readonly archived?: boolean;
}

/** No counts yet. */
export function emptyCounts(): RunCounts {
  return {
    received: 0,
    archived: 0,
    deleted: 0,
    kept: 0,
    postponed: 0,
    retried: 0,
    deadLettered: 0,
    throttled: 0,
  };
}

/** The count that an attempt's outcome adds to, besides `archived` and `deleted`, which count effects. */
const COUNT_OF_OUTCOME: Readonly<Record<TaskOutcome, keyof RunCounts | undefined>> = {
  "archived-kept": "kept",
  postponed: "postponed",
  retried: "retried",
  "dead-lettered": "deadLettered",
  "archived-deleted": undefined,
  deleted: undefined,
  "already-done": undefined,
};

/** Counts how an attempt ended. */
export function countOutcome(counts: RunCounts, outcome: TaskOutcome): void {
  const name = COUNT_OF_OUTCOME[outcome];
  if (name !== undefined) {
    counts[name] += 1;
  }
}

/** How far back a crash loop is looked into; queues forget after 14 days. */
const MAX_DAYS_BACK = 14;
const MAX_REPORTS_READ = 2_000;

const tasksOfReportSchema = v.object({
  endedAt: isoTime,
  tasks: v.array(v.object({ exportTaskId: v.string() })),
});

/** Keeps a run's report. The run id is random, so the key is free. */
export async function writeRunReport(
  store: ObjectStore,
  report: RunReport,
  startedAtMs: number,
  options: CallOptions,
): Promise<void> {
  const key = runReportKey(startedAtMs, report.runId);
  await store.putDocument(key, jsonText(report), { kind: "always" }, options);
}

/** The keys of the reports of the runs that started on this UTC day, in no promised order. Throws what the store throws. */
export async function* runReportKeys(
  store: Pick<ObjectStore, "list">,
  dayMs: number,
  options: CallOptions,
): AsyncGenerator<string, void, undefined> {
  for await (const { key, oddity } of store.list(runReportsFolder(dayMs), options)) {
    if (oddity === undefined) {
      yield key;
    }
  }
}

/**
 * Whether any run that ended on its own since `sinceMs` worked on this task. A runner that crashed leaves no
 * report, which is what tells a crash loop from a slow task.
 */
export async function isNamedByReport(
  store: ObjectStore,
  exportTaskId: string,
  sinceMs: number,
  nowMs: number,
  options: CallOptions,
): Promise<boolean> {
  const fromMs = Math.max(sinceMs, nowMs - MAX_DAYS_BACK * DAY_MS);
  let reportsRead = 0;
  // A report lies under the day its run started on, which may be the day before the one it ended on.
  for (let dayMs = startOfDayMs(nowMs); dayMs > fromMs - 2 * DAY_MS; dayMs -= DAY_MS) {
    for await (const key of runReportKeys(store, dayMs, options)) {
      reportsRead += 1;
      if (reportsRead > MAX_REPORTS_READ) {
        return false;
      }
      const report = parseRecord(tasksOfReportSchema, await store.getDocument(key, options));
      if (report === undefined || Date.parse(report.endedAt) < fromMs) {
        continue;
      }
      if (report.tasks.some((entry) => entry.exportTaskId === exportTaskId)) {
        return true;
      }
    }
  }
  return false;
}
