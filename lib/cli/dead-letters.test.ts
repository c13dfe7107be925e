import { expect, test } from "vitest";
import type { HeldDeadLetter } from "../ports/task-queue.ts";
import { deadLetterLines, dismissLines, redriveLines, unknownIds } from "./dead-letters.ts";
import { lineWriter } from "./output.ts";

const HOSTILE = '\u001b[2J\u009b31m\u2028\nmoved back 99: {"exportTaskId":"forged"}';

function letter(changes: Partial<HeldDeadLetter>): HeldDeadLetter {
  const plain = {
    id: "1",
    body: "{",
    reason: "unreadable",
    detail: "No JSON.",
    attempts: 0,
    runId: "r",
  } as const;
  return { ...plain, deadLetteredAtMs: 0, ...changes };
}

test("a letter of a task is told by the task's id", () => {
  const letters = [letter({ body: '{"exportTaskId":"t-1","note":"x"}', attempts: 5 })];
  expect(deadLetterLines(letters, 60_000).slice(0, 2)).toEqual([
    "1  t-1  unreadable, after 5 failed attempts, 1 min 00 s ago",
    "    No JSON.",
  ]);
  expect(redriveLines("all", letters)).toEqual(["Moved back 1: t-1"]);
});

test.each([
  ["body", letter({ body: HOSTILE })],
  ["detail", letter({ detail: HOSTILE })],
  // Another program's attribute: whatever text is there.
  ["reason", letter({ reason: HOSTILE as HeldDeadLetter["reason"] })],
])("nothing in a %s acts on the terminal or adds a line", async (_field, held) => {
  const shown: string[] = [];
  const write = await lineWriter({ write: (text) => shown.push(text) });
  write([...deadLetterLines([held], 0), ...redriveLines(["1"], [held])]);
  const lines = shown.join("").split("\n");
  expect(lines).toHaveLength(8);
  expect(lines.join("")).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
});

test("a long body is cut", () => {
  const [line = ""] = redriveLines("all", [letter({ body: "x".repeat(1_000) })]);
  expect(line).toBe(`Moved back 1: "${"x".repeat(40)}…"`);
});

test("an id is unknown when it is neither a letter's nor its export task's", () => {
  const letters = [letter({ id: "7", body: "t-1" }), letter({ id: "8", body: "t-1" })];
  expect(unknownIds(["7", "t-1", "8", "t-2"], letters)).toEqual(["t-2"]);
  expect(dismissLines(["t-1", "t-2"], letters)).toEqual([
    "Dismissed 7: t-1",
    "Dismissed 8: t-1",
    'No dead letter has the id t-2; "iotda-archiver dead-letters list" shows them',
  ]);
});
