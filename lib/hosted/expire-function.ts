import { readConfiguration } from "../config/configuration.ts";
import { wireRetention } from "../config/retention-wiring.ts";
import { type ExpireReport, expire } from "../retention/expire.ts";
import type { RunFrame } from "../retention/run.ts";
import type { FunctionWork } from "./function-host.ts";
import { frameOfFailure, logGuessedRegion, retentionLogger } from "./logs.ts";
import { metricsOfExpire } from "./metrics.ts";

/** An expire report; without `policy` when a run could not begin. */
export type ExpireRunReport = RunFrame &
  Pick<ExpireReport, "counts" | "removed" | "stayed"> &
  Partial<ExpireReport>;

const NEED = new Set(["platform", "store", "retention"] as const);

/** One expire run inside a function's time limit. What the event says makes no difference. */
export const expireFunction: FunctionWork<ExpireRunReport> = {
  async work({ environment, limitMs, signal, log, redactor }) {
    const configuration = readConfiguration(environment, NEED);
    logGuessedRegion(log, configuration.platform);
    const retention = await wireRetention(configuration, redactor, retentionLogger(log));
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
