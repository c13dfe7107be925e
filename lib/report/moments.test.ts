import { expect, test } from "vitest";
import { LANGUAGES, textsIn } from "./languages.ts";
import { datePartsOf, momentsIn, offsetOf } from "./moments.ts";

const in2026 = (time: string) => Date.parse(`2026-${time}Z`);

test("a moment shows the clocks of the zone, and its offset where it leaves a doubt", () => {
  const { at, full, brief } = momentsIn("Europe/Berlin", in2026("10-25T06:00"), textsIn("en"));
  expect(at(in2026("10-25T03:05"))).toBe("Sun 25 Oct 04:05");
  expect(full(in2026("10-25T03:05"))).toBe("Sun 25 Oct 04:05 (+01:00)");
  // The hour before the clocks were set back has another offset than the report.
  expect(at(in2026("10-25T00:30"))).toBe("Sun 25 Oct 02:30 (+02:00)");
  expect(brief(in2026("10-25T01:30"))).toBe("25 Oct 02:30");
  expect(at(Date.parse("2025-12-31T23:30Z"))).toBe("Thu 1 Jan 00:30");
  expect(at(Date.parse("2025-12-31T22:30Z"))).toBe("Wed 31 Dec 2025 23:30");
});

test("in Chinese", () => {
  const { full } = momentsIn("Asia/Shanghai", in2026("11-28T00:00"), textsIn("zh"));
  expect(full(in2026("11-28T23:00"))).toBe("11月29日（周日）07:00（+08:00）");
  expect(full(Date.parse("2025-01-01T00:00Z"))).toBe("2025年1月1日（周三）08:00（+08:00）");
});

test.each([
  ["UTC", "+00:00"],
  ["Asia/Kathmandu", "+05:45"],
  ["America/St_Johns", "-03:30"],
])("the offset of %s is %s", (timeZone, offset) => {
  expect(offsetOf(in2026("01-15T00:00"), timeZone)).toBe(offset);
});

test.each(LANGUAGES)("in %s what is not a time is a dash", (language) => {
  const { at, full, brief } = momentsIn("UTC", 0, textsIn(language));
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15, -8.64e15];
  expect(odd.flatMap((moment) => [at(moment), full(moment), brief(moment)])).toEqual(
    Array.from({ length: 12 }, () => "–"),
  );
});

test("dates of the calendar have parts, and nothing else has", () => {
  expect(datePartsOf("2026-11-28")).toMatchObject({ year: 2026, month: 11, day: 28, weekday: 6 });
  expect(["2026-11-31T00", "../../etc", "2026-13-01", ""].map(datePartsOf)).toEqual(
    Array.from({ length: 4 }, () => undefined),
  );
});
