import { readConfiguration } from "../config/configuration.ts";
import { wireRetention } from "../config/retention-wiring.ts";
import type { FunctionWork } from "../hosted/function-host.ts";
import { frameOfFailure, logGuessedRegion, warningLogger } from "../hosted/logs.ts";
import { metricsOfExpire } from "../hosted/metrics.ts";
import { type ExpireReport, expire } from "../retention/expire.ts";
import type { RunFrame } from "../retention/run.ts";

/** An expire report; without `policy` when a run could not begin. */
type ExpireRunReport = RunFrame & Pick<ExpireReport, "counts" | "removed" | "stayed"> & Partial<ExpireReport>;

const NEED = new Set(["platform", "store", "retention"] as const);

/**
 * Removes archived exports whose time is over: the only function that removes anything. A timer starts it.
 * Returns the report; a system failure is in it, not thrown.
 */
export const expireFunction: FunctionWork<ExpireRunReport> = {
  async work({ environment, agencyKeys, limitMs, signal, log, redactor }) {
    const configuration = readConfiguration(environment, NEED, { agencyKeys });
    logGuessedRegion(log, configuration.platform);
    const retention = await wireRetention(configuration, redactor, warningLogger(log));
    try {
      const settings = await retention.settings({ signal });
      const report = await expire(retention.ports, settings, { signal, limitMs });
      const { removed, stayed, ...summary } = report;
      log.keep({ runId: report.runId });
      for (const entry of removed) {
        log.info("removed", { entry });
      }
      for (const entry of stayed) {
        log.warn("stayed", { entry });
      }
      log.info("expire-ended", { report: summary });
      return { report, failure: report.failure, metrics: metricsOfExpire(report) };
    } finally {
      await retention.close();
    }
  },
  failed: (failure) => ({
    ...frameOfFailure(failure),
    counts: { checked: 0, due: 0, removed: 0, markedGone: 0 },
    removed: [],
    stayed: [],
  }),
};
