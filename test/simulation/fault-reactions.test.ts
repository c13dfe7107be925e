import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  baseStory,
  faultAt,
  type Point,
  pairRows,
  playCleanRun,
  pointsOf,
  singleRows,
} from "./exhaustive.ts";
import { withoutStacks } from "./expect-kept.ts";
import { NAMED_CODES, REACTIONS } from "./fault-reactions.ts";
import { playStory } from "./play-story.ts";

const ROOT = join(import.meta.dirname, "../..");
const POLICY = "lib/{archive,discovery,domain,pacing,records}/**/*.ts";
const SETTING = { runners: 1, store: "with conditional writes", queue: "apart" } as const;

/** Every call of the story with this one fault, when, and what became of it. */
async function callsUnder(point: Point): Promise<readonly string[]> {
  let calls: readonly string[] = [];
  await playStory({ ...baseStory(SETTING), faults: [faultAt(point)] }, ({ effects }) => {
    calls = effects.toLines();
  });
  return calls;
}

test("policy names no other codes of the ports than those with a reaction of their own", async () => {
  const named = new Set<string>();
  for await (const file of glob(POLICY, { cwd: ROOT, exclude: ["**/*.test.ts", "**/testing/**"] })) {
    const codes = readFileSync(join(ROOT, file), "utf8").matchAll(/"((?:platform|queue|store)-[a-z-]+)"/g);
    for (const [, code] of codes) {
      named.add(String(code));
    }
  }
  // Said by policy itself, of a store whose answers are in order.
  named.delete("store-keeps-no-digest");
  // A kind of thing that is left alone, no code of an error.
  named.delete("store-entry");
  expect([...named].sort()).toEqual([...NAMED_CODES].sort());
});

test("faults of one reaction lead to the same calls at the same time, wherever they strike", async () => {
  const clean = await playCleanRun(SETTING);
  const inReach = new Set(singleRows(SETTING));
  let compared = 0;
  await withoutStacks(async () => {
    for (const rows of REACTIONS.values()) {
      const [first, ...others] = rows.filter((row) => inReach.has(row));
      for (const { row, occurrence } of pointsOf(others, clean)) {
        if (first !== undefined) {
          const name = `${row.name}, call ${occurrence}`;
          expect(await callsUnder({ row, occurrence }), name).toEqual(
            await callsUnder({ row: first, occurrence }),
          );
          compared += 1;
        }
      }
    }
  });
  expect(compared).toBeGreaterThan(200);
  const [behaviours, reactions] = [singleRows(SETTING).length, pairRows(SETTING).length];
  process.stdout.write(`${behaviours} behaviours in reach, ${reactions} reactions\n`);
});
