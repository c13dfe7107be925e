import { describe, expect, test } from "vitest";
import { harmless, harmlessNight } from "./harmless-night.ts";
import { hostileScene, scene } from "./testing/scenes.ts";

test.each([
  ["plain text stays", "批量任务 “A” é 🎉", "批量任务 “A” é 🎉"],
  ["what cannot be printed is spelled", "\u202ea\u0007", "\\u202ea\\u0007"],
  ["line ends become spaces", "two problems:\r\n  one\n  two", "two problems: one two"],
  ["letters that run the other way are spelled", "aא1", "a\\u{5d0}1"],
  ["marks do not pile up", `e${"\u0301".repeat(9)}`, "e\u0301\u0301"],
])("%s", (_what, text, shown) => {
  expect(harmless(text)).toBe(shown);
});

test("a text is cut between characters", () => {
  expect(harmless("🎉".repeat(5_000))).toBe(`${"🎉".repeat(299)}…`);
  expect(harmless("🎉".repeat(300))).toBe("🎉".repeat(300));
});

describe("a night", () => {
  test("without hostile texts stays as it is", () => {
    expect(harmlessNight(scene("pressure"))).toEqual(scene("pressure"));
  });

  test("has none afterwards, not even in the names of its fields", () => {
    const text = JSON.stringify(harmlessNight(hostileScene("\u202e\u0007")));
    expect(text).not.toMatch(/\u202e|\\u0007(?<!\\\\u0007)/);
    expect(Object.keys(harmlessNight(hostileScene("\u202e")).keptFor)).toEqual(["\\u202e"]);
  });
});
