import { describe, expect, test } from "vitest";
import { rotatedByDay } from "./run.ts";

const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.UTC(2026, 10, 24);

/** The days until runs that get through a share of the items have reached every one; at most 1000. */
function daysToComeRound(items: readonly number[], share: number, firstDayMs: number): number {
  const reached = new Set<number>();
  let day = 0;
  for (; reached.size < items.length && day < 1_000; day += 1) {
    const rotated = rotatedByDay(items, firstDayMs + day * DAY_MS);
    for (const item of rotated.slice(0, Math.ceil(share * items.length))) {
      reached.add(item);
    }
  }
  return day;
}

describe.each([0.45, 0.3, 0.1, 0.02])("a run that gets through %d of everything each day", (share) => {
  // 7919 and its neighbours: steps of so many items stood still, or moved on by one.
  test.each([1, 2, 3, 50, 365, 3_960, 7_918, 7_919, 7_920, 15_838, 20_000])(
    "comes round to each of %i items in time",
    (count) => {
      const items = Array.from({ length: count }, (_, index) => index);
      for (const firstDay of [0, 1, 400, 2_000]) {
        const days = daysToComeRound(items, share, FIRST_DAY_MS + firstDay * DAY_MS);
        expect(days).toBeLessThanOrEqual(2 / share + 1);
      }
    },
  );
});

test("nothing is left out, and nothing comes twice", () => {
  expect(rotatedByDay([], FIRST_DAY_MS)).toEqual([]);
  expect(rotatedByDay([1, 2, 3, 4], FIRST_DAY_MS).toSorted()).toEqual([1, 2, 3, 4]);
});
