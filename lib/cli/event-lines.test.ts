import { expect, test } from "vitest";
import type { ArchiveEvent } from "../archive/events.ts";
import type { TaskEntry } from "../records/run-report.ts";
import { createEventLines } from "./event-lines.ts";

const FAILURE = { code: "platform-unreachable", message: "the connection failed", hint: "Check the proxy." };

function failed(verdict: "attempt" | "held", failure = FAILURE): ArchiveEvent {
  return { kind: "failed", exportTaskId: "night-1", failure, verdict };
}

function ended(entry: Pick<TaskEntry, "outcome" | "reason">, delayMs?: number): ArchiveEvent {
  return { kind: "task-ended", entry: { exportTaskId: "night-1", durationMs: 1, ...entry }, delayMs };
}

function textsOf(...events: readonly ArchiveEvent[]): readonly string[] {
  const linesOf = createEventLines();
  return events.flatMap((event) => linesOf(event).map(({ level, text }) => `${level} ${text}`));
}

const RETRIED = ended({ outcome: "retried", reason: "platform-unreachable" }, 8_000);
const GIVEN_UP = ended({ outcome: "dead-lettered", reason: "max-attempts" });

test("a failed try is one line, with what becomes of the export", () => {
  expect(textsOf(failed("attempt"), RETRIED)).toEqual([
    "warn night-1: the connection failed; will be tried again in 8.0 s. Check the proxy.",
  ]);
  expect(textsOf(failed("attempt"), GIVEN_UP)).toEqual([
    "error night-1: the connection failed; dead-lettered: every attempt failed. Check the proxy.",
  ]);
});

test("each try has a line", () => {
  expect(textsOf(failed("attempt"), RETRIED, failed("attempt"), RETRIED)).toHaveLength(2);
});

test("a failure that may be the system's is said at once, and not again when the export is tried again", () => {
  expect(textsOf(failed("held"), RETRIED)).toEqual(["warn night-1: the connection failed. Check the proxy."]);
  // What became of it otherwise is news.
  expect(textsOf(failed("held"), GIVEN_UP)).toHaveLength(2);
});

test("a failure of which nothing came is said at the end of the run", () => {
  const run = { kind: "run-ended", report: {} } as ArchiveEvent;
  expect(textsOf(failed("attempt"), run)).toEqual(["warn night-1: the connection failed. Check the proxy."]);
  expect(textsOf(failed("attempt"), RETRIED, run)).toHaveLength(1);
});

test("a copy that is not what was downloaded is one line, and an error", () => {
  const failure = { ...FAILURE, code: "copy-differs", message: "the copy differs" };
  const again: ArchiveEvent = { kind: "verification-failed", exportTaskId: "night-1", failure };
  expect(textsOf(failed("attempt", failure), again, RETRIED)).toEqual([
    "error night-1: verification failed: the copy differs; will be tried again in 8.0 s. Check the proxy.",
  ]);
});

test("an export that is lost is one line", () => {
  const lost: ArchiveEvent = { kind: "export-lost", exportTaskId: "night-1", detail: "It is gone." };
  expect(textsOf(lost, ended({ outcome: "dead-lettered", reason: "source-gone" }))).toEqual([
    "error night-1: EXPORT LOST. It is gone.",
  ]);
});
