import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDays, isTimeZone, localDateOf, localTimeOf, momentOf, sameTimeDaysBefore } from "./zoned-time.ts";

const HOUR_MS = 3_600_000;
const ZONES = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"];

const iso = (epochMs: number) => new Date(epochMs).toISOString();

test.each(ZONES)("reads the clocks of %s, and finds the moment again", (timeZone) => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2060, 0, 1) }), (epochMs) => {
      const { date, time } = localTimeOf(epochMs, timeZone);
      const found = momentOf(date, time, timeZone);
      expect(localTimeOf(found, timeZone)).toEqual({ date, time });
      // In the hour that exists twice the first one is found.
      expect([0, HOUR_MS]).toContain(epochMs - found);
    }),
  );
});

test("tells the date where the clocks are", () => {
  const moment = Date.parse("2026-11-28T20:00:00Z");
  expect(localDateOf(moment, "UTC")).toBe("2026-11-28");
  expect(localDateOf(moment, "Asia/Shanghai")).toBe("2026-11-29");
  expect(localDateOf(moment, "America/New_York")).toBe("2026-11-28");
});

describe("on the day on which clocks are set forward", () => {
  test("a time that does not exist is as late as it would have been", () => {
    // Clocks go from 02:00 to 03:00.
    expect(iso(momentOf("2026-03-29", "02:30", "Europe/Berlin"))).toBe("2026-03-29T01:30:00.000Z");
    expect(iso(momentOf("2026-03-29", "01:59", "Europe/Berlin"))).toBe("2026-03-29T00:59:00.000Z");
    expect(iso(momentOf("2026-03-29", "03:00", "Europe/Berlin"))).toBe("2026-03-29T01:00:00.000Z");
    expect(iso(momentOf("2026-03-08", "02:30", "America/New_York"))).toBe("2026-03-08T07:30:00.000Z");
  });

  test("the same time of the day before is 23 hours ago", () => {
    const report = momentOf("2026-03-29", "07:00", "Europe/Berlin");
    expect(report - sameTimeDaysBefore(report, 1, "Europe/Berlin")).toBe(23 * HOUR_MS);
  });
});

describe("on the day on which clocks are set back", () => {
  test("a time that exists twice is the first one", () => {
    // Clocks go from 03:00 to 02:00.
    expect(iso(momentOf("2026-10-25", "02:30", "Europe/Berlin"))).toBe("2026-10-25T00:30:00.000Z");
    expect(iso(momentOf("2026-10-25", "03:00", "Europe/Berlin"))).toBe("2026-10-25T02:00:00.000Z");
    expect(iso(momentOf("2026-11-01", "01:30", "America/New_York"))).toBe("2026-11-01T05:30:00.000Z");
  });

  test("the same time of the day before is 25 hours ago", () => {
    const report = momentOf("2026-10-25", "07:00", "Europe/Berlin");
    expect(report - sameTimeDaysBefore(report, 1, "Europe/Berlin")).toBe(25 * HOUR_MS);
  });
});

test("counts days by the calendar", () => {
  expect(addDays("2026-03-01", -1)).toBe("2026-02-28");
  expect(addDays("2028-03-01", -1)).toBe("2028-02-29");
  expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
});

test("knows names of time zones", () => {
  expect(["UTC", "Asia/Shanghai", "Europe/Berlin"].every(isTimeZone)).toBe(true);
  expect(["", "Mars/Base", "+08:00", "Asia/Shangai", "../etc"].some(isTimeZone)).toBe(false);
});
