import type { Member } from "./directory.ts";
import {
  DATA_DESCRIPTOR_SIGNATURE,
  DamagedZip,
  findZip64Block,
  LOCAL_HEADER_SIGNATURE,
  readUint64,
  SEE_ZIP64_32,
} from "./zip-format.ts";

/** Bit 3: CRC and sizes follow the data, because the writer did not know them before (4.4.4). */
const FLAG_STREAMED = 1 << 3;
/** Bits 0, 6 and 13: encrypted, strongly encrypted, local header masked. */
const FLAGS_ENCRYPTED = (1 << 0) | (1 << 6) | (1 << 13);
/** Bit 5: the data is a patch of another file. */
const FLAG_PATCH = 1 << 5;

export const METHOD_STORED = 0;
const METHOD_DEFLATED = 8;

/** 6.3, the highest version APPNOTE names; the upper byte says which system's attributes follow (4.4.3). */
const HIGHEST_VERSION = 63;

/** Why a member's data cannot be checked here, or `undefined` when it can. `fixed` is its local header. */
export function reasonUncheckable(fixed: Buffer, member: Member): string | undefined {
  if ((member.flags & FLAGS_ENCRYPTED) !== 0) {
    return `member ${member.number} is encrypted`;
  }
  if (
    (member.method !== METHOD_STORED && member.method !== METHOD_DEFLATED) ||
    (member.flags & FLAG_PATCH) !== 0
  ) {
    return `member ${member.number} is compressed by method ${member.method}, which is not known here`;
  }
  if (Math.max(member.versionNeeded & 0xff, fixed.readUInt16LE(4) & 0xff) > HIGHEST_VERSION) {
    return `member ${member.number} needs a later version of the ZIP format`;
  }
  return undefined;
}

/** Lengths of the name and the extra field that follow the fixed part of a local header. */
export function localHeaderLengths(fixed: Buffer, member: Member): { nameBytes: number; extraBytes: number } {
  if (fixed.readUInt32LE(0) !== LOCAL_HEADER_SIGNATURE) {
    throw new DamagedZip(`no local header stands where the directory says member ${member.number} begins`);
  }
  return { nameBytes: fixed.readUInt16LE(26), extraBytes: fixed.readUInt16LE(28) };
}

/**
 * Compares a local header (4.3.7) with its directory entry; throws {@link DamagedZip} where they disagree. Not
 * compared: the version and the times, in which sound archives differ.
 */
export function compareLocalHeader(fixed: Buffer, name: Buffer, extra: Buffer, member: Member): void {
  const [inflatedBytes, compressedBytes] = readLocalSizes(fixed, extra);
  const streamed = (member.flags & FLAG_STREAMED) !== 0;
  const agrees = (local: number, listed: number) =>
    local === listed || (streamed && (local === 0 || local === SEE_ZIP64_32));
  const disagreeing =
    (fixed.readUInt16LE(6) !== member.flags && "flags") ||
    (fixed.readUInt16LE(8) !== member.method && "method") ||
    (!agrees(fixed.readUInt32LE(14), member.crc32) && "CRC-32") ||
    (!agrees(compressedBytes, member.compressedBytes) && "compressed size") ||
    (!agrees(inflatedBytes, member.inflatedBytes) && "size") ||
    (!name.equals(member.name) && "name");
  if (disagreeing !== false) {
    throw new DamagedZip(
      `local header and directory disagree on the ${disagreeing} of member ${member.number}`,
    );
  }
}

/** Size and compressed size. A local header's ZIP64 block must hold both, whichever was moved there (4.5.3). */
function readLocalSizes(fixed: Buffer, extra: Buffer): [number, number] {
  const inflatedBytes = fixed.readUInt32LE(22);
  const compressedBytes = fixed.readUInt32LE(18);
  const zip64 = findZip64Block(extra);
  if (zip64 === undefined || zip64.length < 16) {
    return [inflatedBytes, compressedBytes];
  }
  return [
    inflatedBytes === SEE_ZIP64_32 ? readUint64(zip64, 0) : inflatedBytes,
    compressedBytes === SEE_ZIP64_32 ? readUint64(zip64, 8) : compressedBytes,
  ];
}

const DESCRIPTOR_MAX_BYTES = 24;
const DESCRIPTOR_MIN_BYTES = 12;

/** How many bytes after a member's data may be its data descriptor, given the room before the next structure. */
export function descriptorRoomBytes(member: Member, gapBytes: number): number {
  const streamed = (member.flags & FLAG_STREAMED) !== 0;
  return streamed && gapBytes >= DESCRIPTOR_MIN_BYTES ? Math.min(gapBytes, DESCRIPTOR_MAX_BYTES) : 0;
}

/**
 * Throws {@link DamagedZip} unless the bytes begin with a data descriptor (4.3.9) that tells the same as the
 * directory. Its signature is optional and its sizes have 4 or 8 bytes; nothing says which, so each form is tried.
 */
export function compareDescriptor(bytes: Buffer, member: Member): void {
  const starts = bytes.readUInt32LE(0) === DATA_DESCRIPTOR_SIGNATURE ? [4, 0] : [0];
  const matches = starts.some((at) => {
    if (bytes.readUInt32LE(at) !== member.crc32) {
      return false;
    }
    const short =
      at + 12 <= bytes.length &&
      bytes.readUInt32LE(at + 4) === member.compressedBytes &&
      bytes.readUInt32LE(at + 8) === member.inflatedBytes;
    const long =
      at + 20 <= bytes.length &&
      bytes.readBigUInt64LE(at + 4) === BigInt(member.compressedBytes) &&
      bytes.readBigUInt64LE(at + 12) === BigInt(member.inflatedBytes);
    return short || long;
  });
  if (!matches) {
    throw new DamagedZip(`the data descriptor of member ${member.number} disagrees with the directory`);
  }
}
