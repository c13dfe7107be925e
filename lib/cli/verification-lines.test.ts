import { describe, expect, test } from "vitest";
import type { VerificationReport } from "../catalogue/verification.ts";
import { asksForAttention, verificationLines } from "./verification-lines.ts";

const GIB = 1024 ** 3;
const REPORT: VerificationReport = {
  limitDays: 90,
  copies: 400,
  coldCopies: 0,
  checked: 12,
  checkedBytes: 2 * GIB,
  intact: 12,
  cold: 0,
  failed: 0,
  damaged: 0,
  isGoalReached: true,
  oldestUnreadDays: 81,
  budgetBytesPerDay: 10 * GIB,
  neededBytesPerDay: 2 * GIB,
  isLimitKept: true,
};
const MISSED = { ...REPORT, isLimitKept: false, missedFrom: "2026-12-04T07:20:00.000Z" };
const DRILL = {
  exportTaskId: "task-1",
  revision: "fe8e44f7",
  sizeBytes: GIB,
  durationMs: 3_100,
  result: "restored",
} as const;

function texts(report: VerificationReport | undefined): readonly string[] {
  return verificationLines(report).map((line) => (typeof line === "string" ? line : line.text));
}

describe("the lines on copies that were read again", () => {
  test("say how much was read, and that the limit is kept", () => {
    expect(texts(REPORT)).toEqual([
      "12 of 400 copies read again (2.00 GiB): 12 intact, 0 damaged.",
      "Each copy is read at least once in 90 days. The longest that one had not been read: 81 days.",
    ]);
    expect(asksForAttention(REPORT)).toBe(false);
  });

  test("say of a limit that cannot be kept from when on, and which bytes a day would keep it", () => {
    expect(texts({ ...MISSED, neededBytesPerDay: 15 * GIB }).slice(1)).toEqual([
      "From 2026-12-04 on, copies will have been unread for more than 90 days; the longest now: 81 days.",
      "Next: set ARCHIVER_VERIFY_BYTES_PER_DAY to 16106127360 (15.0 GiB) or more, or ARCHIVER_VERIFY_WITHIN_DAYS to more days.",
    ]);
    expect(asksForAttention(MISSED)).toBe(true);
  });

  test("ask for more time where the bytes a day would suffice", () => {
    expect(texts({ ...MISSED, isGoalReached: false, neededBytesPerDay: 3 * GIB }).slice(2)).toEqual([
      "Next: give the inventory more time: 3.00 GiB a day would keep the limit, and this time it read 2.00 GiB.",
    ]);
  });

  test("count what cannot be read apart, and do not speak of a limit where nothing can be", () => {
    const [read, ...others] = texts({ ...REPORT, copies: 3, coldCopies: 3, failed: 2 });
    expect(read).toContain("0 damaged, 2 could not be read.");
    expect(others).toEqual([
      'Not read: 3 copies in an archive storage class. Let the store check them: docs/finding.md, "Copies are read again".',
    ]);
  });

  test.each([
    [
      DRILL,
      "Drill: task-1, revision fe8e44f7, was restored and every member of it inflated, in 3.1 s.",
      false,
    ],
    [
      { ...DRILL, result: "unchecked", problem: "it is not a ZIP" } as const,
      "Drill: task-1, revision fe8e44f7, was restored in 3.1 s. Its bytes are the recorded ones; its members were not checked: it is not a ZIP",
      false,
    ],
    [
      { ...DRILL, result: "failed", problem: "the disk is full" } as const,
      "Drill: task-1, revision fe8e44f7, could NOT be restored: the disk is full",
      true,
    ],
  ])("tell of a drill: %j", (drill, line, isAlarming) => {
    expect(texts({ ...REPORT, drill }).at(-1)).toBe(line);
    expect(asksForAttention({ ...REPORT, drill })).toBe(isAlarming);
  });

  test("say when the reading is switched off", () => {
    expect(texts(undefined)).toEqual(["No copy was read again: ARCHIVER_VERIFY_WITHIN_DAYS is 0."]);
    expect(asksForAttention(undefined)).toBe(false);
  });
});
