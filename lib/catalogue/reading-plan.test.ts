import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY_MS } from "../domain/utc-day.ts";
import type { CatalogueLine } from "../records/catalogue-line.ts";
import type { LedgerEntry } from "../records/verification-ledger.ts";
import { type CopyToRead, LastReads, UnreadCopies } from "./reading-plan.ts";

const NOW_MS = Date.parse("2026-11-29T12:00:00.000Z");

/** A copy that was archived this many days ago. */
function copyOf(exportTaskId: string, daysAgo: number, sizeBytes = 100): CatalogueLine {
  return {
    exportTaskId,
    revision: "fe8e44f7",
    key: `exports/p/default/2026/11/22/${exportTaskId}/fe8e44f7-0a1b2c.zip`,
    sizeBytes,
    sha256: "0".repeat(64),
    archivedAt: new Date(NOW_MS - daysAgo * DAY_MS).toISOString(),
    recordsTag: "000000000000",
  };
}

function entryOf(
  { key, exportTaskId, revision, sizeBytes }: CatalogueLine,
  daysAgo: number,
  result: LedgerEntry["result"] = "intact",
): LedgerEntry {
  const at = new Date(NOW_MS - daysAgo * DAY_MS).toISOString();
  return { at, key, exportTaskId, revision, sizeBytes, result, durationMs: 1 };
}

function unread(
  copies: readonly CatalogueLine[],
  {
    entries = [],
    days = 90,
    bytesPerDay = 1_000_000,
  }: { entries?: readonly LedgerEntry[]; days?: number; bytesPerDay?: number } = {},
) {
  const lastReads = new LastReads();
  for (const entry of entries) {
    lastReads.add(entry);
  }
  const made = new UnreadCopies(
    { verifyWithinDays: days, verifyBytesPerDay: bytesPerDay },
    lastReads,
    NOW_MS,
  );
  for (const copy of copies) {
    made.see(copy);
  }
  return made;
}

const idsOf = (copies: readonly CopyToRead[]) => copies.map(({ exportTaskId }) => exportTaskId);

describe("what is read", () => {
  test("begins with the copy that was unread longest, whether it was archived or read then", () => {
    const copies = [copyOf("a", 10), copyOf("b", 80), copyOf("c", 50), copyOf("d", 85)];
    const entries = [entryOf(copyOf("d", 85), 5)];
    expect(idsOf(unread(copies, { entries }).plan().copies)).toEqual(["b", "c", "a", "d"]);
  });

  test("leaves out what has expired, and counts apart what cannot be read", () => {
    const cold = copyOf("cold", 80);
    const expired = { ...copyOf("gone", 80), expiredAt: "2026-11-01T00:00:00.000Z" };
    const made = unread([copyOf("a", 1), cold, expired], { entries: [entryOf(cold, 3, "cold")] });
    expect(idsOf(made.plan().copies)).toEqual(["a"]);
    expect([made.copies, made.cold]).toEqual([2, 1]);
  });

  test("a copy that could be read once is not cold for having been so", () => {
    const copy = copyOf("a", 80);
    const entries = [entryOf(copy, 30, "cold"), entryOf(copy, 20)];
    expect(unread([copy], { entries }).cold).toBe(0);
  });

  test.each(["changed", "missing"] as const)(
    "a copy that was %s is read again each day, before all others",
    (result) => {
      const [harmed, old] = [copyOf("harmed", 1, 700), copyOf("old", 89, 100)];
      const { copies, goalBytes } = unread([old, harmed], { entries: [entryOf(harmed, 1, result)] }).plan();
      expect(idsOf(copies)).toEqual(["harmed", "old"]);
      expect(goalBytes).toBe(800);
      const repaired = [entryOf(harmed, 2, result), entryOf(harmed, 1)];
      expect(idsOf(unread([old, harmed], { entries: repaired }).plan().copies)).toEqual(["old", "harmed"]);
    },
  );

  test("is as much as an even pace needs, and never more than the day may read", () => {
    // 81 days are planned with; each of the copies has 40 of them left.
    const copies = Array.from({ length: 41 }, (_, index) => copyOf(`c${index}`, 41));
    expect(unread(copies).plan().goalBytes).toBe(100);
    expect(unread(copies, { bytesPerDay: 30 }).plan().goalBytes).toBe(30);
    expect(unread([]).plan().goalBytes).toBe(0);
  });
});

describe("the forecast", () => {
  test("keeps the limit where each day's budget suffices, and names the budget where it does not", () => {
    const copies = Array.from({ length: 20 }, (_, index) => copyOf(`c${index}`, 81));
    const made = unread(copies);
    expect(made.forecast(200)).toEqual({ isKept: true, neededBytesPerDay: 200 });
    expect(made.forecast(199)).toEqual({
      isKept: false,
      neededBytesPerDay: 200,
      missedFromMs: NOW_MS + 10 * DAY_MS,
    });
  });

  test("says at once that a copy is overdue", () => {
    expect(unread([copyOf("a", 95)]).forecast(99)).toMatchObject({ isKept: false, neededBytesPerDay: 100 });
    expect(unread([copyOf("a", 95)]).oldestUnreadDays).toBe(95);
  });

  test("its budget is the least that keeps every limit", () => {
    const copies = fc.array(
      fc.record({ daysAgo: fc.integer({ min: 0, max: 89 }), sizeBytes: fc.integer({ min: 1, max: 1_000 }) }),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(copies, (made) => {
        const lines = made.map(({ daysAgo, sizeBytes }, index) => copyOf(`c${index}`, daysAgo, sizeBytes));
        const { neededBytesPerDay } = unread(lines).forecast(0);
        expect(unread(lines).forecast(neededBytesPerDay).isKept).toBe(true);
        expect(unread(lines).forecast(neededBytesPerDay - 1).isKept).toBe(false);
      }),
    );
  });
});
