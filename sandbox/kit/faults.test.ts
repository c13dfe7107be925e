import { expect, test } from "vitest";
import { afterMeeting, decideFault, type FaultProgress } from "./faults.ts";

interface Rule {
  readonly skip: number;
  readonly times: number;
  readonly fault: string;
}

const rule = (over: Partial<Rule>, met = 0): FaultProgress<Rule> => ({
  rule: { skip: 0, times: 1, fault: "reset", ...over },
  met,
});

test("a rule that does not match a request does not meet it", () => {
  expect(decideFault([rule({})], () => false)).toEqual({ met: [], fault: undefined });
  expect(decideFault([rule({})], () => true)).toEqual({ met: [0], fault: "reset" });
});

test("a rule plays its fault after what it skips, as often as it says", () => {
  let rules: readonly FaultProgress<Rule>[] = [rule({ skip: 1, times: 2 })];
  const faults = [0, 1, 2, 3].map(() => {
    const { met, fault } = decideFault(rules, () => true);
    rules = met.reduce(afterMeeting<Rule>, rules);
    return fault;
  });
  expect(faults).toEqual([undefined, "reset", "reset", undefined]);
});

test("a rule that skips a request leaves it to the next", () => {
  const rules = [rule({ skip: 1 }), rule({ fault: "answer-lost" })];
  expect(decideFault(rules, () => true)).toEqual({ met: [0, 1], fault: "answer-lost" });
});
