import { describeFailure } from "../domain/errors.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { mapTexts } from "../domain/json.ts";
import { readMarker } from "../identity/marker.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import type { CallOptions } from "../ports/platform.ts";
import { parseExpectedExports } from "../report/expected.ts";
import { type MadeNight, makeNight, type ReportPorts } from "../report/make-night.ts";
import type { NotifyPorts } from "../report/notification-state.ts";
import type { Untold } from "../report/tell.ts";
import { localDateOf } from "../report/zoned-time.ts";
import type { Configuration } from "./configuration.ts";
import { ConfigurationError } from "./errors.ts";
import { withNotificationSecret } from "./notification-secret.ts";
import { wireNotifier } from "./notifier-wiring.ts";
import { readSettingDocument } from "./setting-document.ts";
import { systemRandom } from "./system.ts";
import { wire } from "./wiring.ts";

/** What reports are made and told with, put together as the configuration says. */
export interface WiredReport {
  readonly scope: PlatformScope;
  readonly ports: ReportPorts & NotifyPorts;
  /**
   * Makes a night.
   *
   * @param options `date` is `yyyy-MM-dd` in the time zone of reports; the night that has just ended without it.
   * @throws ConfigurationError for a night that is not over; that or ExpectedExportsError for the list of expected
   *   exports; and what the store throws.
   */
  make(options: CallOptions & { readonly date?: string | undefined }): Promise<MadeNight>;
  /** Those of a secret that cannot be read: the report is made without them, and says so. */
  readonly unreadable: readonly Untold[];
  close(): Promise<void>;
}

/**
 * Nothing is opened yet but the secret that names who is told: the first call on the store opens the archive.
 */
export async function wireReport(
  configuration: Configuration,
  redactor: ResultRedactor,
): Promise<WiredReport> {
  const { settings: told, unreadable } = await whoIsTold(configuration, redactor);
  const notifier = wireNotifier(told);
  const { ports, settings, close } = await wire(configuration, () => undefined, { purpose: "use", redactor });
  const { platform, report } = configuration;
  const { timeZone, expect } = report;
  const { scope, deletion, downloadIntervalMs } = settings;
  return {
    scope,
    ports: { ...ports, notifier, random: systemRandom },
    async make(options) {
      const today = localDateOf(ports.clock.wallMs(), timeZone);
      if (options.date !== undefined && options.date > today) {
        throw nightInFuture(options.date, today);
      }
      const rules =
        expect === undefined
          ? []
          : parseExpectedExports(await readSettingDocument("ARCHIVER_EXPECT", expect, ports.store, options));
      const endpoint = platform.endpoint.origin;
      const { targets } = notifier;
      const made = await makeNight(
        ports,
        { scope, endpoint, timeZone, deletion, downloadIntervalMs, rules, targets },
        options,
      );
      const { runs, exports } = made.night;
      if (options.date !== undefined && runs.length === 0 && exports.length === 0) {
        const marker = await readMarker(ports.store, options);
        const begun = marker && localDateOf(Date.parse(marker.createdAt), timeZone);
        if (begun !== undefined && options.date < begun) {
          throw nightBeforeArchive(options.date, begun);
        }
      }
      // Once here, and not in page, digest and document each: a page escapes what would be looked for.
      return { ...made, night: mapTexts(made.night, (text) => redactor.result(text)) };
    },
    unreadable,
    close,
  };
}

/** A page that is not made because a secret cannot be read would be the worse of two failures. */
async function whoIsTold(
  configuration: Configuration,
  redactor: ResultRedactor,
): Promise<{ readonly settings: Configuration; readonly unreadable: readonly Untold[] }> {
  try {
    return { settings: await withNotificationSecret(configuration, redactor), unreadable: [] };
  } catch (error) {
    const target = "ARCHIVER_NOTIFICATION_SECRET";
    return { settings: configuration, unreadable: [{ target, failure: describeFailure(error) }] };
  }
}

/** An archive may be older than its marker: a night of which it has anything is made all the same. */
function nightBeforeArchive(date: string, begun: string): ConfigurationError {
  const problem = `${date} is before this archive, which was begun on ${begun}`;
  return new ConfigurationError([{ name: "--night", problem, fix: "Name a later night." }]);
}

function nightInFuture(date: string, today: string): ConfigurationError {
  const problem = `${date} is not over; today is ${today}`;
  const fix =
    "Name a night that is over, or none for the last one. A night is named by the day on which it ends.";
  return new ConfigurationError([{ name: "--night", problem, fix }]);
}
