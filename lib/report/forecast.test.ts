import { describe, expect, test } from "vitest";
import { forecastSlots, medianOf } from "./forecast.ts";

const NOW_MS = Date.parse("2026-11-28T07:00:00Z");
const HOUR_MS = 3_600_000;

const seen = (held: number, olderThanUnarchived?: number) => ({
  held,
  limit: 50,
  olderThanUnarchived,
  nowMs: NOW_MS,
});

describe("the slots", () => {
  test("are full at the soonest in the pace of the fastest night, as a rule in that of the median one", () => {
    expect(forecastSlots(seen(10), [4, 20, 8])).toEqual({ fullInDays: { least: 2, usual: 5 } });
  });

  test("are full now when all are used, or more than there are", () => {
    expect(forecastSlots(seen(50), [4]).fullInDays).toEqual({ least: 0, usual: 0 });
    expect(forecastSlots(seen(53), [4]).fullInDays).toEqual({ least: 0, usual: 0 });
  });

  test("are not forecast without a night to judge by, or where the usual night makes nothing", () => {
    expect(forecastSlots(seen(10, 0), [])).toEqual({});
    expect(forecastSlots(seen(10), [0, 0, 9])).toEqual({});
  });
});

describe("the earliest loss", () => {
  test("is at the create after the free slots and the older exports are used up", () => {
    // 3 free, 2 older: the 6th create from now.
    expect(forecastSlots(seen(47, 2), [24]).lossFromMs).toBe(NOW_MS + 6 * HOUR_MS);
  });

  test("is at the next create when all slots are used and the oldest export has no copy", () => {
    expect(forecastSlots(seen(50, 0), [24]).lossFromMs).toBe(NOW_MS + HOUR_MS);
  });

  test("does not exist while all have a copy", () => {
    expect(forecastSlots(seen(50), [24]).lossFromMs).toBeUndefined();
  });

  test("is told where only the fastest night made exports", () => {
    expect(forecastSlots(seen(50, 0), [0, 0, 24]).lossFromMs).toBe(NOW_MS + HOUR_MS);
  });
});

test("a median is in the middle, whatever the order", () => {
  expect(medianOf([])).toBeUndefined();
  expect(medianOf([5])).toBe(5);
  expect(medianOf([9, 1, 5])).toBe(5);
  expect(medianOf([9, 1])).toBe(5);
});
