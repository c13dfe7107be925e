import { describe, expect, test } from "vitest";
import { ExpectedExportsError } from "./errors.ts";
import { judgeExpected, judgeUsual, type MadeExport, parseExpectedExports } from "./expected.ts";

function problemsOf(text: string): readonly string[] {
  try {
    parseExpectedExports(text);
    return [];
  } catch (error) {
    return error instanceof ExpectedExportsError ? error.problems : [String(error)];
  }
}

const rulesOf = (...rules: object[]) => parseExpectedExports(JSON.stringify({ rules }));
const made = (exportTaskId: string, madeAt: string, more: Partial<MadeExport> = {}): MadeExport => ({
  exportTaskId,
  madeAtMs: Date.parse(madeAt),
  ...more,
});
const at7 = (timeZone = "UTC", date = "2026-11-28") => ({
  nowMs: Date.parse(`${date}T07:00:00Z`),
  timeZone,
});

describe("the rules of expected exports", () => {
  test("are read with what may be left out", () => {
    expect(rulesOf({ name: "nightly", by: "06:00" })).toEqual([
      { name: "nightly", by: "06:00", every: "1d", atLeast: 1 },
    ]);
  });

  test("are refused with the key and the nearest name", () => {
    expect(
      problemsOf(
        '{"rules":[{"name":"a","by":"6:00","atleast":2,"every":"32d","when":{"app":"x"}}]}',
      ).toSorted(),
    ).toEqual(
      [
        'rules[0].every: is not a number of days such as "1d", at most "31d"',
        'rules[0].by: is not a time of day such as "06:00"',
        "rules[0].when.app: is not a key of a list of expected exports here; did you mean appId?",
        "rules[0].atleast: is not a key of a list of expected exports here; did you mean atLeast?",
      ].toSorted(),
    );
    expect(problemsOf('{"rules":[{"name":"a","by":"24:00","atLeast":0,"minRows":1.5}]}')).toHaveLength(3);
    expect(problemsOf("{}")).toEqual(["rules: is missing"]);
    expect(problemsOf("nightly")).toEqual(["the list is not JSON"]);
  });

  test("have names of their own, and a condition that is not empty", () => {
    const twice = { name: "a", by: "06:00", when: {} };
    expect(problemsOf(JSON.stringify({ rules: [twice, twice] }))).toEqual([
      "rules[0].when: is empty; remove it, and the rule counts every export",
      "rules[1].name: another rule has this name",
      "rules[1].when: is empty; remove it, and the rule counts every export",
    ]);
  });

  test("are no more than 200", () => {
    const rules = Array.from({ length: 201 }, (_, index) => ({ name: `r${index}`, by: "06:00" }));
    expect(problemsOf(JSON.stringify({ rules }))).toEqual(["rules: has more than 200 rules"]);
  });
});

describe("expected exports", () => {
  const nightly = rulesOf({ name: "nightly", by: "06:00", atLeast: 2 });
  const byMs = Date.parse("2026-11-28T06:00:00Z");

  test("are those made in the day up to the time of day", () => {
    const there = [made("a", "2026-11-27T06:00:00.001Z"), made("b", "2026-11-28T06:00:00Z")];
    expect(judgeExpected(nightly, there, at7())).toEqual([]);
  });

  test("are missing with what was found, and when the last one was seen", () => {
    const old = [
      made("a", "2026-11-26T03:00:00Z", { batchTaskId: "fleet" }),
      made("b", "2026-11-27T06:00:00Z"),
    ];
    expect(judgeExpected(nightly, [], at7())).toEqual([
      { kind: "expected-missing", rule: "nightly", expected: 2, found: 0, byMs },
    ]);
    expect(judgeExpected(nightly, old, at7())).toEqual([
      {
        kind: "expected-missing",
        rule: "nightly",
        expected: 2,
        found: 0,
        byMs,
        lastSeenMs: Date.parse("2026-11-27T06:00:00Z"),
      },
    ]);
    const tonight = made("c", "2026-11-28T05:00:00Z", { batchTaskId: "made tonight" });
    const [some] = judgeExpected(nightly, [tonight], at7());
    expect(some).toMatchObject({ kind: "expected-missing", found: 1 });
    expect(some).not.toHaveProperty("batchTaskId");
    const [one] = old;
    expect(judgeExpected(nightly, one === undefined ? [] : [one], at7())).toMatchObject([
      { batchTaskId: "fleet" },
    ]);
  });

  test("are late when they were made between the time of day and the report", () => {
    const late = [
      made("a", "2026-11-28T06:10:00Z"),
      made("b", "2026-11-28T06:30:00Z"),
      made("c", "2026-11-28T06:40:00Z"),
    ];
    expect(judgeExpected(nightly, late, at7())).toEqual([
      { kind: "expected-late", rule: "nightly", byMs, madeAtMs: Date.parse("2026-11-28T06:30:00Z") },
    ]);
    expect(judgeExpected(nightly, late.slice(0, 1), at7())).toMatchObject([
      { kind: "expected-missing", found: 1 },
    ]);
  });

  test("are judged by the time of day before where today's is still to come", () => {
    const evening = rulesOf({ name: "evening", by: "22:00" });
    expect(judgeExpected(evening, [made("a", "2026-11-27T21:00:00Z")], at7())).toEqual([]);
    expect(judgeExpected(evening, [], at7())).toMatchObject([{ byMs: Date.parse("2026-11-27T22:00:00Z") }]);
  });

  test("are empty with fewer rows than the rule asks for", () => {
    const rules = rulesOf({ name: "full", by: "06:00", minRows: 3 });
    const there = [
      made("a", "2026-11-28T01:00:00Z", { rows: 2 }),
      made("b", "2026-11-28T01:00:00Z", { rows: 3 }),
      made("c", "2026-11-28T01:00:00Z"),
    ];
    expect(judgeExpected(rules, there, at7())).toEqual([
      { kind: "expected-empty", rule: "full", exportTaskId: "a", rows: 2, minRows: 3 },
    ]);
  });

  test.each(["appId", "appType", "resourceType", "batchTaskId"])("may be limited by %s", (name) => {
    const rules = rulesOf({ name: "some", by: "06:00", when: { [name]: "x" } });
    const other = made("a", "2026-11-28T01:00:00Z", { [name]: "y" });
    expect(judgeExpected(rules, [other], at7())).toMatchObject([{ kind: "expected-missing" }]);
    expect(judgeExpected(rules, [{ ...other, [name]: "x" }], at7())).toEqual([]);
  });

  test("have to match everything that a rule names", () => {
    const rules = rulesOf({ name: "both", by: "06:00", when: { appId: "x", batchTaskId: "b" } });
    const half = made("a", "2026-11-28T01:00:00Z", { appId: "x" });
    expect(judgeExpected(rules, [half], at7())).toMatchObject([{ found: 0, batchTaskId: "b" }]);
  });

  test("may come every few days", () => {
    const weekly = rulesOf({ name: "weekly", by: "06:00", every: "7d" });
    expect(judgeExpected(weekly, [made("a", "2026-11-21T06:00:01Z")], at7())).toEqual([]);
    expect(judgeExpected(weekly, [made("a", "2026-11-21T06:00:00Z")], at7())).toHaveLength(1);
  });

  test("are judged in the time zone, over both changes of clocks", () => {
    const rules = rulesOf({ name: "early", by: "02:30" });
    const berlin = "Europe/Berlin";
    // 02:30 does not exist on 29 March: 01:30 UTC counts. The day before it is at 01:30 UTC, too.
    expect(judgeExpected(rules, [made("a", "2026-03-29T01:30:00Z")], at7(berlin, "2026-03-29"))).toEqual([]);
    expect(
      judgeExpected(rules, [made("a", "2026-03-29T01:30:01Z")], at7(berlin, "2026-03-29")),
    ).toMatchObject([{ kind: "expected-late" }]);
    // 02:30 exists twice on 25 October: the first one counts.
    expect(judgeExpected(rules, [made("a", "2026-10-25T00:30:00Z")], at7(berlin, "2026-10-25"))).toEqual([]);
    expect(
      judgeExpected(rules, [made("a", "2026-10-25T00:30:01Z")], at7(berlin, "2026-10-25")),
    ).toMatchObject([{ kind: "expected-late" }]);
  });

  test("made after the report do not count", () => {
    expect(judgeExpected(nightly, [made("a", "2026-11-28T08:00:00Z")], at7())).toEqual([
      { kind: "expected-missing", rule: "nightly", expected: 2, found: 0, byMs },
    ]);
  });
});

describe("without rules", () => {
  test("fewer than half of the median night are fewer than usual", () => {
    const usual = [40, 41, 42, 43, 44, 45, 46];
    expect(judgeUsual(21, usual)).toEqual([{ kind: "fewer-than-usual", found: 21, median: 43 }]);
    expect(judgeUsual(22, usual)).toEqual([]);
  });

  test("nothing is usual before seven nights are known", () => {
    expect(judgeUsual(0, [40, 41, 42, 43, 44, 45])).toEqual([]);
    expect(judgeUsual(0, [])).toEqual([]);
  });
});
