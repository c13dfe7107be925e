import { expect, test } from "vitest";
import { NameSet } from "./name-set.ts";

test("a set knows what was added, and what was marked of it, however much it grows", () => {
  const set = new NameSet();
  const names = Array.from({ length: 5_000 }, (_, index) => `exports/${index}.zip ${index}`);
  for (const [index, name] of names.entries()) {
    set.add(name);
    if (index % 2 === 0) {
      expect(set.mark(name)).toBe(true);
    }
  }
  expect([set.size, set.unmarked]).toEqual([5_000, 2_500]);
  expect(names.every((name) => set.has(name))).toBe(true);
  expect(names.filter((name) => set.isMarked(name))).toHaveLength(2_500);
});

test("what was never added is neither there nor marked by being asked for", () => {
  const set = new NameSet();
  set.add("a");
  expect([set.has("b"), set.mark("b"), set.isMarked("b"), set.size]).toEqual([false, false, false, 1]);
});

test("the same name counts once, added and marked", () => {
  const set = new NameSet();
  set.add("a");
  set.add("a");
  set.mark("a");
  set.mark("a");
  expect([set.size, set.unmarked]).toEqual([1, 0]);
});
