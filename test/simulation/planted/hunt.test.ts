import { beforeAll, describe, expect, test } from "vitest";
import { effortOf } from "../effort.ts";
import { type HuntAnswer, huntAll } from "./hunters.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { tableOf } from "./table.ts";

const UNCHANGED = "the program as it is";
const SEEDS_OF_THE_UNCHANGED = 3;
/** Random stories beside the scenes: how many each bug is given to show itself in. */
const SEEDS_BY_EFFORT = { test: 0, ci: 50, full: 2_000 };
const HUNT_LIMIT_MS = 3 * 3_600_000;

let answers: readonly HuntAnswer[] = [];

beforeAll(async () => {
  const seeds = SEEDS_BY_EFFORT[effortOf(process.env).name];
  const unchanged = Array.from({ length: SEEDS_OF_THE_UNCHANGED }, (_, index) => ({
    name: UNCHANGED,
    sceneSeed: index + 1,
    seeds,
  }));
  const planted = PLANTED_BUGS.map(({ name }) => ({ name, sceneSeed: 1, seeds }));
  answers = await huntAll([...unchanged, ...planted]);
  console.log(tableOf(answers, seeds));
}, HUNT_LIMIT_MS);

test("in the program as it is nothing is seen: nobody cries wolf", () => {
  const unchanged = answers.filter(({ name }) => name === UNCHANGED);
  expect(unchanged).toEqual(
    Array.from({ length: SEEDS_OF_THE_UNCHANGED }, () => ({
      name: UNCHANGED,
      inScenes: undefined,
      byChance: undefined,
    })),
  );
});

describe("each planted bug is seen, by the promise it breaks", () => {
  test.each(PLANTED_BUGS)("$name: $invariant", ({ name, invariant }) => {
    const answer = answers.find((candidate) => candidate.name === name);
    expect(answer?.inScenes?.violation).toMatch(new RegExp(`^${invariant}:`));
  });
});
