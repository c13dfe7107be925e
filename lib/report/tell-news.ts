import type { InventoryReport } from "../catalogue/inventory.ts";
import { DAY_MS } from "../domain/utc-day.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { RunReport } from "../records/run-report.ts";
import { readRunReports } from "../records/run-reports.ts";
import { urgentDigestOf } from "./digest.ts";
import { datesBefore, readStoredNights } from "./earlier-nights.ts";
import { PACE_NIGHTS } from "./forecast.ts";
import type { Language } from "./languages.ts";
import { areSlotsNearlyUsed } from "./loss.ts";
import { inOrder } from "./night-exports.ts";
import type { NotifyPorts, NotifySettings } from "./notification-state.ts";
import { type ToldUrgent, tellUrgent } from "./tell-urgent.ts";
import { type News, newsOfInventory, newsOfRun } from "./urgent-news.ts";
import { addDays, localDateOf } from "./zoned-time.ts";

/** A failure of days ago is not the one before this. */
const DAYS_OF_RUNS = 2;

export interface NewsPorts extends NotifyPorts {
  readonly store: Pick<ObjectStore, "getDocument" | "putDocument" | "list">;
}

export interface NewsSettings extends NotifySettings {
  readonly language: Language;
  readonly timeZone: string;
}

/**
 * Tells at once what an archive run makes known and cannot wait. A good run costs one read of the archive.
 *
 * @throws what the store throws. Targets that were not told are in the result.
 */
export async function tellNewsOfRun(
  ports: NewsPorts,
  settings: NewsSettings,
  report: RunReport,
  options: CallOptions,
): Promise<ToldUrgent> {
  const nowMs = ports.clock.wallMs();
  const { scope } = settings;
  const previous =
    report.stopReason === "system-failure" ? await runBefore(ports, settings, report, options) : undefined;
  const { held = 0, oldestUnarchived } = report.platform;
  // Where nearly all slots are used, no pace is asked for.
  const needsPace = oldestUnarchived !== undefined && !areSlotsNearlyUsed(held);
  const tomorrow = addDays(localDateOf(nowMs, settings.timeZone), 1);
  const earlier = needsPace
    ? await readStoredNights(ports.store, scope, datesBefore(tomorrow, PACE_NIGHTS), options)
    : [];
  return await tell(ports, settings, newsOfRun(report, { scope, previous, earlier, nowMs }), options);
}

/** The same for an inventory. */
export async function tellNewsOfInventory(
  ports: NewsPorts,
  settings: NewsSettings,
  report: Pick<InventoryReport, "damage" | "stopReason">,
  options: CallOptions,
): Promise<ToldUrgent> {
  return await tell(ports, settings, newsOfInventory(report), options);
}

async function runBefore(
  { store }: NewsPorts,
  { scope }: NewsSettings,
  { runId, endedAt }: RunReport,
  options: CallOptions,
): Promise<RunReport | undefined> {
  const toMs = Date.parse(endedAt);
  const runs = await readRunReports(store, scope, { fromMs: toMs - DAYS_OF_RUNS * DAY_MS, toMs }, options);
  return inOrder(runs)
    .filter((run) => run.runId !== runId && run.stopReason !== "aborted")
    .at(-1);
}

async function tell(
  ports: NewsPorts,
  settings: NewsSettings,
  news: News,
  options: CallOptions,
): Promise<ToldUrgent> {
  const { language, timeZone, scope } = settings;
  const { projectId, instanceId } = scope;
  const context = { language, timeZone, projectId, instanceId, nowMs: ports.clock.wallMs() };
  return await tellUrgent(
    ports,
    settings,
    { ...news, digestOf: (fresh) => urgentDigestOf(fresh, context) },
    options,
  );
}
