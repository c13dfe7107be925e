import { crc32 } from "node:zlib";

const BLOCK_BYTES = 256 * 1024;
const NAME = Buffer.from("data.bin");
const LOCAL_HEADER_BYTES = 30 + NAME.length;
const DIRECTORY_BYTES = 46 + NAME.length;
const END_BYTES = 22;

/** The smallest ZIP that {@link ZipBody} makes. */
const OVERHEAD_BYTES = LOCAL_HEADER_BYTES + DIRECTORY_BYTES + END_BYTES;

/**
 * A ZIP of exactly `sizeBytes` with one stored member, that costs no memory and, while it is read, no work: what is
 * measured is who fetches it.
 */
export class ZipBody {
  readonly sizeBytes: number;
  readonly #head: Buffer;
  readonly #tail: Buffer;
  readonly #memberBytes: number;

  /** @throws RangeError outside of what a ZIP without ZIP64 can be. */
  constructor(sizeBytes: number) {
    if (sizeBytes < OVERHEAD_BYTES || sizeBytes >= 2 ** 32) {
      throw new RangeError(`no plain ZIP has ${sizeBytes} bytes`);
    }
    this.sizeBytes = sizeBytes;
    this.#memberBytes = sizeBytes - OVERHEAD_BYTES;
    const facts = memberFacts(this.#memberBytes);
    this.#head = localHeader(facts);
    this.#tail = Buffer.concat([directory(facts), endRecord(LOCAL_HEADER_BYTES + this.#memberBytes)]);
  }

  /** The first `limitBytes` of it. */
  *chunks(limitBytes: number = this.sizeBytes): Generator<Buffer> {
    let left = limitBytes;
    for (const chunk of this.#all()) {
      if (left <= 0) {
        return;
      }
      yield chunk.subarray(0, left);
      left -= chunk.length;
    }
  }

  *#all(): Generator<Buffer> {
    yield this.#head;
    yield* memberBlocks(this.#memberBytes);
    yield this.#tail;
  }
}

/** Bytes 14 to 25 of a local header and 16 to 27 of a directory entry: CRC-32, both sizes. */
function memberFacts(memberBytes: number): Buffer {
  let crc = 0;
  for (const block of memberBlocks(memberBytes)) {
    crc = crc32(block, crc);
  }
  const facts = Buffer.alloc(12);
  facts.writeUInt32LE(crc);
  facts.writeUInt32LE(memberBytes, 4);
  facts.writeUInt32LE(memberBytes, 8);
  return facts;
}

function localHeader(facts: Buffer): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50);
  header.writeUInt16LE(10, 4);
  facts.copy(header, 14);
  header.writeUInt16LE(NAME.length, 26);
  return Buffer.concat([header, NAME]);
}

function directory(facts: Buffer): Buffer {
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50);
  entry.writeUInt16LE(10, 4);
  entry.writeUInt16LE(10, 6);
  facts.copy(entry, 16);
  entry.writeUInt16LE(NAME.length, 28);
  return Buffer.concat([entry, NAME]);
}

function endRecord(directoryOffset: number): Buffer {
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(DIRECTORY_BYTES, 12);
  end.writeUInt32LE(directoryOffset, 16);
  return end;
}

const BLOCK = patternBlock();

function* memberBlocks(memberBytes: number): Generator<Buffer> {
  for (let left = memberBytes; left > 0; left -= BLOCK.length) {
    yield BLOCK.subarray(0, left);
  }
}

/** Xorshift: the same bytes in every run, without a signature of ZIP's in their middle. */
function patternBlock(): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  let state = 0x2545f491;
  for (let at = 0; at < BLOCK_BYTES; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block.writeInt32LE(state, at);
  }
  return block;
}
