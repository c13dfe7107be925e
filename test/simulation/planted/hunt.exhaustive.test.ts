import { beforeAll, describe, expect, test } from "vitest";
import { effortOf } from "../effort.ts";
import { type HuntAnswer, huntAll } from "./hunters.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";
import { tableOf } from "./table.ts";

const UNCHANGED = "the program as it is";
const SEEDS_OF_THE_UNCHANGED = 3;
const HUNT_LIMIT_MS = 3 * 3_600_000;
const { huntSeeds } = effortOf(process.env);

describe("a hunt", () => {
  let answers: readonly HuntAnswer[] = [];

  beforeAll(async () => {
    const unchanged = Array.from({ length: SEEDS_OF_THE_UNCHANGED }, (_, index) => ({
      name: UNCHANGED,
      sceneSeed: index + 1,
      seeds: huntSeeds,
    }));
    const planted = PLANTED_BUGS.map(({ name }) => ({ name, sceneSeed: 1, seeds: huntSeeds }));
    answers = await huntAll([...unchanged, ...planted]);
    console.log(tableOf(answers, huntSeeds));
  }, HUNT_LIMIT_MS);

  test("sees nothing in the program as it is: it raises no false alarm", () => {
    const unchanged = answers.filter(({ name }) => name === UNCHANGED);
    expect(unchanged).toEqual(
      Array.from({ length: SEEDS_OF_THE_UNCHANGED }, () => ({
        name: UNCHANGED,
        inScenes: undefined,
        byChance: undefined,
      })),
    );
  });

  test.each(PLANTED_BUGS)("sees $name, by the promise it breaks: $invariant", ({ name, invariant }) => {
    const answer = answers.find((candidate) => candidate.name === name);
    expect(answer?.inScenes?.violation).toMatch(new RegExp(`^${invariant}:`));
  });
});
