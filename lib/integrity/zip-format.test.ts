import { expect, test } from "vitest";
import { DamagedZip, readUint64 } from "./zip-format.ts";

function eightBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

test("an 8-byte size may be as large as a number is exact, and no larger", () => {
  const largest = BigInt(Number.MAX_SAFE_INTEGER);
  expect(readUint64(eightBytes(largest), 0)).toBe(Number.MAX_SAFE_INTEGER);
  expect(() => readUint64(eightBytes(largest + 1n), 0)).toThrow(DamagedZip);
});

test("a damaged archive is a fault of its task and worth another download", () => {
  const damaged = new DamagedZip("the directory ends early");
  expect(damaged).toMatchObject({ scope: "task", retry: "later", hint: expect.stringContaining("again") });
});
