import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { ByteCursor } from "./byte-cursor.ts";
import { served } from "./testing/served-bytes.ts";

const MIB = 1024 * 1024;
const never = new AbortController().signal;
const bytes = Buffer.from(Array.from({ length: 3 * MIB }, (_, index) => index % 251));

const cursorOver = (source: ReturnType<typeof served>, signal = never) =>
  new ByteCursor(source, 0, bytes.length, signal);

describe("going forward", () => {
  test.each([
    ["a gap of 1 MiB is read and thrown away", 1000, 1000, 1000 + MIB, 1],
    ["a larger one is left out", 1000, 1000, 1001 + MIB, 2],
    ["the gap is counted from where the cursor stands", 1000, 2 * MIB, 2 * MIB + 5_000, 1],
    ["what is in memory already is not asked for again", 3 * MIB, 1000, 2 * MIB, 1],
  ])("%s", async (_name, chunkBytes, fromByte, toByte, ranges) => {
    const source = served(bytes, chunkBytes);
    const cursor = cursorOver(source);
    await cursor.take(fromByte);
    await cursor.seek(toByte);
    expect(cursor.positionByte).toBe(toByte);
    expect(await cursor.take(10)).toEqual(bytes.subarray(toByte, toByte + 10));
    expect(source.ranges).toHaveLength(ranges);
  });

  test("a piece that begins in one chunk and ends within another is whole", async () => {
    expect(await cursorOver(served(bytes, 1000)).take(1500)).toEqual(bytes.subarray(0, 1500));
  });
});

test("leaves no listener on the signal", async () => {
  const { signal } = new AbortController();
  await cursorOver(served(bytes, 1000), signal).take(5000);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

describe("a source whose iterator cannot be given back", () => {
  /** Answers once with 100 bytes, and then never again. */
  const source = {
    read: () => ({
      [Symbol.asyncIterator]: () => {
        let asked = 0;
        return {
          next: (): Promise<IteratorResult<Uint8Array>> => {
            asked += 1;
            return asked === 1
              ? Promise.resolve({ done: false, value: bytes.subarray(0, 100) })
              : new Promise(() => undefined);
          },
        };
      },
    }),
  };

  test("is let go all the same", async () => {
    const cursor = new ByteCursor(source, 0, 200, never);
    await cursor.take(50);
    await cursor.close();
    expect(await cursor.take(10)).toEqual(bytes.subarray(0, 10));
  });

  test("does not hold up an abort", async () => {
    const abort = new AbortController();
    const taken = new ByteCursor(source, 0, 200, abort.signal).take(150);
    setImmediate(() => abort.abort(new Error("stopped")));
    await expect(taken).rejects.toThrow("stopped");
  });
});
