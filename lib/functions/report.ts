import { readConfiguration } from "../config/configuration.ts";
import { wireReport } from "../config/report-wiring.ts";
import { compact } from "../domain/compact.ts";
import type { Failure } from "../domain/errors.ts";
import type { FunctionWork } from "../hosted/function-host.ts";
import { frameOfNoRun, logGuessedRegion } from "../hosted/logs.ts";
import { metricsOfReport } from "../hosted/metrics.ts";
import type { Night } from "../report/night.ts";
import { type ReportedNight, reportNight } from "../report/report-night.ts";
import type { Untold } from "../report/tell.ts";

/** What a call reports: the night as far as a metric or a message has it. All of it stands below `reports/`. */
interface ReportFunctionReport {
  readonly runId: string;
  /** Missing when no report was made. */
  readonly night?: Pick<Night, "date" | "from" | "madeAt" | "verdict" | "counts" | "places" | "unknown"> & {
    /** By kind, how many. */
    readonly findings: Readonly<Record<string, number>>;
  };
  /** The key of the page that people open. */
  readonly pageKey?: string;
  /** What came of telling the night. */
  readonly told?: NonNullable<ReportedNight["told"]>["outcome"];
  readonly took: readonly string[];
  /** Those who could not be told. */
  readonly untold: readonly Untold[];
  readonly failure?: Failure;
}

const NEED = new Set(["platform", "store", "queue"] as const);

/**
 * Makes the page of the night that has just ended, and tells those who are to hear of it. A timer starts it. Returns the
 * verdict, the counts and who was told; a system failure is in it, not thrown. Somebody who cannot be told is not one.
 */
export const reportFunction: FunctionWork<ReportFunctionReport> = {
  async work({ environment, agencyKeys, signal, log, redactor }) {
    const configuration = readConfiguration(environment, NEED, { agencyKeys });
    logGuessedRegion(log, configuration.platform);
    const { runId } = frameOfNoRun();
    log.keep({ runId });
    const { scope, ports, make, unreadable, close } = await wireReport(configuration, redactor);
    try {
      const abilities = await ports.store.preflight({ signal });
      const made = await make({ signal });
      const { notifyOn } = configuration.notification;
      const settings = { ...configuration.report, scope, abilities, notifyOn };
      const { pageKey, told } = await reportNight(ports, settings, made, { signal });
      const untold = [...unreadable, ...(told?.untold ?? [])];
      for (const entry of untold) {
        log.warn("untold", { entry });
      }
      const { night } = made;
      const report: ReportFunctionReport = {
        runId,
        night: summaryOf(night),
        pageKey,
        ...compact({ told: told?.outcome }),
        took: told?.took ?? [],
        untold,
      };
      log.info("night", { report });
      return { report, failure: undefined, metrics: metricsOfReport({ night, untold }) };
    } finally {
      await close();
    }
  },
  failed: (failure) => ({ runId: frameOfNoRun().runId, took: [], untold: [], failure }),
};

function summaryOf({
  date,
  from,
  madeAt,
  verdict,
  counts,
  places,
  unknown,
  findings,
}: Night): NonNullable<ReportFunctionReport["night"]> {
  const kinds: Record<string, number> = {};
  for (const { kind } of findings) {
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return { date, from, madeAt, verdict, counts, places, unknown, findings: kinds };
}
