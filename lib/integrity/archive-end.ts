import { readDirectory } from "./directory.ts";
import {
  asBuffer,
  DamagedZip,
  END_RECORD_BYTES,
  END_RECORD_SIGNATURE,
  MAX_COMMENT_BYTES,
  readUint64,
  SEE_ZIP64_16,
  SEE_ZIP64_32,
  ZIP64_END_RECORD_BYTES,
  ZIP64_END_RECORD_SIGNATURE,
  ZIP64_LOCATOR_BYTES,
  ZIP64_LOCATOR_SIGNATURE,
} from "./zip-format.ts";

const END_RECORD_START = Buffer.alloc(4);
END_RECORD_START.writeUInt32LE(END_RECORD_SIGNATURE);

/** Where the central directory is, in bytes from the start of the file. */
export interface DirectoryPlace {
  readonly directoryOffset: number;
  readonly directoryBytes: number;
  readonly memberCount: number;
}

/** How a file ends, seen as a ZIP. */
export type ArchiveEnd =
  | ({ readonly kind: "closed" } & DirectoryPlace)
  /** Complete, without a member. */
  | { readonly kind: "empty" }
  | { readonly kind: "multi-disk" }
  /** An end record ends the file, but what it leads to is not a directory, or more than one such record does. */
  | { readonly kind: "damaged"; readonly problem: string }
  /** No end record ends the file: cut off, or followed by more bytes. */
  | { readonly kind: "open" };

/** An end record, with the ZIP64 values where it has them. */
interface EndRecord extends DirectoryPlace {
  /** Where its first byte (of the ZIP64 record, if there is one) stands in the file. */
  readonly offset: number;
  readonly multiDisk: boolean;
}

/**
 * Finds the record that closes a ZIP of `sizeBytes`, of which `tail` holds the last bytes
 * (`TAIL_BYTES` of them, or all).
 *
 * A comment may itself contain bytes that look like an end record, so every candidate in reach is tried: its
 * comment must end the file, and its directory must end where it begins. A directory inside the tail is walked; of
 * one outside only the arithmetic is known. Two candidates that both hold are damage, since readers would disagree.
 */
export function findArchiveEnd(tail: Uint8Array, sizeBytes: number): ArchiveEnd {
  const bytes = asBuffer(tail);
  const found: ArchiveEnd[] = [];
  const first = Math.max(0, bytes.length - END_RECORD_BYTES - MAX_COMMENT_BYTES);
  const last = bytes.length - END_RECORD_BYTES;
  let at = bytes.indexOf(END_RECORD_START, first);
  while (at !== -1 && at <= last) {
    if (at + END_RECORD_BYTES + bytes.readUInt16LE(at + 20) === bytes.length) {
      found.push(judgeCandidate(bytes, at, sizeBytes - bytes.length));
    }
    at = bytes.indexOf(END_RECORD_START, at + 1);
  }
  const closed = found.filter((end) => end.kind === "closed");
  if (closed.length > 1) {
    return { kind: "damaged", problem: "two end records each close the archive, with different directories" };
  }
  const byKind = (kind: ArchiveEnd["kind"]) => found.find((end) => end.kind === kind);
  return (
    closed[0] ?? byKind("damaged") ?? byKind("multi-disk") ?? byKind("empty") ?? { kind: "open" as const }
  );
}

function judgeCandidate(tail: Buffer, at: number, tailOffset: number): ArchiveEnd {
  try {
    const record = readZip64Record(tail, at, tailOffset) ?? readPlainRecord(tail, at, tailOffset);
    if (record.multiDisk) {
      return { kind: "multi-disk" };
    }
    if (record.directoryOffset + record.directoryBytes !== record.offset) {
      return { kind: "open" };
    }
    return judgeDirectory(tail, tailOffset, record);
  } catch (thrown) {
    if (thrown instanceof DamagedZip) {
      return { kind: "damaged", problem: thrown.message };
    }
    throw thrown;
  }
}

function judgeDirectory(tail: Buffer, tailOffset: number, place: DirectoryPlace): ArchiveEnd {
  const { directoryOffset, directoryBytes, memberCount } = place;
  if (memberCount === 0 && directoryBytes === 0) {
    return { kind: "empty" };
  }
  const inTail = directoryOffset - tailOffset;
  if (inTail >= 0) {
    readDirectory(tail.subarray(inTail, inTail + directoryBytes), memberCount, directoryOffset);
  }
  return { kind: "closed", directoryOffset, directoryBytes, memberCount };
}

/** The end record alone (4.3.16). */
function readPlainRecord(tail: Buffer, at: number, tailOffset: number): EndRecord {
  const memberCount = tail.readUInt16LE(at + 10);
  return {
    offset: tailOffset + at,
    multiDisk:
      tail.readUInt16LE(at + 4) !== 0 ||
      tail.readUInt16LE(at + 6) !== 0 ||
      tail.readUInt16LE(at + 8) !== memberCount,
    memberCount,
    directoryBytes: tail.readUInt32LE(at + 12),
    directoryOffset: tail.readUInt32LE(at + 16),
  };
}

/**
 * The ZIP64 end record (4.3.14) that a locator (4.3.15) right before the end record points to, or `undefined`
 * when there is none, when it does not reach exactly to its locator, or when the end record contradicts it.
 */
function readZip64Record(tail: Buffer, endAt: number, tailOffset: number): EndRecord | undefined {
  const locatorAt = endAt - ZIP64_LOCATOR_BYTES;
  if (locatorAt < 0 || tail.readUInt32LE(locatorAt) !== ZIP64_LOCATOR_SIGNATURE) {
    return undefined;
  }
  const offset = readUint64(tail, locatorAt + 8);
  const at = offset - tailOffset;
  if (
    at < 0 ||
    at + ZIP64_END_RECORD_BYTES > locatorAt ||
    tail.readUInt32LE(at) !== ZIP64_END_RECORD_SIGNATURE ||
    // The size counts neither the signature nor itself.
    at + 12 + readUint64(tail, at + 4) !== locatorAt
  ) {
    return undefined;
  }
  const memberCount = readUint64(tail, at + 32);
  const directoryBytes = readUint64(tail, at + 40);
  const directoryOffset = readUint64(tail, at + 48);
  const agrees =
    isSameOrMoved(tail.readUInt16LE(endAt + 8), memberCount, SEE_ZIP64_16) &&
    isSameOrMoved(tail.readUInt16LE(endAt + 10), memberCount, SEE_ZIP64_16) &&
    isSameOrMoved(tail.readUInt32LE(endAt + 12), directoryBytes, SEE_ZIP64_32) &&
    isSameOrMoved(tail.readUInt32LE(endAt + 16), directoryOffset, SEE_ZIP64_32);
  if (!agrees) {
    return undefined;
  }
  const multiDisk =
    !isSameOrMoved(tail.readUInt16LE(endAt + 4), 0, SEE_ZIP64_16) ||
    !isSameOrMoved(tail.readUInt16LE(endAt + 6), 0, SEE_ZIP64_16) ||
    tail.readUInt32LE(locatorAt + 4) !== 0 ||
    // Some writers count disks from 0 here.
    tail.readUInt32LE(locatorAt + 16) > 1 ||
    tail.readUInt32LE(at + 16) !== 0 ||
    tail.readUInt32LE(at + 20) !== 0 ||
    readUint64(tail, at + 24) !== memberCount;
  return { offset, multiDisk, memberCount, directoryBytes, directoryOffset };
}

function isSameOrMoved(plainValue: number, zip64Value: number, moved: number): boolean {
  return plainValue === moved || plainValue === zip64Value;
}
