import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attributeText, cutUtf8, escapeRefused } from "./sqs-text.ts";

/** What SQS takes, as its reference lists it; told by code points, not by a pattern. */
function isTaken(character: string): boolean {
  const point = character.codePointAt(0) ?? 0;
  return (
    [0x9, 0xa, 0xd].includes(point) ||
    (point >= 0x20 && point <= 0xd7ff) ||
    (point >= 0xe000 && point <= 0xfffd) ||
    (point >= 0x10000 && point <= 0x10ffff)
  );
}

const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});

describe("escaping", () => {
  test("leaves only what SQS takes, and leaves that alone", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const escaped = escapeRefused(text);
        expect([...escaped].every(isTaken)).toBe(true);
        if ([...text].every(isTaken)) {
          expect(escaped).toBe(text);
        }
      }),
    );
  });

  test("changes only the spelling of JSON", () => {
    const odd = fc.constantFrom("\uFFFE", "\uFFFF", "\u0000", "\uD83D", "\u{1F600}", '"', "\\", "a");
    fc.assert(
      fc.property(fc.string({ unit: odd }), (text) => {
        const json = JSON.stringify({ text });
        expect(JSON.parse(escapeRefused(json))).toEqual({ text });
      }),
    );
  });
});

describe("an attribute's value", () => {
  test("is never empty, never too long and of characters that SQS takes", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 3, max: 40 }), (text, maxBytes) => {
        const value = attributeText(text, maxBytes);
        expect(value).not.toBe("");
        expect(Buffer.byteLength(value)).toBeLessThanOrEqual(maxBytes);
        expect([...value].every(isTaken)).toBe(true);
      }),
    );
  });
});

test.each([
  ["€€", 6, "€€"],
  ["€€", 5, "€"],
  ["a😀", 4, "a"],
  ["a😀", 5, "a😀"],
  ["abc", 0, ""],
  ["abc", -1, ""],
])("%j cut to %i bytes is %j", (text, maxBytes, cut) => {
  expect(cutUtf8(text, maxBytes)).toBe(cut);
});
