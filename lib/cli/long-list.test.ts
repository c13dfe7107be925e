import { expect, test } from "vitest";
import { LongList } from "./long-list.ts";
import { createOutput, shownSecrets } from "./output.ts";

const SECRET = "a-secret-of-this-process";

async function shown(entries: readonly object[]): Promise<string> {
  const list = new LongList("entries");
  for (const entry of entries) {
    list.add(entry);
  }
  const parts: string[] = [];
  const output = await createOutput({ write: (text: string) => parts.push(text) }, true);
  output.show({ document: { runId: "r", store: { canLock: true } }, list, lines: [] });
  return parts.join("");
}

test.each([
  { length: 0 },
  { length: 1 },
  // As many as fill one block, to the character, and more than that.
  { length: 8 },
  { length: 9 },
  { length: 100_000 },
])("a document with a list of $length entries is one document", async ({ length }) => {
  const text = "x".repeat(length < 10 ? 64 * 1024 - JSON.stringify({ text: "" }).length : 20);
  const entries = Array.from({ length }, () => ({ text }));
  const json = await shown(entries);
  expect(JSON.parse(json)).toEqual({ runId: "r", store: { canLock: true }, entries });
  expect(json.endsWith("]\n}\n")).toBe(true);
});

test("an entry shows no secret, and nothing that a terminal acts on", async () => {
  shownSecrets.learn([SECRET]);
  const json = await shown([{ problem: `it said ${SECRET}\u001b[31m\u202e` }]);
  expect(json).not.toContain(SECRET);
  expect(json).toContain("\\u001b[31m\\u202e");
});
