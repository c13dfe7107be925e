import * as v from "valibot";
import { drain } from "../archive/archive-run.ts";
import { failedRunReport } from "../archive/run-summary.ts";
import { readConfiguration } from "../config/configuration.ts";
import { wirePinging } from "../config/heartbeat-wiring.ts";
import { systemClock, systemRandom } from "../config/system.ts";
import { wire } from "../config/wiring.ts";
import { ArchiverError } from "../domain/errors.ts";
import type { FunctionWork } from "../hosted/function-host.ts";
import { eventLogger, logGuessedRegion } from "../hosted/logs.ts";
import { isMeasured, metricsOfRun, type TimedEvent } from "../hosted/metrics.ts";
import type { RunReport } from "../records/run-report.ts";
import { endOfRun, PING_LIMIT_MS, withHeartbeat } from "../report/heartbeat.ts";

/** Timer events carry fields of their host, so unknown ones are passed over. */
const archiveEventSchema = v.nullish(v.object({ when: v.optional(v.picklist(["always", "pressure"])) }));

/**
 * Archives what is queued until the function's time is up. A timer starts it; `{"when":"pressure"}` makes
 * it act only when many places are held. Returns the run report; a system failure is in it, not thrown.
 */
export const archiveFunction: FunctionWork<RunReport> = {
  async work({ environment, agencyKeys, event, limitMs, signal, log, redactor }) {
    const when = whenOf(event);
    const configuration = readConfiguration(environment, new Set(["platform", "store", "queue"] as const), {
      agencyKeys,
    });
    logGuessedRegion(log, configuration.platform);
    const logEvent = eventLogger(log, configuration.platform);
    const events: TimedEvent[] = [];
    const archiver = await wire(
      configuration,
      (happened) => {
        logEvent(happened);
        if (isMeasured(happened)) {
          events.push({ event: happened, atMs: systemClock.monotonicMs() });
        }
      },
      { purpose: "work", redactor },
    );
    try {
      const say = (message: string) => log.warn("heartbeat", { message });
      const pinging = wirePinging(configuration, redactor, { signal, say });
      // The last ping comes after the run, and needs time of its own.
      const runLimitMs = pinging.heartbeat === undefined ? limitMs : Math.max(0, limitMs - PING_LIMIT_MS);
      const report = await withHeartbeat(pinging, { starts: true, endOf: endOfRun }, () =>
        drain(archiver.ports, archiver.settings, { signal, limitMs: runLimitMs, when }),
      );
      return { report, failure: report.failure, metrics: metricsOfRun(report, events) };
    } finally {
      await archiver.close();
    }
  },
  failed: (failure) => failedRunReport({ clock: systemClock, random: systemRandom }, failure),
};

function whenOf(event: unknown): "always" | "pressure" {
  const parsed = v.safeParse(archiveEventSchema, event);
  if (!parsed.success) {
    throw new ArchiverError("unknown-event", "the event's `when` is neither always nor pressure", {
      scope: "system",
      retry: "never",
      hint: 'Let the timer send {"when":"pressure"}, {"when":"always"} or no input of its own.',
    });
  }
  return parsed.output?.when ?? "always";
}
