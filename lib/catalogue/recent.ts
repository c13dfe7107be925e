import * as v from "valibot";
import { isExportTaskId, type PlatformScope } from "../domain/export-task.ts";
import { taskRecordsFolder } from "../domain/key-layout.ts";
import { inBatches } from "../domain/promises.ts";
import { DAY_MS, startOfDayMs } from "../domain/utc-day.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { nameOfLine } from "../records/catalogue.ts";
import { type CatalogueLine, lineOf } from "../records/catalogue-line.ts";
import { type RecordedRevision, RetentionRecords } from "../records/retention-records.ts";
import { runReportKeys } from "../records/run-report.ts";
import { isoTime, parseRecord } from "../records/schemas.ts";
import type { Damage } from "./damage.ts";

/** A catalogue that is older than this is brought up to date by an inventory, not by reading run reports. */
const MAX_DAYS_BACK = 31;
const MAX_REPORTS_READ = 2_000;
const READS_AT_ONCE = 16;
/** Lines that are only shown carry no tag of their records. */
const NO_TAG = "000000000000";

const reportSchema = v.object({
  endedAt: isoTime,
  counts: v.object({ archived: v.number(), deleted: v.number() }),
  tasks: v.array(v.object({ exportTaskId: v.string() })),
});

/** What archive runs did since the catalogue was made. */
export interface RecentChanges {
  /** The lines of the revisions as their records are now, by name. */
  readonly lines: ReadonlyMap<string, CatalogueLine>;
  readonly unreadable: readonly Damage[];
  /** Whether all run reports since then were looked at. */
  readonly isWhole: boolean;
}

/**
 * Reads the records of those tasks that run reports name. A run that is still under way, or that died, left no report:
 * the next inventory shows what it archived.
 */
export async function recentChanges(
  store: ObjectStore,
  scope: PlatformScope,
  { sinceMs, nowMs }: { readonly sinceMs: number; readonly nowMs: number },
  options: CallOptions,
): Promise<RecentChanges> {
  const { tasks, isWhole } = await tasksOfRuns(store, sinceMs, nowMs, options);
  // Nothing is written.
  const records = new RetentionRecords(store, scope, { createOnce: false });
  const lines = new Map<string, CatalogueLine>();
  const unreadable: Damage[] = [];
  const archivedOf = async (exportTaskId: string) =>
    (await records.revisionsOf(exportTaskId, options)).filter(({ numbers }) => numbers.archived > 0);
  const revisions: RecordedRevision[] = [];
  for await (const found of inBatches([...tasks], READS_AT_ONCE, archivedOf)) {
    revisions.push(...found);
  }
  const read = (revision: RecordedRevision) => records.read(revision, options);
  for await (const ledger of inBatches(revisions, READS_AT_ONCE, read)) {
    const line = lineOf(ledger, NO_TAG);
    if (line === undefined) {
      const { exportTaskId, revision } = ledger;
      const key = `${taskRecordsFolder(scope, exportTaskId)}${revision}/`;
      unreadable.push({ exportTaskId, revision, kind: "unreadable-record", key });
    } else {
      lines.set(nameOfLine(line), line);
    }
  }
  return { lines, unreadable, isWhole };
}

/** The tasks that any run worked on which changed something, and ended after `sinceMs`. */
async function tasksOfRuns(store: ObjectStore, sinceMs: number, nowMs: number, options: CallOptions) {
  const keys: string[] = [];
  // A report lies under the day its run started on, by the clock of its machine.
  const firstMs = Math.max(sinceMs - DAY_MS, nowMs - MAX_DAYS_BACK * DAY_MS);
  for (let dayMs = startOfDayMs(nowMs) + DAY_MS; dayMs >= startOfDayMs(firstMs); dayMs -= DAY_MS) {
    for await (const key of runReportKeys(store, dayMs, options)) {
      keys.push(key);
    }
  }
  const newest = keys.sort().slice(-MAX_REPORTS_READ);
  const tasks = new Set<string>();
  const read = async (key: string) => parseRecord(reportSchema, await store.getDocument(key, options));
  for await (const report of inBatches(newest, READS_AT_ONCE, read)) {
    const hasChanged = report !== undefined && report.counts.archived + report.counts.deleted > 0;
    if (!hasChanged || Date.parse(report.endedAt) < sinceMs) {
      continue;
    }
    for (const { exportTaskId } of report.tasks) {
      if (isExportTaskId(exportTaskId)) {
        tasks.add(exportTaskId);
      }
    }
  }
  const isWhole = newest.length === keys.length && firstMs === sinceMs - DAY_MS;
  return { tasks, isWhole };
}
