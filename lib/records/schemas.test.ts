import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { isoTime } from "./schemas.ts";

test.each([
  ["2026-11-22T10:00:00Z", true],
  ["2026-11-22T10:00:00.123Z", true],
  ["2026-11-22T10:00:00+08:00", true],
  ["2026-11-22T10:00:00+08", false],
  ["2026-11-22T10:00:00 +08:00", false],
  ["2026-02-31T10:00:00+08", false],
  ["2026-11-22", false],
])("%s is a time of a record: %s", (text, isTime) => {
  expect(v.is(isoTime, text)).toBe(isTime);
});

test("whatever is a time of a record can be computed with", () => {
  const part = (least: number, most: number) =>
    fc.integer({ min: least, max: most }).map((value) => String(value).padStart(2, "0"));
  const zone = fc.oneof(
    fc.constant("Z"),
    fc
      .tuple(fc.constantFrom("+", "-", " +"), part(0, 24), fc.constantFrom("", ":", ":30", "30"))
      .map((parts) => parts.join("")),
  );
  const time = fc
    .tuple(part(1, 13), part(1, 31), fc.constantFrom("T", " "), part(0, 24), part(0, 60), zone)
    .map(
      ([month, day, between, hour, minute, zoned]) =>
        `2026-${month}-${day}${between}${hour}:${minute}:00${zoned}`,
    );
  fc.assert(
    fc.property(time, (text) => !v.is(isoTime, text) || Number.isFinite(Date.parse(text))),
    { numRuns: 2_000 },
  );
});
