import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { crc32, createInflateRaw, inflateRaw, type ZlibOptions } from "node:zlib";
import type { Member } from "./directory.ts";
import { METHOD_STORED } from "./local-header.ts";
import { DamagedZip } from "./zip-format.ts";

/**
 * Members up to these sizes are inflated in one call, off this thread: 35 µs each, where a stream takes 230 µs. An
 * archive may have many thousand members.
 */
const SMALL_COMPRESSED_BYTES = 64 * 1024;
const SMALL_INFLATED_BYTES = 1024 * 1024;
const INFLATE_CHUNK_BYTES = 64 * 1024;

const inflateRawAsync = promisify<Buffer, ZlibOptions, unknown>(inflateRaw);

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
  try {
    const isSmall =
      member.compressedBytes <= SMALL_COMPRESSED_BYTES && member.inflatedBytes <= SMALL_INFLATED_BYTES;
    sum.finish(isSmall ? await inflateWhole(data, sum, member) : await inflateStream(data, sum, signal));
  } catch (thrown) {
    signal.throwIfAborted();
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
    if (code === "ERR_BUFFER_TOO_LARGE") {
      throw longerThanListed(member);
    }
    if (code.startsWith("Z_")) {
      throw new DamagedZip(`the data of member ${member.number} does not inflate`);
    }
    throw thrown;
  }
}

function longerThanListed(member: Member): DamagedZip {
  return new DamagedZip(`member ${member.number} is longer than the directory says`);
}

/** Returns how many bytes zlib took in: fewer than there are when the deflate stream ends before its data. */
async function inflateStream(
  data: AsyncIterable<Buffer>,
  sum: RunningSum,
  signal: AbortSignal,
): Promise<number> {
  const inflate = createInflateRaw({ chunkSize: INFLATE_CHUNK_BYTES });
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
  return inflate.bytesWritten;
}

/** What `info: true` makes of zlib's answer; its types do not say so. */
interface InflatedWithInfo {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** As {@link inflateStream}, with the member in memory. */
async function inflateWhole(data: AsyncIterable<Buffer>, sum: RunningSum, member: Member): Promise<number> {
  const compressed: Buffer[] = [];
  for await (const chunk of data) {
    compressed.push(Buffer.from(chunk));
  }
  const limitBytes = Math.max(1, member.inflatedBytes);
  const options = { info: true, maxOutputLength: limitBytes, chunkSize: Math.max(64, limitBytes) };
  const answer: unknown = await inflateRawAsync(Buffer.concat(compressed), options);
  const { buffer, engine } = answer as InflatedWithInfo;
  sum.add(buffer);
  return engine.bytesWritten;
}

class RunningSum {
  readonly #member: Member;
  #crc = 0;
  #sizeBytes = 0;

  constructor(member: Member) {
    this.#member = member;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(chunk: Buffer): void {
    this.#crc = crc32(chunk, this.#crc);
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > this.#member.inflatedBytes) {
      throw longerThanListed(this.#member);
    }
  }

  finish(compressedBytes: number): void {
    const { number, inflatedBytes, crc32: expectedCrc } = this.#member;
    if (this.#sizeBytes !== inflatedBytes || compressedBytes !== this.#member.compressedBytes) {
      throw new DamagedZip(`member ${number} has another size than the directory says`);
    }
    if (this.#crc !== expectedCrc) {
      throw new DamagedZip(`the CRC-32 of member ${number} does not match its data`);
    }
  }
}
