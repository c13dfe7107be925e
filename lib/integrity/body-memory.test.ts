import { expect, test } from "vitest";
import { SmallBody } from "./body-memory.ts";

async function sizeOf(body: SmallBody, endByte: number): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of body.read(0, endByte)) {
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
