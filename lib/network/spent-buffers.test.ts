import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { noteSpentBytes } from "./spent-buffers.ts";

const MIB = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

test("a stream of buffers holds a few MiB of memory, however long it is", () => {
  const beforeBytes = process.memoryUsage().arrayBuffers;
  let mostBytes = 0;
  for (let passedBytes = 0; passedBytes < 512 * MIB; passedBytes += CHUNK_BYTES) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers - beforeBytes);
    noteSpentBytes(chunk.length);
  }
  // 8 MiB gather, and as many may still wait for the sweeper. Left to itself, V8 lets 44 (Node 22) or 76 MiB (24) gather.
  expect(mostBytes).toBeLessThan(32 * MIB);
});

test("leaves no trace: nothing else finds a gc function", () => {
  noteSpentBytes(16 * MIB);
  expect(globalThis).not.toHaveProperty("gc");
  expect(runInNewContext("typeof globalThis.gc")).toBe("undefined");
});
