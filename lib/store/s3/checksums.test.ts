import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { combineCrc32, crc32Base64 } from "./checksums.ts";

test("combining gives zlib's CRC-32 of the joined bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (parts) => {
      const combined = parts.reduce((whole, part) => combineCrc32(whole, crc32(part), part.length), 0);
      expect(combined).toBe(crc32(Buffer.concat(parts)));
    }),
  );
});

test.each([
  [5 * 1024 * 1024, 5 * 1024 * 1024],
  [1, 8_388_607],
])("parts of %i and %i bytes", (firstBytes, secondBytes) => {
  const whole = Buffer.alloc(firstBytes + secondBytes, "iotda export ");
  const [first, second] = [whole.subarray(0, firstBytes), whole.subarray(firstBytes)];
  expect(combineCrc32(crc32(first), crc32(second), secondBytes)).toBe(crc32(whole));
});

test("a length beyond 32 bits shifts as two lengths that add up to it", () => {
  const [first, tail] = [0xdeadbeef, 4_294_967_296];
  const inTwo = combineCrc32(combineCrc32(first, 0, tail), 0x12345678, tail + 1);
  const second = combineCrc32(0, 0x12345678, tail + 1);
  expect(combineCrc32(first, second, 2 * tail + 1)).toBe(inTwo);
});

test("is written as S3 writes it: big-endian, base64", () => {
  // The check value of CRC-32, of the text "123456789".
  expect(crc32("123456789")).toBe(0xcbf43926);
  expect(crc32Base64(0xcbf43926)).toBe("y/Q5Jg==");
});
