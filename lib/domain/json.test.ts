import { expect, test } from "vitest";
import { parseJson, sortedJson } from "./json.ts";

test.each([
  ["{}", {}],
  ["null", null],
  ['"text"', "text"],
  ["", undefined],
  ["{", undefined],
  ["undefined", undefined],
])("the value of %s", (text, value) => {
  expect(parseJson(text)).toEqual(value);
});

test("two spellings of one value have the same sorted JSON, at every depth", () => {
  expect(sortedJson({ b: [{ d: 1, c: null }], a: "x" })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  expect(sortedJson([2, 1])).toBe("[2,1]");
  expect(sortedJson(undefined)).toBeUndefined();
});
