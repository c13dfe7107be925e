import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";
import type { Member } from "./directory.ts";
import { METHOD_STORED } from "./local-header.ts";
import { DamagedZip } from "./zip-format.ts";

const INFLATE_CHUNK_BYTES = 64 * 1024;

/**
 * Reads a member's data to its end and compares CRC-32 and sizes with the directory. Throws {@link DamagedZip} where
 * they differ, at the latest one chunk after the announced size: a bomb gains nothing by understating it.
 */
export async function checkMemberData(
  data: AsyncIterable<Buffer>,
  member: Member,
  signal: AbortSignal,
): Promise<void> {
  const sum = new RunningSum(member);
  if (member.method === METHOD_STORED) {
    for await (const chunk of data) {
      sum.add(chunk);
    }
    sum.finish(sum.sizeBytes);
    return;
  }
  const inflate = createInflateRaw({ chunkSize: INFLATE_CHUNK_BYTES });
  try {
    // pipeline gives backpressure, and destroys the inflater's native memory on every way out.
    await pipeline(
      data,
      inflate,
      async (inflated: AsyncIterable<Buffer>) => {
        for await (const chunk of inflated) {
          sum.add(chunk);
        }
      },
      { signal },
    );
  } catch (thrown) {
    signal.throwIfAborted();
    if (isZlibError(thrown)) {
      throw new DamagedZip(`the data of member ${member.number} does not inflate`);
    }
    throw thrown;
  }
  // What zlib took in: less than the member has when the deflate stream ends before its data does.
  sum.finish(inflate.bytesWritten);
}

class RunningSum {
  readonly #member: Member;
  #crc = 0;
  sizeBytes = 0;

  constructor(member: Member) {
    this.#member = member;
  }

  add(chunk: Buffer): void {
    this.#crc = crc32(chunk, this.#crc);
    this.sizeBytes += chunk.length;
    if (this.sizeBytes > this.#member.inflatedBytes) {
      throw new DamagedZip(`member ${this.#member.number} is longer than the directory says`);
    }
  }

  finish(compressedBytes: number): void {
    const { number, inflatedBytes, crc32: expectedCrc } = this.#member;
    if (this.sizeBytes !== inflatedBytes || compressedBytes !== this.#member.compressedBytes) {
      throw new DamagedZip(`member ${number} has another size than the directory says`);
    }
    if (this.#crc !== expectedCrc) {
      throw new DamagedZip(`the CRC-32 of member ${number} does not match its data`);
    }
  }
}

function isZlibError(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    "code" in thrown &&
    typeof thrown.code === "string" &&
    thrown.code.startsWith("Z_")
  );
}
