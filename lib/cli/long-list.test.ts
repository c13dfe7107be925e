import { Writable } from "node:stream";
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
  await output.show({ document: { runId: "r", store: { canLock: true } }, list, lines: [] });
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

const TEXT_OF_A_BLOCK = "x".repeat(512 * 1024);

function listOfBlocks(count: number): LongList {
  const list = new LongList("entries");
  for (let added = 0; added < count; added += 1) {
    list.add({ text: TEXT_OF_A_BLOCK });
  }
  return list;
}

test("a reader that takes one part at a time has no more than one part waiting for it", async () => {
  let waiting = 0;
  const reader = new Writable({
    write(_text, _encoding, done) {
      waiting = Math.max(waiting, this.writableLength);
      setImmediate(done);
    },
  });
  const output = await createOutput(reader, true);
  await output.show({ document: { runId: "r" }, list: listOfBlocks(8), lines: [] });
  expect(waiting).toBeGreaterThan(TEXT_OF_A_BLOCK.length);
  expect(waiting).toBeLessThan(2 * TEXT_OF_A_BLOCK.length);
});

test("a reader that goes away ends the document, and fails nothing", async () => {
  let taken = 0;
  const reader = new Writable({
    write(_text, _encoding, done) {
      taken += 1;
      done(taken === 2 ? new Error("EPIPE") : null);
    },
  });
  reader.on("error", () => undefined);
  const output = await createOutput(reader, true);
  await output.show({ document: { runId: "r" }, list: listOfBlocks(8), lines: [] });
  expect(taken).toBe(2);
});
