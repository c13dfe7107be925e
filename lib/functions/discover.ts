import { readConfiguration } from "../config/configuration.ts";
import { type DiscoverRunReport, discoverAndRequest } from "../config/discover-and-request.ts";
import { wirePinging } from "../config/heartbeat-wiring.ts";
import { systemClock, systemRandom } from "../config/system.ts";
import { wire } from "../config/wiring.ts";
import type { Failure } from "../domain/errors.ts";
import { runIdOf } from "../domain/key-layout.ts";
import type { FunctionWork } from "../hosted/function-host.ts";
import { eventLogger, logGuessedRegion } from "../hosted/logs.ts";
import { metricsOfDiscover } from "../hosted/metrics.ts";
import { endOfDiscover, withHeartbeat } from "../report/heartbeat.ts";
import { slotsWarning } from "../run/next-to-go.ts";
import { PLACES_LIMIT } from "../run/platform-list.ts";

/** The report of architecture §6.4, and what kept the run from doing its work. */
interface DiscoverFunctionReport extends Omit<DiscoverRunReport, "held"> {
  /** Missing when the run never saw the platform. */
  readonly held?: number;
  readonly failure?: Failure;
}

/**
 * Enqueues finished exports, oldest first. A timer starts it. Returns the discover report; a system failure is
 * in it as `failure`, not thrown.
 */
export const discoverFunction: FunctionWork<DiscoverFunctionReport> = {
  async work({ environment, agencyKeys, signal, log, redactor }) {
    const configuration = readConfiguration(environment, new Set(["platform", "store", "queue"] as const), {
      agencyKeys,
    });
    logGuessedRegion(log, configuration.platform);
    const observe = eventLogger(log, configuration.platform);
    const archiver = await wire(configuration, observe, { purpose: "work", redactor });
    const say = (message: string) => log.warn("heartbeat", { message });
    const pinging = wirePinging(configuration, redactor, { signal, say });
    const endOf = ({ requests }: DiscoverRunReport) => endOfDiscover({ failure: requests?.failure });
    try {
      const report = await withHeartbeat(pinging, { starts: false, endOf }, async () => {
        // The archive first: nothing is asked of the platform on behalf of a place that is none.
        await archiver.ports.store.preflight({ signal });
        return await discoverAndRequest(archiver, signal);
      });
      log.info("discovered", { report });
      if (report.nextToGo !== undefined) {
        log.warn("slots-nearly-used", { message: slotsWarning(report.held, report.nextToGo) });
      }
      // The tasks are enqueued all the same; but requests stand still, and somebody has to hear of it.
      return { report, failure: report.requests?.failure, metrics: metricsOfDiscover(report) };
    } finally {
      await archiver.close();
    }
  },
  failed: (failure) => ({
    runId: runIdOf(systemClock.wallMs(), systemRandom.hex(4)),
    limit: PLACES_LIMIT,
    unfinished: 0,
    enqueued: [],
    skipped: [],
    failure,
  }),
};
