import { formatBytes } from "../domain/format-bytes.ts";
import { type ArchiveEnd, type DirectoryPlace, findArchiveEnd } from "./archive-end.ts";
import { ByteCursor, type RandomAccessBytes } from "./byte-cursor.ts";
import { type Member, readDirectory } from "./directory.ts";
import {
  compareDescriptor,
  compareLocalHeader,
  descriptorRoomBytes,
  localHeaderLengths,
  reasonUncheckable,
} from "./local-header.ts";
import { checkMemberData } from "./member-data.ts";
import { DamagedZip, LOCAL_HEADER_BYTES, LOCAL_HEADER_SIGNATURE, TAIL_BYTES } from "./zip-format.ts";

export type { RandomAccessBytes } from "./byte-cursor.ts";

/** What reading every member of an archive showed. */
export type MembersVerdict =
  /** Every member inflates to the size and CRC-32 that the directory gives it. */
  | { readonly kind: "intact" }
  | { readonly kind: "damaged"; readonly problem: string }
  /** No damage was seen, but not every byte could be looked at: encrypted, unknown method, over the limits. */
  | { readonly kind: "unchecked"; readonly problem: string };

export interface CheckMembersOptions {
  readonly signal: AbortSignal;
  /** Archives that announce more than this are `unchecked`. Default 64 GiB. */
  readonly maxInflatedBytes?: number;
}

const DEFAULT_MAX_INFLATED_BYTES = 64 * 1024 ** 3;
/** Both bound the memory of the check; an archive without ZIP64 records cannot have more members. */
const MAX_MEMBERS = 65_536;
const MAX_DIRECTORY_BYTES = 8 * 1024 * 1024;

/**
 * Reads a ZIP of `sizeBytes` and compares every member's CRC-32, sizes, local header and data descriptor with the
 * central directory (architecture §4, "Adopt"). Reads the tail, the directory if it is not in the tail, and then once from
 * the front, in a single range unless a gap over 1 MiB can be left out. Holds the tail, the directory (at most 8 MiB)
 * and one chunk.
 *
 * Throws what `source` throws, and the signal's reason.
 */
export async function checkMembers(
  source: RandomAccessBytes,
  sizeBytes: number,
  options: CheckMembersOptions,
): Promise<MembersVerdict> {
  const { signal } = options;
  signal.throwIfAborted();
  try {
    const tailOffset = Math.max(0, sizeBytes - TAIL_BYTES);
    const tail = await readRange(source, tailOffset, sizeBytes, signal);
    const place = requireClosed(findArchiveEnd(tail, sizeBytes));
    if (place.memberCount > MAX_MEMBERS || place.directoryBytes > MAX_DIRECTORY_BYTES) {
      return { kind: "unchecked", problem: "the archive has more members than are checked" };
    }
    const { directoryOffset, directoryBytes, memberCount } = place;
    const directory =
      directoryOffset >= tailOffset
        ? tail.subarray(directoryOffset - tailOffset, directoryOffset - tailOffset + directoryBytes)
        : await readRange(source, directoryOffset, directoryOffset + directoryBytes, signal);
    const members = readDirectory(directory, memberCount, directoryOffset);
    const limitBytes = options.maxInflatedBytes ?? DEFAULT_MAX_INFLATED_BYTES;
    if (members.reduce((sum, member) => sum + member.inflatedBytes, 0) > limitBytes) {
      return { kind: "unchecked", problem: `the members measure more than ${formatBytes(limitBytes)}` };
    }
    return await checkEachMember(source, members, directoryOffset, signal);
  } catch (thrown) {
    if (thrown instanceof DamagedZip) {
      return { kind: "damaged", problem: thrown.message };
    }
    throw thrown;
  }
}

/** In the order of the file, whatever the order of the directory: one pass, and overlaps show by themselves. */
async function checkEachMember(
  source: RandomAccessBytes,
  members: readonly Member[],
  directoryOffset: number,
  signal: AbortSignal,
): Promise<MembersVerdict> {
  const ordered = members.toSorted((a, b) => a.localHeaderOffset - b.localHeaderOffset);
  const cursor = new ByteCursor(source, 0, directoryOffset, signal);
  let uncheckable: string | undefined;
  try {
    if (ordered[0]?.localHeaderOffset !== 0) {
      requireLocalHeader(await cursor.take(4));
    }
    for (const [index, member] of ordered.entries()) {
      const nextOffset = ordered[index + 1]?.localHeaderOffset ?? directoryOffset;
      const reason = await checkMember(cursor, member, nextOffset, signal);
      uncheckable ??= reason;
    }
  } finally {
    await cursor.close();
  }
  return uncheckable === undefined ? { kind: "intact" } : { kind: "unchecked", problem: uncheckable };
}

/** Returns why the data could not be checked, if so; the headers always are. */
async function checkMember(
  cursor: ByteCursor,
  member: Member,
  nextOffset: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  await cursor.seek(member.localHeaderOffset);
  const fixed = await cursor.take(LOCAL_HEADER_BYTES);
  const { nameBytes, extraBytes } = localHeaderLengths(fixed, member);
  const dataOffset = cursor.positionByte + nameBytes + extraBytes;
  const dataEnd = dataOffset + member.compressedBytes;
  if (dataEnd > nextOffset) {
    throw new DamagedZip(`member ${member.number} runs into what follows it`);
  }
  compareLocalHeader(fixed, await cursor.take(nameBytes), await cursor.take(extraBytes), member);
  const reason = reasonUncheckable(fixed, member);
  if (reason !== undefined) {
    return reason;
  }
  await checkMemberData(cursor.stream(member.compressedBytes), member, signal);
  const descriptorBytes = descriptorRoomBytes(member, nextOffset - dataEnd);
  if (descriptorBytes > 0) {
    compareDescriptor(await cursor.take(descriptorBytes), member);
  }
  return undefined;
}

function requireClosed(end: ArchiveEnd): DirectoryPlace {
  switch (end.kind) {
    case "closed":
      return end;
    case "damaged":
      throw new DamagedZip(end.problem);
    case "empty":
      throw new DamagedZip("the archive has no member");
    case "multi-disk":
      throw new DamagedZip("the archive is one disk of several");
    case "open":
      throw new DamagedZip("no end record closes the archive");
  }
}

function requireLocalHeader(start: Buffer): void {
  if (start.readUInt32LE(0) !== LOCAL_HEADER_SIGNATURE) {
    throw new DamagedZip("the archive does not begin with a local header");
  }
}

async function readRange(
  source: RandomAccessBytes,
  startByte: number,
  endByte: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const cursor = new ByteCursor(source, startByte, endByte, signal);
  try {
    return await cursor.take(endByte - startByte);
  } finally {
    await cursor.close();
  }
}
