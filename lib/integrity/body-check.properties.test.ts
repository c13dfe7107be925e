import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { BodyVerdict } from "./body-check.ts";
import { judge, LIMIT_BYTES, outcomeOf } from "./testing/judge-body.ts";
import { makeZip, patched } from "./testing/zip-samples.ts";

const TINY = makeZip({ members: [{ name: "a", data: Buffer.from("hello") }] });

test("every proper prefix of an archive is short", async () => {
  const samples = [
    TINY,
    makeZip({
      members: [{ name: "a", data: Buffer.from("some text"), descriptor: "signed" }],
      zip64End: true,
    }),
    makeZip({ members: [{ name: "a", data: Buffer.from("x") }], comment: TINY }),
  ];
  for (const zip of samples) {
    expect(outcomeOf(await judge([zip]))).toBe("whole members");
    for (let sizeBytes = 0; sizeBytes < zip.length; sizeBytes += 1) {
      for (const membersLimitBytes of [0, LIMIT_BYTES]) {
        const verdict = await judge([zip.subarray(0, sizeBytes)], { membersLimitBytes });
        expect([sizeBytes, outcomeOf(verdict)]).toEqual([sizeBytes, "short"]);
      }
    }
  }
});

test("an announced length changes no verdict, however long the comment and the chunks are", async () => {
  const data = randomBytes(300_000);
  const samples = [0, 1, 65_535].flatMap((commentBytes) => [
    makeZip({ members: [{ name: "a", data }], comment: Buffer.alloc(commentBytes, 0x50) }),
    makeZip({ members: [{ name: "a", data }], comment: Buffer.alloc(commentBytes), zip64End: true }),
  ]);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...samples),
      fc.integer({ min: 1, max: 200_000 }),
      fc.constantFrom(0, LIMIT_BYTES),
      fc.boolean(),
      async (whole, chunkBytes, membersLimitBytes, isCut) => {
        const zip = isCut ? whole.subarray(0, -1) : whole;
        const count = Math.ceil(zip.length / chunkBytes);
        const chunks = Array.from({ length: count }, (_, at) =>
          zip.subarray(at * chunkBytes, (at + 1) * chunkBytes),
        );
        const announced = await judge(chunks, { membersLimitBytes, contentLengthBytes: zip.length });
        expect(announced).toEqual(await judge(chunks, { membersLimitBytes }));
        const better = membersLimitBytes === 0 ? "whole structure" : "whole members";
        expect(outcomeOf(announced)).toBe(isCut ? "short" : better);
      },
    ),
    { numRuns: 40 },
  );
});

test("a flipped bit is noticed wherever a reader looks", async () => {
  const name = "ab";
  const zip = makeZip({
    members: [{ name, data: Buffer.from("hello"), deflated: true, descriptor: "signed" }],
    comment: Buffer.from("note"),
  });
  const directory = zip.length - 4 - 22 - 46 - name.length;
  const end = zip.length - 4 - 22;
  const range = (start: number, length: number) => Array.from({ length }, (_, index) => start + index);
  // What is left is what no reader needs to get the members out, byte for byte, and what nothing can be compared with:
  const unread = new Set([
    ...range(4, 2), // version needed: as low as it likes; one that does not exist gives "structure"
    ...range(10, 4), // time and date, local
    38, // the last byte of the deflate stream, whose upper bits only fill it up
    ...range(directory + 4, 2), // version made by
    ...range(directory + 6, 2), // version needed, as above
    ...range(directory + 12, 4), // time and date
    ...range(directory + 36, 2), // internal attributes: "is text"
    ...range(directory + 38, 4), // external attributes: permissions
    ...range(end + 22, 4), // the text of the comment
  ]);
  const masks = [1, 2, 4, 8, 16, 32, 64, 128, 255];
  const unnoticed = new Set<number>();
  for (let at = 0; at < zip.length; at += 1) {
    for (const mask of masks) {
      const verdict = await judge([patched(zip, at, Buffer.from([zip.readUInt8(at) ^ mask]))]);
      if (verdict.kind === "whole" && verdict.container === "members") {
        unnoticed.add(at);
      }
    }
  }
  expect([...unnoticed].filter((at) => !unread.has(at))).toEqual([]);
  // Each of them really goes unnoticed: the list says no more than it must.
  expect([...unread].filter((at) => !unnoticed.has(at))).toEqual([]);
});

test("how the body is cut into chunks changes nothing", async () => {
  const long = makeZip({
    members: [{ name: "a", data: randomBytes(300_000) }],
    comment: Buffer.alloc(70, "c"),
  });
  const bodies = [
    TINY,
    TINY.subarray(0, 50),
    Buffer.from("{}"),
    long,
    patched(long, 40, Buffer.from("spoilt")),
  ];
  const whole = new Map<string, BodyVerdict>();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(bodies.length - 1),
      fc.constantFrom(0, 100_000, LIMIT_BYTES),
      fc.array(fc.nat(1_000_000), { maxLength: 12 }),
      async (index, membersLimitBytes, cuts) => {
        const body = bodies[index] ?? TINY;
        const key = `${index} ${membersLimitBytes}`;
        const expected = whole.get(key) ?? (await judge([body], { membersLimitBytes }));
        whole.set(key, expected);
        const at = [0, ...cuts.map((cut) => cut % (body.length + 1)).sort((a, b) => a - b), body.length];
        const chunks = at.slice(1).map((end, piece) => body.subarray(at[piece], end));
        expect(await judge(chunks, { membersLimitBytes })).toEqual(expected);
      },
    ),
    { numRuns: 60 },
  );
});
