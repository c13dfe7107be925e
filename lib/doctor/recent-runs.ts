import type { PlatformScope } from "../domain/export-task.ts";
import { DAY_MS, startOfDayMs } from "../domain/utc-day.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { RunReport } from "../records/run-report.ts";
import { readRunReports } from "../records/run-reports.ts";
import type { StorePort } from "./ports.ts";

/** How far back reports are read. A file is read at once, an object takes a request. */
const DAYS_OF_FOLDER = 7;
const DAYS_OF_BUCKET = 2;

/** The runs of the last days. */
export interface RecentRuns {
  readonly days: number;
  /** The one that ended last comes first. */
  readonly runs: readonly RunReport[];
}

/** Reads the reports of the last days. Throws what the store throws. */
export async function recentRuns(
  store: Pick<StorePort, "list" | "getDocument" | "folder">,
  scope: PlatformScope,
  nowMs: number,
  options: CallOptions,
): Promise<RecentRuns> {
  const days = store.folder === undefined ? DAYS_OF_BUCKET : DAYS_OF_FOLDER;
  const period = { fromMs: nowMs - days * DAY_MS, toMs: nowMs + DAY_MS };
  const runs = await readRunReports(store, scope, period, options);
  return { days, runs: [...runs].sort((a, b) => Date.parse(b.endedAt) - Date.parse(a.endedAt)) };
}

/** How many bytes the largest of these nights took, by UTC days. 0 where none took any. */
export function largestNightBytes({ runs }: RecentRuns): number {
  const nights = new Map<number, number>();
  for (const { startedAt, bytes } of runs) {
    const dayMs = startOfDayMs(Date.parse(startedAt));
    nights.set(dayMs, (nights.get(dayMs) ?? 0) + bytes);
  }
  return Math.max(0, ...nights.values());
}
