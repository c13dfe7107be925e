import { stripVTControlCharacters, styleText } from "node:util";
import { expect, test } from "vitest";
import { wrapped } from "./wrapping.ts";

test("breaks long lines between words, with a hanging indent of their own", () => {
  expect(wrapped("  one two three four five six\nshort\n\n  seven", 20)).toBe(
    "  one two three\n    four five six\nshort\n\n  seven",
  );
});

test("leaves what fits as it is, to the last column, and a long word whole", () => {
  const fits = "  12345  78901234567";
  expect(wrapped(fits, 20)).toBe(fits);
  expect(wrapped("see /a/path/that/is/longer/than/the/window of it", 20)).toBe(
    "see\n  /a/path/that/is/longer/than/the/window\n  of it",
  );
});

test("counts no colours, and double for wide letters", () => {
  const red = styleText("red", "one two three four five", { validateStream: false });
  expect(stripVTControlCharacters(wrapped(red, 20))).toBe("one two three four\n  five");
  expect(wrapped("导出任务 已经归档 并且删除", 20)).toBe("导出任务 已经归档\n  并且删除");
});
