import * as v from "valibot";
import { drain } from "../archive/archive-run.ts";
import { failedRunReport } from "../archive/run-summary.ts";
import { readConfiguration } from "../config/configuration.ts";
import { systemClock, systemRandom } from "../config/system.ts";
import { wire } from "../config/wiring.ts";
import { ArchiverError } from "../domain/errors.ts";
import type { RunReport } from "../records/run-report.ts";
import type { FunctionWork, Invocation } from "./function-host.ts";
import { eventLogger, logGuessedRegion } from "./logs.ts";
import { isMeasured, metricsOfRun, type TimedEvent } from "./metrics.ts";
import type { Ended } from "./middlewares.ts";

/** Timer events carry fields of their host, so unknown ones are passed over. */
const archiveEventSchema = v.nullish(v.object({ when: v.optional(v.picklist(["always", "pressure"])) }));

/** One archive run inside a function's time limit. */
export const archiveFunction: FunctionWork<RunReport> = {
  async work({ environment, event, limitMs, signal, log, redactor }: Invocation): Promise<Ended<RunReport>> {
    const when = whenOf(event);
    const configuration = readConfiguration(environment, new Set(["platform", "store", "queue"] as const));
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
      const report = await drain(archiver.ports, archiver.settings, { signal, limitMs, when });
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
