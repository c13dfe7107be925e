/** A UTC day. It has 24 hours on every day of every year: no time zone and no summer time ever enters. */
export const DAY_MS = 86_400_000;

/** The beginning of the UTC day of a moment; both epoch milliseconds. */
export function startOfDayMs(epochMs: number): number {
  return Math.floor(epochMs / DAY_MS) * DAY_MS;
}
