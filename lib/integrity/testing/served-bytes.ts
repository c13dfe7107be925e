import type { RandomAccessBytes } from "../byte-cursor.ts";

export interface Recorded extends RandomAccessBytes {
  readonly ranges: (readonly [number, number])[];
  /** How many of the ranges were ended or given back. */
  closed: number;
}

/** Serves a buffer in chunks and remembers what was asked for. */
export function served(bytes: Uint8Array, chunkBytes: number): Recorded {
  const source: Recorded = {
    ranges: [],
    closed: 0,
    async *read(startByte, endByteExclusive) {
      source.ranges.push([startByte, endByteExclusive]);
      try {
        for (let at = startByte; at < endByteExclusive; at += chunkBytes) {
          yield bytes.subarray(at, Math.min(at + chunkBytes, endByteExclusive));
        }
      } finally {
        source.closed += 1;
      }
    },
  };
  return source;
}
