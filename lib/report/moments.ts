import { DAY_MS } from "../domain/utc-day.ts";
import type { MomentParts, Texts } from "./texts.ts";
import { localTimeOf } from "./zoned-time.ts";

/** Beyond this a date has no calendar. */
const MAX_EPOCH_MS = 8.64e15 - 2 * DAY_MS;
const MINUTE_MS = 60_000;

/** Times as the report writes them, in its time zone. What is not a time is `–`. */
export interface Moments {
  /** With the day of the week. The offset stands there where it is another one than that of the report. */
  readonly at: (epochMs: number) => string;
  /** The same with the offset from UTC in any case: what somebody has to act by leaves no doubt. */
  readonly full: (epochMs: number) => string;
  /** For tables: without the day of the week. */
  readonly brief: (epochMs: number) => string;
}

/** @param reportMs when the report is made: of its year and offset nothing is said. */
export function momentsIn(timeZone: string, reportMs: number, texts: Pick<Texts, "moments">): Moments {
  const year = partsOf(reportMs, timeZone)?.year;
  const usual = offsetOf(reportMs, timeZone);
  const written =
    (write: (parts: MomentParts) => string, isOffsetShown: (offset: string) => boolean) =>
    (epochMs: number) => {
      const parts = partsOf(epochMs, timeZone);
      if (parts === undefined) {
        return "–";
      }
      const { year: itsYear, ...rest } = parts;
      const offset = offsetOf(epochMs, timeZone);
      const text = write(itsYear === year ? rest : parts);
      return isOffsetShown(offset) ? texts.moments.withOffset(text, offset) : text;
    };
  const { long, brief } = texts.moments;
  return {
    at: written(long, (offset) => offset !== usual),
    full: written(long, () => true),
    brief: written(brief, (offset) => offset !== usual),
  };
}

/** By how much the clocks of the zone are ahead of UTC, such as `+08:00`. */
export function offsetOf(epochMs: number, timeZone: string): string {
  if (!isTime(epochMs)) {
    return "+00:00";
  }
  const { date, time } = localTimeOf(epochMs, timeZone);
  const minutes = Math.round((Date.parse(`${date}T${time}Z`) - epochMs) / MINUTE_MS);
  const size = Math.abs(minutes);
  const twoDigits = (value: number) => String(value).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
}

/** The parts of a date of the calendar, `yyyy-MM-dd`; `undefined` for what is not one. */
export function datePartsOf(date: string): Omit<MomentParts, "time"> | undefined {
  const epochMs = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  return partsOf(epochMs, "UTC");
}

function partsOf(epochMs: number, timeZone: string): (MomentParts & { readonly year: number }) | undefined {
  if (!isTime(epochMs)) {
    return undefined;
  }
  const { date, time } = localTimeOf(epochMs, timeZone);
  const day = new Date(`${date}T00:00:00Z`);
  return {
    year: day.getUTCFullYear(),
    month: day.getUTCMonth() + 1,
    day: day.getUTCDate(),
    weekday: day.getUTCDay(),
    time: time.slice(0, 5),
  };
}

function isTime(epochMs: number): boolean {
  return Math.abs(epochMs) <= MAX_EPOCH_MS;
}
