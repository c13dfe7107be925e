import { readConfiguration } from "../config/configuration.ts";
import { wireRetention } from "../config/retention-wiring.ts";
import type { FunctionLog } from "../observability/function-log.ts";
import { type RetainOutcome, type RetainReport, retainObject, retainSweep } from "../retention/retain.ts";
import type { RunFrame } from "../retention/run.ts";
import type { FunctionWork, Invocation } from "./function-host.ts";
import { frameOfFailure, frameOfNoRun, retentionLogger } from "./logs.ts";
import { metricsOfRetain } from "./metrics.ts";
import type { Ended } from "./middlewares.ts";
import { retainWishOf } from "./retain-event.ts";

/** A retain report; without `policy` and `store` when neither was looked at. */
export type RetainRunReport = RunFrame &
  Pick<RetainReport, "counts" | "entries"> &
  Partial<RetainReport> & {
    /** The object of an event that is not an export of this deployment. */
    readonly ignored?: string;
  };

const NEED = new Set(["platform", "store", "retention"] as const);

/** One retain run inside a function's time limit: for the object of an event, or a sweep over all exports. */
export const retainFunction: FunctionWork<RetainRunReport> = {
  async work({ environment, event, limitMs, signal, log, redactor }) {
    const configuration = readConfiguration(environment, NEED);
    const { platform, store: place } = configuration;
    const wish = retainWishOf(event, place, platform);
    if (wish.kind === "other-object") {
      log.info("ignored", { key: wish.key });
      return endedWith({ ...frameOfNoRun(), counts: {}, entries: [], ignored: wish.key }, log);
    }
    const retention = await wireRetention(configuration, redactor, retentionLogger(log));
    const { ports } = retention;
    try {
      const settings = await retention.settings({ signal });
      const options = { signal, limitMs };
      const report =
        wish.kind === "sweep"
          ? await retainSweep(ports, settings, options)
          : await retainObject(ports, settings, wish.key, options);
      return endedWith(report, log);
    } finally {
      await retention.close();
    }
  },
  failed: (failure) => ({ ...frameOfFailure(failure), counts: {}, entries: [] }),
};

function endedWith(report: RetainRunReport, log: FunctionLog): Ended<RetainRunReport> {
  const { entries, ...summary } = report;
  log.keep({ runId: report.runId });
  for (const entry of entries) {
    log[LEVEL_OF_OUTCOME[entry.outcome]](entry.outcome, { entry });
  }
  log.info("retain-ended", { report: summary });
  return { report, failure: report.failure, metrics: metricsOfRetain(report) };
}

const LEVEL_OF_OUTCOME = {
  retained: "info",
  "up-to-date": "debug",
  expired: "debug",
  refused: "warn",
  unrecorded: "warn",
  failed: "warn",
  unreadable: "error",
  missing: "error",
} as const satisfies Record<RetainOutcome, keyof Invocation["log"]>;
