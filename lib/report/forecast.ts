import { compact } from "../domain/compact.ts";
import { DAY_MS } from "../domain/utc-day.ts";

/** The pace of this many nights counts; an older one tells little about the next days. */
export const PACE_NIGHTS = 14;

/** Used slots as the platform or a run last saw them. */
export interface SlotsSeen {
  readonly held: number;
  readonly limit: number;
  /** How many exports are older than the oldest finished one without a copy; `undefined` where all have one. */
  readonly olderThanUnarchived: number | undefined;
  readonly nowMs: number;
}

export interface SlotsForecast {
  readonly fullInDays?: { readonly least: number; readonly usual: number };
  /** Epoch milliseconds. */
  readonly lossFromMs?: number;
}

/**
 * When all slots will be used, and when an export may be lost, if nothing is deleted until then.
 *
 * The platform accepts a create when all slots are used, and destroys the oldest export for it (iotda-api §1.6). So the
 * free slots are used first, one for each create. Then each create destroys one export, and those that are older than
 * the oldest one without a copy go before it. The create that destroys an export without a copy is number
 * `free + older + 1` from now.
 *
 * How soon that many creates come is told by the last nights: at the soonest in the pace of the fastest of them, as a
 * rule in the pace of the median one. The creates of a night count as spread over a day. Where one more night like the
 * fastest is enough, less than a day is left.
 *
 * @param madePerNight how many exports were made in each of the last nights that are known, in any order.
 */
export function forecastSlots(seen: SlotsSeen, madePerNight: readonly number[]): SlotsForecast {
  const { held, limit, olderThanUnarchived, nowMs } = seen;
  const free = Math.max(0, limit - held);
  const fastest = Math.max(0, ...madePerNight);
  const usual = medianOf(madePerNight) ?? 0;
  const createsUntilLoss = olderThanUnarchived === undefined ? undefined : free + olderThanUnarchived + 1;
  return compact({
    fullInDays: usual === 0 ? undefined : { least: inTenths(free / fastest), usual: inTenths(free / usual) },
    lossFromMs:
      createsUntilLoss === undefined || fastest === 0
        ? undefined
        : nowMs + Math.floor((createsUntilLoss / fastest) * DAY_MS),
  });
}

/** The middle one; of an even number of values the mean of the two in the middle. `undefined` of none. */
export function medianOf(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

function inTenths(days: number): number {
  return Math.floor(days * 10) / 10;
}
