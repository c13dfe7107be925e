import { readConfiguration } from "../config/configuration.ts";
import { wireRetention } from "../config/retention-wiring.ts";
import type { FunctionWork, Invocation } from "../hosted/function-host.ts";
import { frameOfFailure, frameOfNoRun, warningLogger } from "../hosted/logs.ts";
import { metricsOfRetain } from "../hosted/metrics.ts";
import type { Ended } from "../hosted/middlewares.ts";
import { retainWishOf } from "../hosted/retain-event.ts";
import type { FunctionLog } from "../observability/function-log.ts";
import { type RetainOutcome, type RetainReport, retainObject, retainSweep } from "../retention/retain.ts";
import type { RunFrame } from "../retention/run.ts";

/** A retain report; without `policy` and `store` when neither was looked at. */
type RetainRunReport = RunFrame &
  Pick<RetainReport, "counts" | "entries"> &
  Partial<RetainReport> & {
    /** The object of an event that is not an export of this deployment. */
    readonly ignored?: string;
  };

const NEED = new Set(["platform", "store", "retention"] as const);

/**
 * Locks, tags and records what was archived. An EventBridge event *Object Created* of the archive's bucket is
 * about one export; a timer's call goes through all of them. Returns the report; a system failure is in it, not
 * thrown: what an event missed, the next sweep finds.
 */
export const retainFunction: FunctionWork<RetainRunReport> = {
  async work({ environment, agencyKeys, event, limitMs, signal, log, redactor }) {
    const configuration = readConfiguration(environment, NEED, { agencyKeys });
    const { platform, store: place } = configuration;
    const wish = retainWishOf(event, place, platform);
    if (wish.kind === "other-object") {
      log.info("ignored", { key: wish.key });
      return endedWith({ ...frameOfNoRun(), counts: {}, entries: [], ignored: wish.key }, log);
    }
    const retention = await wireRetention(configuration, redactor, warningLogger(log));
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
