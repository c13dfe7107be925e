import { describeFailure } from "../domain/errors.ts";
import { REPORTS_FOLDER } from "../domain/key-layout.ts";
import type { CallOptions } from "../ports/platform.ts";
import { digestOf } from "./digest.ts";
import type { Language } from "./languages.ts";
import type { MadeNight } from "./make-night.ts";
import type { Night } from "./night.ts";
import type { NotifyPorts } from "./notification-state.ts";
import { pageOf } from "./page.ts";
import { type NightTelling, type ToldNight, tellNight } from "./tell-night.ts";
import { type WrittenReport, writeReport } from "./write-report.ts";

export interface ReportingSettings extends NightTelling {
  readonly language: Language;
  /** Under which people reach `reports/`, without a slash at its end. */
  readonly url?: string | undefined;
}

/** What came of telling a night; `failed`: the store kept it from being told, or from being noted as told. */
export interface Telling extends Omit<ToldNight, "outcome"> {
  readonly outcome: ToldNight["outcome"] | "failed";
}

/** A night that was reported. */
export interface ReportedNight extends WrittenReport {
  /** Missing for a night that is over for longer: who was to hear of it has. */
  readonly told?: Telling;
}

/**
 * Stores the pages of a night, then tells the newest one. Whoever cannot be told is in the result: the report is made all
 * the same.
 *
 * @throws what the store throws while the pages are written; or the signal's reason.
 */
export async function reportNight(
  ports: NotifyPorts,
  settings: ReportingSettings,
  { night, isLatest }: MadeNight,
  options: CallOptions,
): Promise<ReportedNight> {
  const { language, abilities } = settings;
  const pages = {
    day: pageOf(night, language, "day"),
    ...(isLatest ? { latest: pageOf(night, language, "latest") } : {}),
  };
  const written = await writeReport(ports.store, abilities, night, pages, options);
  return isLatest ? { ...written, told: await told(ports, settings, night, written, options) } : written;
}

async function told(
  ports: NotifyPorts,
  settings: ReportingSettings,
  night: Night,
  { dayKey }: WrittenReport,
  options: CallOptions,
): Promise<Telling> {
  // A message is read days later too: it leads to its own night.
  const url = settings.url && `${settings.url}/${dayKey.slice(REPORTS_FOLDER.length)}`;
  try {
    return await tellNight(ports, settings, night, digestOf(night, settings.language, url), options);
  } catch (error) {
    options.signal.throwIfAborted();
    const failure = describeFailure(error);
    const untold = ports.notifier.targets.map((target) => ({ target, failure }));
    return { outcome: "failed", took: [], untold };
  }
}
