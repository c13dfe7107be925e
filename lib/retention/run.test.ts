import { expect, test } from "vitest";
import { SeededRandom } from "../../test/world/seeded-random.ts";
import { rotated } from "./run.ts";

const at = (fraction: number) => ({ random: { fraction: () => fraction, hex: () => "" } });

test("a run begins anywhere, leaves nothing out, and comes to nothing twice", () => {
  expect(rotated([], at(0.5))).toEqual([]);
  expect(rotated([1, 2, 3, 4], at(0))).toEqual([1, 2, 3, 4]);
  expect(rotated([1, 2, 3, 4], at(0.5))).toEqual([3, 4, 1, 2]);
  expect(rotated([1, 2, 3, 4], at(0.999))).toEqual([4, 1, 2, 3]);
});

test.each([1, 2, 50, 7_919])("runs that get through a tenth come round to each of %i items", (count) => {
  const items = Array.from({ length: count }, (_, index) => index);
  const random = new SeededRandom(count);
  const reached = new Set<number>();
  for (let run = 0; run < 200; run += 1) {
    for (const item of rotated(items, { random }).slice(0, Math.ceil(count / 10))) {
      reached.add(item);
    }
  }
  expect(reached.size).toBe(count);
});
