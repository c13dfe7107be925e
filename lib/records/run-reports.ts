import * as v from "valibot";
import { compact } from "../domain/compact.ts";
import { isSameScope, type PlatformScope } from "../domain/export-task.ts";
import { inBatches } from "../domain/promises.ts";
import { DAY_MS, startOfDayMs } from "../domain/utc-day.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { type RunReport, runReportKeys } from "./run-report.ts";
import { isoTime, parseRecord } from "./schemas.ts";

/** More than one run a minute for a day is a loop of somebody's script. */
const MAX_REPORTS_READ = 2_000;
const READS_AT_ONCE = 16;
/** A run works on what passes through the platform while it lasts. */
const MAX_TASKS = 10_000;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(10_000));
const name = v.pipe(v.string(), v.maxLength(256));

/** A stored report, as a night reads it. Older ones lack some fields; one that does not fit is passed over. */
const storedRunReportSchema = v.object({
  runId: name,
  projectId: v.optional(name),
  instanceId: v.optional(name),
  startedAt: isoTime,
  endedAt: isoTime,
  stopReason: v.picklist(["drained", "time-budget", "system-failure", "aborted", "no-pressure"]),
  counts: v.object({
    received: count,
    archived: count,
    deleted: count,
    kept: count,
    postponed: count,
    retried: count,
    deadLettered: count,
    throttled: count,
  }),
  bytes: count,
  pacing: v.picklist(["shared", "unshared"]),
  tasks: v.pipe(
    v.array(
      v.object({
        exportTaskId: name,
        revision: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/))),
        outcome: v.picklist([
          "archived-deleted",
          "archived-kept",
          "deleted",
          "already-done",
          "postponed",
          "retried",
          "dead-lettered",
        ]),
        reason: v.optional(name),
        sizeBytes: v.optional(count),
        durationMs: v.pipe(v.number(), v.minValue(0)),
      }),
    ),
    v.maxLength(MAX_TASKS),
  ),
  platform: v.object({
    held: v.optional(count),
    limit: count,
    seenAt: v.optional(isoTime),
    oldestUnarchived: v.optional(v.object({ exportTaskId: name, createTime: name })),
    nextToGo: v.optional(v.object({ exportTaskId: name, archived: v.optional(v.boolean()) })),
  }),
  leftAlone: v.optional(v.object({ count })),
  failure: v.optional(v.object({ code: name, message: text, hint: text })),
});

/** From when to when reports are wanted, by the ends of their runs; epoch milliseconds, both included. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The reports of archive runs of a project and instance that ended in a period, in no promised order. A report that does
 * not say whose it is counts for everyone. What cannot be read as a report is passed over, and of more than 2,000
 * the newest are read. What was left alone is counted and not named.
 *
 * @throws what the store throws.
 */
export async function readRunReports(
  store: Pick<ObjectStore, "list" | "getDocument">,
  scope: PlatformScope,
  { fromMs, toMs }: Period,
  options: CallOptions,
): Promise<readonly RunReport[]> {
  const keys: string[] = [];
  // A report lies under the day on which its run started, by the clock of its machine.
  for (let dayMs = startOfDayMs(fromMs) - DAY_MS; dayMs <= toMs + DAY_MS; dayMs += DAY_MS) {
    for await (const key of runReportKeys(store, dayMs, options)) {
      keys.push(key);
    }
  }
  const reports = await readNewest(store, scope, keys, MAX_REPORTS_READ, options);
  return reports.filter(({ endedAt }) => Date.parse(endedAt) >= fromMs && Date.parse(endedAt) <= toMs);
}

/** A scheduler that is off for longer is a finding of every report. */
const DAYS_LOOKED_BACK = 7;

/**
 * The newest of these reports, in the order in which their runs started. It looks back over a week at most, and stops at
 * the first day that has any.
 *
 * @throws what the store throws.
 */
export async function readNewestRunReports(
  store: Pick<ObjectStore, "list" | "getDocument">,
  scope: PlatformScope,
  { nowMs, limit }: { readonly nowMs: number; readonly limit: number },
  options: CallOptions,
): Promise<readonly RunReport[]> {
  for (let days = -1; days <= DAYS_LOOKED_BACK; days += 1) {
    const keys: string[] = [];
    for await (const key of runReportKeys(store, nowMs - days * DAY_MS, options)) {
      keys.push(key);
    }
    const reports = await readNewest(store, scope, keys, limit, options);
    if (reports.length > 0) {
      return reports;
    }
  }
  return [];
}

/** Of these reports the newest, in the order of their starts: a run id begins with its moment. */
async function readNewest(
  store: Pick<ObjectStore, "getDocument">,
  scope: PlatformScope,
  keys: readonly string[],
  limit: number,
  options: CallOptions,
): Promise<readonly RunReport[]> {
  const reports: RunReport[] = [];
  const read = async (key: string) => parseRunReport(await store.getDocument(key, options));
  for await (const report of inBatches(keys.toSorted().slice(-limit), READS_AT_ONCE, read)) {
    if (report !== undefined && isOf(report, scope)) {
      reports.push(report);
    }
  }
  return reports;
}

function parseRunReport(document: Parameters<typeof parseRecord>[1]): RunReport | undefined {
  const stored = parseRecord(storedRunReportSchema, document);
  if (stored === undefined) {
    return undefined;
  }
  const { leftAlone, platform, tasks, projectId, instanceId, failure, ...rest } = stored;
  const { limit, ...seen } = platform;
  return {
    ...rest,
    tasks: tasks.map((task) => compact(task)),
    platform: { limit, ...compact({ ...seen, nextToGo: seen.nextToGo && compact(seen.nextToGo) }) },
    ...compact({
      projectId,
      instanceId,
      failure,
      leftAlone: leftAlone && { count: leftAlone.count, items: [] },
    }),
  };
}

function isOf(report: RunReport, scope: PlatformScope): boolean {
  return report.projectId === undefined || isSameScope(report, scope);
}
