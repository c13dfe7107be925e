import {
  DamagedZip,
  DIRECTORY_ENTRY_BYTES,
  DIRECTORY_ENTRY_SIGNATURE,
  findZip64Block,
  LOCAL_HEADER_BYTES,
  readUint64,
  SEE_ZIP64_16,
  SEE_ZIP64_32,
} from "./zip-format.ts";

/** One member as the central directory describes it (4.3.12), ZIP64 values resolved. */
export interface Member {
  /** Position in the directory, from 1. Problems name members by it: a name from outside may hold anything. */
  readonly number: number;
  readonly versionNeeded: number;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedBytes: number;
  readonly inflatedBytes: number;
  readonly localHeaderOffset: number;
  readonly name: Buffer;
}

/**
 * Every member of a central directory. `bytes` is exactly the directory, which stands at `directoryOffset`.
 * Throws {@link DamagedZip} unless `memberCount` entries fill it to the last byte and each of them has room
 * before it.
 */
export function readDirectory(bytes: Buffer, memberCount: number, directoryOffset: number): Member[] {
  const members: Member[] = [];
  let at = 0;
  while (at < bytes.length && members.length < memberCount) {
    const entry = readEntry(bytes, at, members.length + 1);
    const { localHeaderOffset, compressedBytes } = entry.member;
    if (localHeaderOffset + LOCAL_HEADER_BYTES + compressedBytes > directoryOffset) {
      throw new DamagedZip(`member ${entry.member.number} lies outside the file`);
    }
    members.push(entry.member);
    at = entry.end;
  }
  if (at !== bytes.length || members.length !== memberCount) {
    throw new DamagedZip(`the directory does not hold exactly the ${memberCount} members it announces`);
  }
  return members;
}

function readEntry(bytes: Buffer, at: number, number: number): { member: Member; end: number } {
  if (at + DIRECTORY_ENTRY_BYTES > bytes.length || bytes.readUInt32LE(at) !== DIRECTORY_ENTRY_SIGNATURE) {
    throw new DamagedZip(`the directory does not parse at entry ${number}`);
  }
  const nameEnd = at + DIRECTORY_ENTRY_BYTES + bytes.readUInt16LE(at + 28);
  const extraEnd = nameEnd + bytes.readUInt16LE(at + 30);
  const end = extraEnd + bytes.readUInt16LE(at + 32);
  if (end > bytes.length) {
    throw new DamagedZip(`entry ${number} runs past the end of the directory`);
  }
  const large = readLargeValues(bytes, at, bytes.subarray(nameEnd, extraEnd));
  if (large.diskNumber !== 0) {
    throw new DamagedZip(`member ${number} is said to lie on another disk`);
  }
  const member: Member = {
    number,
    versionNeeded: bytes.readUInt16LE(at + 6),
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc32: bytes.readUInt32LE(at + 16),
    compressedBytes: large.compressedBytes,
    inflatedBytes: large.inflatedBytes,
    localHeaderOffset: large.localHeaderOffset,
    name: bytes.subarray(at + DIRECTORY_ENTRY_BYTES, nameEnd),
  };
  return { member, end };
}

/** The four fields that may be moved to the ZIP64 block, which holds only those that were, in this order. */
function readLargeValues(entry: Buffer, at: number, extra: Buffer) {
  const zip64 = findZip64Block(extra);
  let next = 0;
  const moved = (bytesLong: 4 | 8, value: number, marker: number): number => {
    if (zip64 === undefined || value !== marker) {
      return value;
    }
    if (next + bytesLong > zip64.length) {
      throw new DamagedZip("a ZIP64 extra field is too short");
    }
    const from = next;
    next += bytesLong;
    return bytesLong === 8 ? readUint64(zip64, from) : zip64.readUInt32LE(from);
  };
  return {
    inflatedBytes: moved(8, entry.readUInt32LE(at + 24), SEE_ZIP64_32),
    compressedBytes: moved(8, entry.readUInt32LE(at + 20), SEE_ZIP64_32),
    localHeaderOffset: moved(8, entry.readUInt32LE(at + 42), SEE_ZIP64_32),
    diskNumber: moved(4, entry.readUInt16LE(at + 34), SEE_ZIP64_16),
  };
}
