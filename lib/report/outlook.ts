import { compact } from "../domain/compact.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { RunReport } from "../records/run-report.ts";
import { readNewestRunReports } from "../records/run-reports.ts";
import { PLACES_LIMIT } from "../run/platform-list.ts";
import { datesBefore, readStoredNights } from "./earlier-nights.ts";
import { forecastSlots, PACE_NIGHTS } from "./forecast.ts";
import type { Night, NightRun } from "./night.ts";
import type { PlatformSeen } from "./night-facts.ts";
import { seenInList } from "./places.ts";
import { addDays } from "./zoned-time.ts";

/** Among these newest runs one is looked for that came to its end. */
const RUNS_READ = 10;

/** What the archive remembers of the last run and the last night, and what may be lost next. */
export interface Outlook {
  /** The newest run that was not interrupted. Missing where none ended in the last days. */
  readonly lastRun?: Pick<RunReport, "endedAt" | "stopReason"> & Pick<NightRun, "archived" | "failureCode">;
  /** The newest run that a failure of the system did not stop; missing where that is the last one, or none. */
  readonly lastGoodRunAt?: string;
  /** From its report. Missing where there is none of the last days. */
  readonly lastNight?: Pick<Night, "date" | "verdict"> & {
    readonly finished: number;
    readonly archived: number;
  };
  /** The earliest moment at which the platform may destroy an export that is not archived. */
  readonly lossFrom?: string;
}

/**
 * Reads what is remembered of the last run and night.
 *
 * @param seen without it nothing is said of a loss.
 * @throws what the store throws.
 */
export async function lookAhead(
  store: Pick<ObjectStore, "getDocument" | "list">,
  scope: PlatformScope,
  seen: PlatformSeen | undefined,
  { nowMs, signal }: CallOptions & { readonly nowMs: number },
): Promise<Outlook> {
  // The day after today by UTC: somewhere it has begun.
  const after = addDays(new Date(nowMs).toISOString().slice(0, 10), 2);
  const [runs, nights] = await Promise.all([
    readNewestRunReports(store, scope, { nowMs, limit: RUNS_READ }, { signal }),
    readStoredNights(store, scope, datesBefore(after, PACE_NIGHTS), { signal }),
  ]);
  const judged = runs.filter(({ stopReason }) => stopReason !== "aborted");
  const last = judged.at(-1);
  const good = judged.findLast(({ stopReason }) => stopReason !== "system-failure");
  const night = nights.at(-1);
  const lossFromMs =
    seen &&
    lossOf(
      seen,
      nights.flatMap(({ made }) => made ?? []),
      nowMs,
    );
  return compact({
    lastRun: last && {
      endedAt: last.endedAt,
      stopReason: last.stopReason,
      archived: last.counts.archived,
      ...compact({ failureCode: last.failure?.code }),
    },
    lastGoodRunAt: good === last ? undefined : good?.endedAt,
    lastNight: night && {
      date: night.date,
      verdict: night.verdict,
      finished: night.finished,
      archived: night.archived ?? 0,
    },
    lossFrom: lossFromMs === undefined ? undefined : new Date(lossFromMs).toISOString(),
  });
}

function lossOf(seen: PlatformSeen, madePerNight: readonly number[], nowMs: number): number | undefined {
  const { held = 0, older } = seenInList(seen);
  const slots = { held, limit: PLACES_LIMIT, olderThanUnarchived: older, nowMs };
  return forecastSlots(slots, madePerNight).lossFromMs;
}
