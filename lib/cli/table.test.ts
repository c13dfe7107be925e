import { expect, test } from "vitest";
import { table } from "./table.ts";

const HEAD = ["export task", "ended", "because"];
const WHY = "another export with the same condition is not archived yet";

function widest(lines: readonly string[]): number {
  return Math.max(...lines.map((line) => line.length));
}

test("is as wide as its cells where nothing limits it, and where it fits", async () => {
  const natural = await table(HEAD, [["night-1", "kept", WHY]], undefined);
  expect(natural).toHaveLength(4);
  expect(await table(HEAD, [["night-1", "kept", WHY]], widest(natural))).toEqual(natural);
});

test("breaks its last column between words on a narrower terminal", async () => {
  const lines = await table(HEAD, [["night-1", "kept", WHY]], 70);
  expect(widest(lines)).toBe(70);
  expect(lines.slice(2, -1)).toEqual([
    "│ night-1     │ kept  │ another export with the same condition is    │",
    "│             │       │ not archived yet                             │",
  ]);
});

test("is entries of two lines where there is no room for words", async () => {
  const id = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
  const rows = [
    [id, "archived and kept", WHY],
    ["night-1", "postponed", ""],
  ];
  expect(await table(HEAD, rows, 80)).toEqual([
    id,
    `  ended: archived and kept, because: ${WHY}`,
    "night-1",
    "  ended: postponed",
  ]);
});
