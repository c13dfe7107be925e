import { expect, test } from "vitest";
import { compact } from "./compact.ts";

test("leaves undefined fields out, and nothing else", () => {
  const fields: { a: number; b: string | undefined; c: null; d?: boolean } = {
    a: 0,
    b: undefined,
    c: null,
  };
  const present: { a: number; b?: string; c: null; d?: boolean } = compact(fields);
  expect(Object.keys(present)).toEqual(["a", "c"]);
  expect(Object.entries(compact({ b: "", d: false }))).toEqual([
    ["b", ""],
    ["d", false],
  ]);
});
