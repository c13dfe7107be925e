import { DAY_MS } from "../domain/utc-day.ts";

/** What the clocks of a time zone show at a moment. */
export interface LocalTime {
  /** `yyyy-MM-dd` */
  readonly date: string;
  /** `HH:mm:ss.SSS` */
  readonly time: string;
}

/** Whether this is the IANA name of a time zone that this machine knows, such as `Asia/Shanghai` or `UTC`. */
export function isTimeZone(name: string): boolean {
  // "+08:00" would be accepted too; it is not a name, and knows no change of clocks.
  if (!/^[A-Za-z]/.test(name)) {
    return false;
  }
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch (thrown) {
    if (thrown instanceof RangeError) {
      return false;
    }
    throw thrown;
  }
}

/** What the clocks of the zone show. Throws RangeError for a zone that {@link isTimeZone} refuses. */
export function localTimeOf(epochMs: number, timeZone: string): LocalTime {
  const [date = "", time = ""] = new Date(epochMs + offsetMs(epochMs, timeZone))
    .toISOString()
    .slice(0, -1)
    .split("T");
  return { date, time };
}

/** The day that the calendar of the zone shows, `yyyy-MM-dd`. */
export function localDateOf(epochMs: number, timeZone: string): string {
  return localTimeOf(epochMs, timeZone).date;
}

/**
 * When the clocks of the zone show this. A time that exists twice, because clocks were set back, is the first of the two.
 * A time that does not exist, because clocks were set forward, is the one that clocks would have shown without the
 * change: half past two is half past three then. Calendar programs decide it in the same way.
 *
 * @param date `yyyy-MM-dd`
 * @param time `HH:mm`, with seconds or without.
 * @returns epoch milliseconds.
 */
export function momentOf(date: string, time: string, timeZone: string): number {
  const asUtcMs = Date.parse(`${date}T${time}Z`);
  // Clocks change by a few hours at most, and never twice in two days.
  const before = offsetMs(asUtcMs - DAY_MS, timeZone);
  const after = offsetMs(asUtcMs + DAY_MS, timeZone);
  const moments = [asUtcMs - before, asUtcMs - after].filter(
    (moment) => moment + offsetMs(moment, timeZone) === asUtcMs,
  );
  return moments.length === 0 ? asUtcMs - before : Math.min(...moments);
}

/** The date `days` later, or earlier where they are negative; both `yyyy-MM-dd`. */
export function addDays(date: string, days: number): string {
  // Days of the calendar have no zone: in UTC each has 24 hours.
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The same time of day, `days` earlier by the calendar of the zone. Days on which clocks change are shorter or longer. */
export function sameTimeDaysBefore(epochMs: number, days: number, timeZone: string): number {
  const { date, time } = localTimeOf(epochMs, timeZone);
  return momentOf(addDays(date, -days), time, timeZone);
}

/** By how much the clocks of the zone are ahead of UTC. */
function offsetMs(epochMs: number, timeZone: string): number {
  const parts = formatOf(timeZone).formatToParts(epochMs);
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = FIELDS.map((field) =>
    Number(parts.find(({ type }) => type === field)?.value),
  );
  const wholeSecondsMs = Math.floor(epochMs / 1_000) * 1_000;
  return Date.UTC(year, month - 1, day, hour, minute, second) - wholeSecondsMs;
}

const FIELDS = ["year", "month", "day", "hour", "minute", "second"] as const;

/** Making a format takes longer than using it a hundred times. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) {
    return known;
  }
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  formats.set(timeZone, format);
  return format;
}
