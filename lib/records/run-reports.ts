import * as v from "valibot";
import { runReportKey, runReportsFolder } from "../domain/key-layout.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { jsonText } from "./create-once.ts";
import type { RunReport } from "./run-report.ts";
import { isoTime, parseRecord } from "./schemas.ts";

const DAY_MS = 24 * 3_600_000;
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
  for (let dayMs = Math.floor(nowMs / DAY_MS) * DAY_MS; dayMs > fromMs - 2 * DAY_MS; dayMs -= DAY_MS) {
    for await (const object of store.list(runReportsFolder(dayMs), options)) {
      if (object.oddity !== undefined) {
        continue;
      }
      reportsRead += 1;
      if (reportsRead > MAX_REPORTS_READ) {
        return false;
      }
      const report = parseRecord(tasksOfReportSchema, await store.getDocument(object.key, options));
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
