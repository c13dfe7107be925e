import { compact } from "../domain/compact.ts";
import { describeFailure, type Failure } from "../domain/errors.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { allEnded } from "../domain/promises.ts";
import { DAY_MS } from "../domain/utc-day.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions, Platform } from "../ports/platform.ts";
import type { TaskQueue } from "../ports/task-queue.ts";
import { readInventoryState } from "../records/inventory-state.ts";
import { Records } from "../records/records.ts";
import type { RunReport } from "../records/run-report.ts";
import { readRunReports } from "../records/run-reports.ts";
import { freshList } from "../run/platform-list.ts";
import { datesBefore, readStoredNights, readStoredReport, type StoredNight } from "./earlier-nights.ts";
import type { ExpectedRule } from "./expected.ts";
import type { Night } from "./night.ts";
import { runsOfNight } from "./night-exports.ts";
import type { NightFacts } from "./night-facts.ts";
import { linesOfNight } from "./night-lines.ts";
import { NIGHTS_SHOWN, nightOf } from "./night-of.ts";
import { readUnnotified } from "./notification-state.ts";
import { seenOnPlatform } from "./platform-seen.ts";
import { addDays, localDateOf, localTimeOf, momentOf, sameTimeDaysBefore } from "./zoned-time.ts";

/** Runs of some days before the night tell since when nothing ran, and since when the system fails. */
const DAYS_OF_RUNS_BEFORE = 3;
/** Of what a place says when it does not answer. */
const MAX_TEXT = 2_000;

export interface ReportPorts {
  readonly store: ObjectStore;
  readonly platform: Pick<Platform, "listExportTasks">;
  readonly queue: Pick<TaskQueue, "depth">;
  readonly clock: Clock;
}

export interface ReportSettings {
  readonly scope: PlatformScope;
  /** Of the platform. */
  readonly endpoint: string;
  readonly timeZone: string;
  readonly deletion: "after-verify" | "never";
  readonly downloadIntervalMs: number;
  readonly rules: readonly ExpectedRule[];
  /** Names of those who are told. */
  readonly targets: readonly string[];
}

export interface MadeNight {
  readonly night: Night;
  /** Whether it is the night that has just ended. */
  readonly isLatest: boolean;
}

/** A night's name and how long it lasts. */
interface Window {
  readonly date: string;
  readonly fromMs: number;
  readonly madeAtMs: number;
  readonly isLatest: boolean;
}

/**
 * Gathers what is known of a night, and makes it. The night that has just ended is seen with the platform's list and the
 * queue; when one of these does not answer, the night says so. An earlier night is what its stored report says: what
 * platform and inventory showed then cannot be asked for any more. One without a report is made of what the archive has of
 * it: run reports, records, and the reports of the nights before.
 *
 * @param options `date` is `yyyy-MM-dd` in the time zone, not in the future; the night that has just ended without it.
 * @throws what the store throws: without the archive nothing can be told.
 */
export async function makeNight(
  ports: ReportPorts,
  settings: ReportSettings,
  options: CallOptions & { readonly date?: string | undefined },
): Promise<MadeNight> {
  const { store } = ports;
  const { scope } = settings;
  const { signal } = options;
  const today = localDateOf(ports.clock.wallMs(), settings.timeZone);
  const date = options.date ?? today;
  const told = date === today ? undefined : await readStoredReport(store, scope, date, { signal });
  if (told !== undefined) {
    return { night: told, isLatest: false };
  }
  const dates = datesBefore(date, NIGHTS_SHOWN - 1);
  const stored = await readStoredNights(store, scope, [...dates, date], { signal });
  const earlier = stored.filter((night) => night.date < date);
  const window =
    date === today ? windowUntilNow(ports, settings, date, earlier) : pastWindow(settings, date, stored);
  const { fromMs, madeAtMs } = window;
  const [runs, inventory, now] = await allEnded([
    readRunReports(
      store,
      scope,
      { fromMs: fromMs - DAYS_OF_RUNS_BEFORE * DAY_MS, toMs: madeAtMs },
      { signal },
    ),
    readInventoryState(store, scope, { signal }),
    window.isLatest ? lookNow(ports, settings, signal) : { unknown: {} },
  ]);
  // A rule counts what was made in the days before its time of day, which may be that of the day before the report.
  const daysBack = Math.max(0, ...settings.rules.map(({ every }) => Number.parseInt(every, 10) + 1));
  const wanted = {
    sinceMs: fromMs - daysBack * DAY_MS,
    fromMs,
    madeAtMs,
    worked: new Set(runsOfNight({ runs, fromMs, madeAtMs }).flatMap(idsOfRun)),
  };
  const lines = await linesOfNight(store, scope, wanted, inventory, { signal });
  // The last inventory before now is never overwritten: one from ahead was written by a clock that is ahead.
  const isLater = !window.isLatest && inventory !== undefined && Date.parse(inventory.startedAt) > madeAtMs;
  const facts: NightFacts = {
    scope,
    endpoint: settings.endpoint,
    timeZone: settings.timeZone,
    date,
    fromMs,
    madeAtMs,
    deletion: settings.deletion,
    runs,
    lines,
    earlier,
    rules: settings.rules,
    notNotified: window.isLatest ? await unnotified(ports, settings, madeAtMs, signal) : [],
    ...compact({ inventory: isLater ? ("overwritten" as const) : inventory }),
    ...now,
  };
  return { night: nightOf(facts), isLatest: window.isLatest };
}

function idsOfRun({ tasks }: RunReport): readonly string[] {
  return tasks.map(({ exportTaskId }) => exportTaskId);
}

/** Since the same time of the day before. Where the report of that day came earlier, since then: no hour is left out. */
function windowUntilNow(
  { clock }: ReportPorts,
  { timeZone }: ReportSettings,
  date: string,
  earlier: readonly StoredNight[],
): Window {
  const madeAtMs = clock.wallMs();
  const dayBefore = earlier.find((night) => night.date === addDays(date, -1));
  const fromMs = Math.min(
    sameTimeDaysBefore(madeAtMs, 1, timeZone),
    ...(dayBefore === undefined ? [] : [Date.parse(dayBefore.madeAt)]),
  );
  return { date, fromMs, madeAtMs, isLatest: true };
}

/** Until the moment of its own report, or else the time of day of the report before it, or else the end of the day. */
function pastWindow({ timeZone }: ReportSettings, date: string, stored: readonly StoredNight[]): Window {
  const last = stored.at(-1);
  const endOfDayMs = momentOf(addDays(date, 1), "00:00", timeZone) - 1;
  const madeAtMs =
    last === undefined
      ? endOfDayMs
      : last.date === date
        ? Date.parse(last.madeAt)
        : momentOf(date, localTimeOf(Date.parse(last.madeAt), timeZone).time, timeZone);
  return { date, fromMs: sameTimeDaysBefore(madeAtMs, 1, timeZone), madeAtMs, isLatest: false };
}

/** What platform and queue show now, each whatever becomes of the other. */
async function lookNow(
  ports: ReportPorts,
  settings: ReportSettings,
  signal: AbortSignal,
): Promise<Pick<NightFacts, "platform" | "deadLetters" | "unknown">> {
  const [list, depth] = await allEnded([
    asked(signal, () => freshList(ports, settings, signal)),
    asked(signal, () => ports.queue.depth({ signal })),
  ]);
  // Nothing is recorded here, so it does not matter whether the store can create once.
  const records = new Records(ports.store, settings.scope, { createOnce: false });
  return compact({
    platform: list.answer && (await seenOnPlatform(list.answer, records, { signal })),
    deadLetters: depth.answer?.deadLetters,
    unknown: compact({ platform: list.failure, queue: depth.failure }),
  });
}

/** @throws only the signal's reason. */
async function asked<Answer>(
  signal: AbortSignal,
  question: () => Promise<Answer>,
): Promise<{ readonly answer?: Answer; readonly failure?: Failure }> {
  try {
    return { answer: await question() };
  } catch (error) {
    signal.throwIfAborted();
    const { code, message, hint } = describeFailure(error);
    // A stored night with a longer text is not read again.
    return { failure: { code, message: message.slice(0, MAX_TEXT), hint: hint.slice(0, MAX_TEXT) } };
  }
}

async function unnotified(
  { store }: ReportPorts,
  { scope, targets }: ReportSettings,
  nowMs: number,
  signal: AbortSignal,
): Promise<NightFacts["notNotified"]> {
  return targets.length === 0 ? [] : await readUnnotified(store, scope, { targets, nowMs, signal });
}
