import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_PEEK_BYTES, peekBody } from "./download.ts";

async function* chunked(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const BEGINNINGS = [
  "",
  "PK\u0003\u0004",
  "{",
  ' {"a":1}',
  "<",
  "<html",
  "<HTML>",
  "<!doctype  html>",
  "\ufeff",
  " \t",
];

test("whatever the cut, what was looked at and the rest together are the body", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...BEGINNINGS),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      async (beginning, chunks) => {
        const all = [...Buffer.from(beginning)].map((byte) => Uint8Array.of(byte)).concat(chunks);
        const body = chunked(all);
        const peeked = await peekBody(body);
        if (peeked.kind === "html") {
          expect(String(Buffer.concat(all)).replace("\ufeff", "").trimStart()).toMatch(
            /^<(!doctype\s+)?html/i,
          );
          return;
        }
        const rest: Uint8Array[] = [...peeked.first];
        for await (const chunk of body) {
          rest.push(chunk);
        }
        expect(Buffer.concat(rest).equals(Buffer.concat(all))).toBe(true);
      },
    ),
  );
});

test("a ZIP is decided by its first chunk", async () => {
  const peeked = await peekBody(chunked([Buffer.from("PK"), Buffer.from("never looked at")]));
  expect(peeked).toEqual({ kind: "bytes", first: [Buffer.from("PK")] });
});

test.each([" ", "{"])("no more than the limit is kept of a body of %j", async (character) => {
  const chunk = Buffer.alloc(1000, character);
  const peeked = await peekBody(chunked(Array.from({ length: 1000 }, () => chunk)));
  expect(peeked.kind).toBe("bytes");
  const sizeBytes = peeked.kind === "bytes" ? peeked.first.length * 1000 : 0;
  expect(sizeBytes).toBeGreaterThan(MAX_PEEK_BYTES);
  expect(sizeBytes).toBeLessThanOrEqual(MAX_PEEK_BYTES + 1000);
});
