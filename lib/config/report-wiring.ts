import { ArchiverError } from "../domain/errors.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import type { CallOptions } from "../ports/platform.ts";
import { parseExpectedExports } from "../report/expected.ts";
import { type MadeNight, makeNight, type ReportPorts } from "../report/make-night.ts";
import type { NotifyPorts, NotifySettings } from "../report/notification-state.ts";
import { localDateOf } from "../report/zoned-time.ts";
import type { Configuration } from "./configuration.ts";
import { readSettingDocument } from "./setting-document.ts";
import { systemClock, systemRandom } from "./system.ts";
import { wire } from "./wiring.ts";
import { wireNotifier } from "./notifier-wiring.ts";

/** What reports are made and told with, put together as the configuration says. */
export interface WiredReport {
  readonly scope: PlatformScope;
  /** Those who are told, and the archive. */
  readonly ports: ReportPorts & NotifyPorts;
  /**
   * Makes a night.
   *
   * @param options `date` is `yyyy-MM-dd` in the time zone of reports; the night that has just ended without it.
   * @throws ConfigurationError and ExpectedExportsError for the list of expected exports, `night-in-future`, and what the
   *   store throws.
   */
  make(options: CallOptions & { readonly date?: string | undefined }): Promise<MadeNight>;
  /** @throws what the store throws. */
  notifySettings(options: CallOptions): Promise<NotifySettings>;
  close(): Promise<void>;
}
