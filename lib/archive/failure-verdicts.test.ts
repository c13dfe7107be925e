import { describe, expect, test } from "vitest";
import { ArchiverError, type ErrorScope } from "../domain/errors.ts";
import { FailureVerdicts } from "./failure-verdicts.ts";

type Step = readonly [exportTaskId: string, scope: ErrorScope, code: string];

function judgeAll(verdicts: FailureVerdicts<string>, steps: readonly Step[]): string[] {
  return steps.map(([exportTaskId, scope, code]) => {
    const error = new ArchiverError(code, "it failed", { scope, retry: "later", hint: "none" });
    return verdicts.judge({ exportTaskId, error, item: `${exportTaskId}:${code}` });
  });
}

describe("nothing worked yet", () => {
  const cases: readonly [string, readonly Step[], string][] = [
    [
      "two tasks without permission",
      [
        ["a", "system", "denied"],
        ["b", "system", "denied"],
      ],
      "system",
    ],
    [
      "permission and space",
      [
        ["a", "system", "denied"],
        ["b", "system", "full"],
      ],
      "system",
    ],
    [
      "one task twice without permission",
      [
        ["a", "system", "denied"],
        ["a", "system", "denied"],
      ],
      "held",
    ],
    [
      "permission, after an ill task",
      [
        ["a", "task", "short"],
        ["b", "system", "denied"],
      ],
      "held",
    ],
    [
      "two tasks alike",
      [
        ["a", "task", "short"],
        ["b", "task", "short"],
      ],
      "held",
    ],
    [
      "three tasks alike",
      [
        ["a", "task", "short"],
        ["b", "task", "short"],
        ["c", "task", "short"],
      ],
      "system",
    ],
    [
      "three, one otherwise",
      [
        ["a", "task", "late"],
        ["b", "task", "short"],
        ["c", "task", "short"],
      ],
      "held",
    ],
    [
      "two tasks, one twice",
      [
        ["a", "task", "short"],
        ["b", "task", "short"],
        ["a", "task", "short"],
      ],
      "held",
    ],
  ];
  test.each(cases)("%s", (_name, steps, last) => {
    const verdicts = new FailureVerdicts<string>();
    const judged = judgeAll(verdicts, steps);
    expect(judged.at(-1)).toBe(last);
    expect(judged.slice(0, -1).every((verdict) => verdict === "held")).toBe(true);
    expect(verdicts.takeHeld().map(({ item }) => item)).toEqual(steps.map(([id, , code]) => `${id}:${code}`));
    expect(verdicts.takeHeld()).toEqual([]);
  });

  test("the suspect is the first failure that only a system can cause", () => {
    const verdicts = new FailureVerdicts<string>();
    judgeAll(verdicts, [["a", "task", "short"]]);
    expect(verdicts.systemSuspect).toBeUndefined();
    judgeAll(verdicts, [["b", "system", "denied"]]);
    expect(verdicts.systemSuspect).toMatchObject({ code: "denied" });
    expect(verdicts.isSystemCleared).toBe(false);
  });
});

test("once something worked every failure is an attempt, and nothing is suspected", () => {
  const verdicts = new FailureVerdicts<string>();
  judgeAll(verdicts, [["a", "system", "denied"]]);
  verdicts.noteSuccess();
  expect(verdicts.isSystemCleared).toBe(true);
  expect(verdicts.systemSuspect).toBeUndefined();
  expect(
    judgeAll(verdicts, [
      ["b", "system", "denied"],
      ["c", "system", "denied"],
    ]),
  ).toEqual(["attempt", "attempt"]);
  expect(verdicts.takeHeld().map(({ item }) => item)).toEqual(["a:denied"]);
});
