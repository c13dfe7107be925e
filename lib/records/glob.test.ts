import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesGlob } from "./glob.ts";

const ID = "5f2d9c3a1b2c3d4e5f6a7b8c";

test.each([
  ["night-*", "night-01", true],
  ["night-*", "night-", true],
  ["night-*", "a-night-01", false],
  ["night-??", "night-01", true],
  ["night-??", "night-1", false],
  ["*-01", "night-01", true],
  ["a-c*", "b", false],
  [ID, ID, true],
  [ID, `${ID}0`, false],
])("%s matches %s: %s", (glob, text, expected) => {
  expect(matchesGlob(glob, text)).toBe(expected);
});

test("is what a regular expression says", () => {
  const globs = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
  const texts = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
  fc.assert(
    fc.property(globs, texts, (glob, text) => {
      const source = glob.replaceAll("*", ".*").replaceAll("?", ".");
      expect(matchesGlob(glob, text)).toBe(new RegExp(`^${source}$`).test(text));
    }),
    { numRuns: 2_000 },
  );
});

test("a glob of many stars costs no work", () => {
  // As a regular expression this takes longer than any test may.
  expect(matchesGlob(`${"*a".repeat(31)}*b`, "a".repeat(36))).toBe(false);
});
