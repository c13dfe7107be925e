import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CrcAlgorithm, combineCrcs, startCrc } from "./crc.ts";

const ALGORITHMS: readonly CrcAlgorithm[] = ["CRC32", "CRC32C", "CRC64NVME"];

function crcOf(algorithm: CrcAlgorithm, ...pieces: readonly Uint8Array[]): Buffer {
  const running = startCrc(algorithm);
  for (const piece of pieces) {
    running.update(Buffer.from(piece));
  }
  return running.digest();
}

describe("the CRCs", () => {
  test.each([
    ["CRC32", "cbf43926"],
    ["CRC32C", "e3069283"],
    ["CRC64NVME", "ae8b14860a799888"],
  ] as const)("%s of the usual nine digits", (algorithm, hex) => {
    expect(crcOf(algorithm, Buffer.from("123456789")).toString("hex")).toBe(hex);
  });

  test.each(ALGORITHMS)("%s of two strings is combined from the CRC of each", (algorithm) => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const combined = combineCrcs(algorithm, crcOf(algorithm, a), crcOf(algorithm, b), b.length);
        expect(combined).toEqual(crcOf(algorithm, a, b));
      }),
      { numRuns: 30 },
    );
  });
});
