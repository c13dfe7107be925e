import { expect, test } from "vitest";
import { RollingTail, SmallBody } from "./body-memory.ts";

async function sizeOf(body: SmallBody, endByte: number, startByte = 0): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of body.read(startByte, endByte)) {
    sizeBytes += chunk.length;
  }
  return sizeBytes;
}

test("a body that outgrows the limit is let go at once, and not collected again", async () => {
  const body = new SmallBody(1000);
  body.push(Buffer.alloc(1000));
  expect([body.isWhole, await sizeOf(body, 1000)]).toEqual([true, 1000]);
  body.push(Buffer.alloc(1));
  body.push(Buffer.alloc(500));
  expect([body.isWhole, await sizeOf(body, 1000)]).toEqual([false, 0]);
});

test("a body that begins with more than the limit never takes up memory", async () => {
  const body = new SmallBody(1000);
  body.push(Buffer.alloc(2000));
  body.push(Buffer.alloc(10));
  expect([body.isWhole, await sizeOf(body, 10)]).toEqual([false, 0]);
});

test("a range is exactly what was asked for", async () => {
  const body = new SmallBody(1000);
  body.push(Buffer.alloc(1000));
  expect(await sizeOf(body, 600, 100)).toBe(500);
});

test("the tail of a short stream is the stream", () => {
  const tail = new RollingTail(10);
  tail.push(Buffer.from("abc"));
  expect(tail.bytes().toString()).toBe("abc");
  tail.push(Buffer.from("defghijkl"));
  expect(tail.bytes().toString()).toBe("cdefghijkl");
});
