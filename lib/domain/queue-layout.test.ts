import { expect, test } from "vitest";
import { parseQueueEntryTime, queuedMessageKey, queueEntryName } from "./queue-layout.ts";

const AT_MS = Date.parse("2026-11-22T01:02:03.004Z");
const NONCE = "0a1b2c3d4e5f6071";

test("names sort by time, then by sequence, and say their time", () => {
  const names = [
    queueEntryName(AT_MS, 2, NONCE),
    queueEntryName(AT_MS, 10, NONCE),
    queueEntryName(AT_MS + 1, 1, NONCE),
    queueEntryName(Number.MAX_SAFE_INTEGER, 1, NONCE),
  ];
  expect(names[0]).toBe(`20261122T010203004Z-000002-${NONCE}`);
  expect(names.toSorted()).toEqual(names);
  expect(parseQueueEntryTime(queuedMessageKey(names[0] ?? ""))).toBe(AT_MS);
});

test.each([
  "queue/messages/task-7.json",
  `queue/messages/20261322T010203004Z-000002-${NONCE}.json`,
  `queue/messages/20261122T010203004Z-000002-${NONCE}`,
  "queue/messages/20261122T010203004Z-000002-xyz.json",
])("the name of %s says no time", (key) => {
  expect(parseQueueEntryTime(key)).toBeUndefined();
});
