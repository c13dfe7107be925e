import { describe, expect, test } from "vitest";
import { ArchiverError, type ErrorScope } from "../domain/errors.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";

type Step = readonly [exportTaskId: string, scope: ErrorScope, code: string];

function judgeAll(verdicts: CircuitBreaker<string>, steps: readonly Step[], nowMs = 0): string[] {
  return steps.map(([exportTaskId, scope, code]) => {
    const error = new ArchiverError(code, "it failed", { scope, retry: "later", hint: "none" });
    return verdicts.judge({ exportTaskId, error, isArchived: false, item: `${exportTaskId}:${code}` }, nowMs);
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
    const verdicts = new CircuitBreaker<string>();
    const judged = judgeAll(verdicts, steps);
    expect(judged.at(-1)).toBe(last);
    expect(judged.slice(0, -1).every((verdict) => verdict === "held")).toBe(true);
    expect(verdicts.takePending().map(({ item }) => item)).toEqual(
      steps.map(([id, , code]) => `${id}:${code}`),
    );
    expect(verdicts.takePending()).toEqual([]);
  });

  test("the suspect is the first failure that only a system can cause", () => {
    const verdicts = new CircuitBreaker<string>();
    judgeAll(verdicts, [["a", "task", "short"]]);
    expect(verdicts.systemSuspect).toBeUndefined();
    judgeAll(verdicts, [["b", "system", "denied"]]);
    expect(verdicts.systemSuspect).toMatchObject({ code: "denied" });
  });
});

test("what two archived tasks are refused stops no other, until one that is not archived is refused too", () => {
  const verdicts = new CircuitBreaker<string>();
  const error = new ArchiverError("denied", "it failed", { scope: "system", retry: "later", hint: "none" });
  const judged = [true, true, true, false].map((isArchived, index) =>
    verdicts.judge({ exportTaskId: `task-${index}`, error, isArchived, item: "" }, 0),
  );
  expect(judged).toEqual(["held", "system-in-part", "system-in-part", "system"]);
});

describe("another task worked", () => {
  test("a task's own failure is an attempt, one that was held counts by now", () => {
    const verdicts = new CircuitBreaker<string>();
    judgeAll(verdicts, [["a", "task", "short"]]);
    verdicts.noteSuccess("b", 0);
    expect(judgeAll(verdicts, [["c", "task", "short"]])).toEqual(["attempt"]);
    expect(verdicts.takeCleared().map(({ item }) => item)).toEqual(["a:short"]);
    expect(verdicts.takePending()).toEqual([]);
  });

  test("a task that worked says nothing about its own failure", () => {
    const verdicts = new CircuitBreaker<string>();
    verdicts.noteSuccess("a", 0);
    expect(judgeAll(verdicts, [["a", "task", "reset"]])).toEqual(["held"]);
    expect(judgeAll(verdicts, [["a", "system", "denied"]])).toEqual(["held"]);
    expect(verdicts.systemSuspect).toMatchObject({ code: "denied" });
    verdicts.noteSuccess("b", 0);
    expect(verdicts.systemSuspect).toBeUndefined();
    expect(verdicts.takeCleared().map(({ item }) => item)).toEqual(["a:reset"]);
    expect(verdicts.takePending().map(({ item }) => item)).toEqual(["a:denied"]);
  });

  test("one task without permission may be ill, two accuse a part of the system, whatever works", () => {
    const verdicts = new CircuitBreaker<string>();
    verdicts.noteSuccess("a", 0);
    verdicts.noteSuccess("b", 0);
    expect(judgeAll(verdicts, [["a", "system", "denied"]])).toEqual(["held"]);
    expect(judgeAll(verdicts, [["b", "system", "denied"]])).toEqual(["system-in-part"]);
    verdicts.takePending();
    expect(judgeAll(verdicts, [["c", "system", "denied"]])).toEqual(["system-in-part"]);
    expect(verdicts.takeCleared()).toEqual([]);
    expect(verdicts.systemSuspect).toMatchObject({ code: "denied" });
  });

  test("long ago, and it says nothing any more; tasks that fail alike still add up", () => {
    const verdicts = new CircuitBreaker<string>();
    verdicts.noteSuccess("a", 0);
    const judged = [15, 16, 30, 45].flatMap((minutes) => {
      const verdict = judgeAll(verdicts, [[`task-${minutes}`, "task", "short"]], minutes * 60_000);
      verdicts.takePending();
      return verdict;
    });
    expect(judged).toEqual(["attempt", "held", "held", "system"]);
  });

  test("and what failed alike before adds up with nothing after", () => {
    const verdicts = new CircuitBreaker<string>();
    judgeAll(verdicts, [["b", "task", "short"]]);
    verdicts.noteSuccess("a", 0);
    const later = [16, 17].flatMap((minutes) =>
      judgeAll(verdicts, [[`task-${minutes}`, "task", "short"]], minutes * 60_000),
    );
    expect(later).toEqual(["held", "held"]);
  });

  test("long ago, and what two are refused stops the run", () => {
    const verdicts = new CircuitBreaker<string>();
    verdicts.noteSuccess("a", 0);
    expect(judgeAll(verdicts, [["b", "system", "denied"]])).toEqual(["held"]);
    expect(judgeAll(verdicts, [["c", "system", "denied"]])).toEqual(["system-in-part"]);
    expect(judgeAll(verdicts, [["d", "system", "denied"]], 16 * 60_000)).toEqual(["system"]);
  });
});
