import { DAY_MS } from "../domain/utc-day.ts";
import { WARNING_PLACES } from "../run/next-to-go.ts";

/** A loss within this time is near. */
const NEAR_MS = DAY_MS;

/** Whether so few slots are free that every run warns. */
export function areSlotsNearlyUsed(held: number): boolean {
  return held >= WARNING_PLACES;
}

/**
 * Whether an export without a copy is in danger before the next report.
 *
 * @param slots `lossFromMs` is the earliest moment at which the platform may destroy it; missing where no pace is known.
 */
export function isLossNear(
  { held, lossFromMs }: { readonly held: number; readonly lossFromMs: number | undefined },
  nowMs: number,
): boolean {
  return areSlotsNearlyUsed(held) || (lossFromMs !== undefined && lossFromMs - nowMs < NEAR_MS);
}
