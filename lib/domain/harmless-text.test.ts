import fc from "fast-check";
import { expect, test } from "vitest";
import { harmlessJson, harmlessText } from "./harmless-text.ts";

/** Everything that is not a letter, mark, number, punctuation, symbol or space. */
const NOT_PRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]/u;

test.each([
  ["ESC", "\u001b[31mred", "\\u001b[31mred"],
  ["C1", "\u009b31m\u0085", "\\u009b31m\\u0085"],
  ["CR LF, tab, NUL and DEL", "a\r\nb\tc\u0000\u007f", "a\\u000d\\u000ab\\u0009c\\u0000\\u007f"],
  [
    "bidirectional overrides and isolates",
    "\u202egnp.exe\u2066\u2069\u200f",
    "\\u202egnp.exe\\u2066\\u2069\\u200f",
  ],
  ["zero-width", "a\u200b\u200d\u2060\ufeffb", "a\\u200b\\u200d\\u2060\\ufeffb"],
  ["soft hyphen and fillers", "\u00ad\u3164\u115f\u034f", "\\u00ad\\u3164\\u115f\\u034f"],
  ["variation selectors", "a\ufe0f\u{e0100}", "a\\ufe0f\\udb40\\udd00"],
  ["tags", "\u{e0041}", "\\udb40\\udc41"],
  ["lone surrogates", "\ud800a\udfff", "\\ud800a\\udfff"],
  ["separators", "\u2028\u2029", "\\u2028\\u2029"],
  ["private use", "\ue000", "\\ue000"],
])("%s", (_what, text, shown) => {
  expect(harmlessText(text)).toBe(shown);
});

test.each([
  "Fertig: 3 Exporte, „Straße“ – 100 %",
  "批量任务 完成",
  "нет é ñ e\u0301",
  "C:\\temp\\u",
  "🎉 ✓ │─┐",
])("%s stays as it is", (text) => {
  expect(harmlessText(text)).toBe(text);
});

/** Many at a time: a class of that many ranges is slow to begin with. */
const strings = fc.array(fc.string({ unit: "binary" }), { minLength: 100, maxLength: 200 });
const FEW = { numRuns: 5 };

test("whatever comes is printable afterwards, on one line", () => {
  fc.assert(
    fc.property(strings, (texts) => {
      expect(texts.map(harmlessText).join("")).not.toMatch(NOT_PRINTABLE);
    }),
    FEW,
  );
});

test("JSON means the same, and holds nothing unprintable but its line ends", () => {
  fc.assert(
    fc.property(strings, (texts) => {
      const json = harmlessJson(JSON.stringify({ texts }, null, 2));
      expect(JSON.parse(json)).toEqual({ texts });
      expect(json.replaceAll("\n", "")).not.toMatch(NOT_PRINTABLE);
    }),
    FEW,
  );
});
