import { expect, test } from "vitest";
import { requestLines } from "./request-lines.ts";
import { verifyLines } from "./retention-lines.ts";
import { outcomeInWords, reasonInWords } from "./words.ts";

/** What a try at one task may fail with: a code is for programs (`--json`), people get words. */
const ERROR_CODES = [
  "copy-differs",
  "cut-in-full-run",
  "platform-forbidden",
  "platform-malformed-answer",
  "platform-rejected-request",
  "platform-task-not-found",
  "records-overflow",
  "store-copy-differs",
  "store-foreign-answer",
  "store-forbidden",
  "store-unauthenticated",
  "store-key-taken",
  "store-object-cold",
  "store-proof-mismatch",
  "store-too-large",
  "store-unavailable",
  "store-upload-gone",
];

test.each(ERROR_CODES)("%s has words", (code) => {
  expect(reasonInWords(code)).toMatch(/^[a-z'-]+ [a-z' ]+/);
});

test("a reason does not say what its outcome says", () => {
  const entry = { exportTaskId: "night-1", outcome: "retried", durationMs: 1 } as const;
  expect(outcomeInWords(entry)).toContain("tried again");
  expect(reasonInWords("cut-by-time-limit")).not.toContain("tried again");
});

test("a request that fails on its own says how in words", () => {
  const requests = { created: [], underWay: [], ended: [], oldestRequestAgeSeconds: 0 };
  const waiting = [{ batchTaskId: "batch-1", reason: "platform-rejected-request" }];
  expect(requestLines({ requests: { ...requests, waiting } })).toContain(
    "  batch-1: waits; the platform refuses the request",
  );
});

test("damage comes with what to do about it, once", () => {
  const report = {
    runId: "r",
    startedAt: "2026-11-21T02:00:00.000Z",
    endedAt: "2026-11-21T02:00:01.000Z",
    stopReason: "done",
    counts: { recorded: 3, checked: 3, intact: 1, damaged: 2, cold: 0, failed: 0 },
    checkedBytes: 10,
    damage: [
      { exportTaskId: "night-1", revision: "fe8e44f7", damage: "unreadable-record" },
      { exportTaskId: "night-2", revision: "fe8e44f7", damage: "missing", key: "exports/night-2" },
    ],
  } as const;
  expect(verifyLines(report)).toEqual([
    "night-1: RECORD UNREADABLE: check its files below records/",
    "night-2: MISSING: exports/night-2",
    expect.stringMatching(/^Next: .*hold add <id>.*damaged-objects\)\.$/),
    expect.stringMatching(/^3 of 3 copies read/),
  ]);
  const sound = { ...report, counts: { ...report.counts, damaged: 0 }, damage: [] };
  expect(verifyLines(sound)).toHaveLength(1);
});
