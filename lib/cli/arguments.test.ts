import { describe, expect, test } from "vitest";
import { momentOf } from "./arguments.ts";

const NOW_MS = Date.parse("2026-11-21T12:00:00Z");

describe("a moment", () => {
  test.each([
    ["12h", "2026-11-21T00:00:00.000Z"],
    ["7d", "2026-11-14T12:00:00.000Z"],
    ["2w", "2026-11-07T12:00:00.000Z"],
    ["2026-11-20T01:30Z", "2026-11-20T01:30:00.000Z"],
    ["2026-11-20T01:30:15", "2026-11-20T01:30:15.000Z"],
    ["2026-11-20T01:30+08:00", "2026-11-19T17:30:00.000Z"],
  ])("%s is one", (text, iso) => {
    const { startMs, endMs } = momentOf(text, NOW_MS);
    expect(new Date(startMs).toISOString()).toBe(iso);
    expect(endMs).toBe(startMs);
  });

  test("that is a date is the whole day, in UTC", () => {
    expect(momentOf("2026-11-20", NOW_MS)).toEqual({
      startMs: Date.parse("2026-11-20T00:00:00Z"),
      endMs: Date.parse("2026-11-21T00:00:00Z"),
    });
  });

  test.each([
    "yesterday",
    "7",
    "7m",
    "",
    "2026-02-30",
    "2026-13-01",
    "2026-11-20T25:00Z",
    "20261120",
    "1e3d",
  ])("%j is none, and the message says what is", (text) => {
    expect(() => momentOf(text, NOW_MS)).toThrow(/7d or 12h, or a date such as 2026-11-21/);
  });
});
