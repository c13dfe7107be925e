import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { expect, test } from "vitest";
import { plantIn } from "./planted-bug.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";

const PROJECT = path.resolve(import.meta.dirname, "../../..");

test("there are many, each with a name of its own", () => {
  const names = PLANTED_BUGS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(28);
});

test.each(PLANTED_BUGS)("$name: can still be planted", (bug) => {
  const source = readFileSync(path.join(PROJECT, bug.file), "utf8");
  const planted = plantIn(source, bug);
  expect(planted).not.toBe(source);
  // Still a program: a bug that does not parse would be caught by everybody.
  expect(() => stripTypeScriptTypes(planted)).not.toThrow();
});

test("a row whose place is gone, or there twice, is refused", () => {
  const [bug] = PLANTED_BUGS;
  if (bug === undefined) {
    throw new Error("there is no planted bug");
  }
  expect(() => plantIn("", bug)).toThrow("not at all");
  expect(() => plantIn(bug.find + bug.find, bug)).toThrow("more than once");
});
