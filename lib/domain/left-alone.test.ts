import { expect, test } from "vitest";
import { type LeftAlone, LeftAloneTally, leftAloneInWords } from "./left-alone.ts";

const item = (index: number, exportTaskId?: string): LeftAlone => ({
  kind: "list-item",
  index,
  problem: "it is odd",
  ...(exportTaskId === undefined ? {} : { exportTaskId }),
});

test("each thing is told once, however often it is seen and wherever the list shows it", () => {
  const told: LeftAlone[] = [];
  const tally = new LeftAloneTally((one) => told.push(one));
  expect(tally.report()).toBeUndefined();
  const first = [item(3), item(7), item(9, "a")];
  tally.note(first);
  tally.note([item(1), item(2), item(4, "a")]);
  expect(told).toEqual(first);
  tally.note([{ kind: "record", key: "k", problem: "p" }]);
  tally.note([
    { kind: "record", key: "k", problem: "p" },
    { kind: "hold", key: "k", problem: "p" },
  ]);
  expect(tally.report()).toMatchObject({ count: 5 });
});

test("a report names twenty of them", () => {
  const tally = new LeftAloneTally(() => undefined);
  tally.note(Array.from({ length: 50 }, (_, index) => item(index)));
  const report = tally.report();
  expect(report?.count).toBe(50);
  expect(report?.items).toHaveLength(20);
});

test.each<[LeftAlone, string]>([
  [item(4), "item 4 of the platform's list: it is odd"],
  [
    { kind: "list-item", index: 0, field: "status", problem: "is missing", exportTaskId: "a" },
    "item 0 of the platform's list (a), field status: is missing",
  ],
  [{ kind: "hold", key: "holds/x", problem: "it is odd" }, "the hold holds/x: it is odd"],
  [{ kind: "record", key: "records/x", problem: "it is odd" }, "the record records/x: it is odd"],
  [{ kind: "store-entry", key: "x", problem: "it is a pipe" }, "the entry x of the store: it is a pipe"],
  [{ kind: "message", index: 1, problem: "it is odd" }, "message 1 of the batch: it is odd"],
  [{ kind: "event", index: 1, problem: "it is odd" }, "event 1 of the batch: it is odd"],
])("%j in words", (one, words) => {
  expect(leftAloneInWords(one)).toBe(words);
});
