import { ArchiverError } from "../domain/errors.ts";

/**
 * Numbers of the ZIP format (PKWARE APPNOTE 6.3.10) and the few reading helpers that all its structures share.
 * Section numbers in this folder are APPNOTE's.
 */

/** First four bytes of each structure, as the little-endian number they read as. */
export const LOCAL_HEADER_SIGNATURE = 0x04034b50;
export const DIRECTORY_ENTRY_SIGNATURE = 0x02014b50;
export const END_RECORD_SIGNATURE = 0x06054b50;
export const ZIP64_END_RECORD_SIGNATURE = 0x06064b50;
export const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
export const DATA_DESCRIPTOR_SIGNATURE = 0x08074b50;

/** Fixed parts, without names, extra fields and comments. */
export const LOCAL_HEADER_BYTES = 30;
export const DIRECTORY_ENTRY_BYTES = 46;
export const END_RECORD_BYTES = 22;
export const ZIP64_END_RECORD_BYTES = 56;
export const ZIP64_LOCATOR_BYTES = 20;

export const MAX_COMMENT_BYTES = 0xffff;

/** A field with this value stands for "see the ZIP64 structure" (4.4.1.4). */
export const SEE_ZIP64_16 = 0xffff;
export const SEE_ZIP64_32 = 0xffffffff;

/**
 * How much of a file's end is looked at: an end record with the longest comment, its ZIP64 records, and
 * some 4 KiB on top for the directory of a small archive or a ZIP64 record with vendor data.
 */
export const TAIL_BYTES = 68 * 1024 + END_RECORD_BYTES + ZIP64_LOCATOR_BYTES + ZIP64_END_RECORD_BYTES;

/** An archive whose bytes contradict each other. Stays inside this folder: callers get a verdict. */
export class DamagedZip extends ArchiverError {
  constructor(problem: string) {
    super("zip-damaged", problem, {
      scope: "task",
      retry: "later",
      hint: "Download the export again; if it stays damaged, create a new export task on the platform.",
    });
  }
}

/** A view of the same bytes with Buffer's reading methods; copies nothing. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * An 8-byte size or offset. Throws {@link DamagedZip} above `Number.MAX_SAFE_INTEGER`: no such file exists, and
 * rounding would let a wrong sum look right.
 */
export function readUint64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new DamagedZip("a ZIP64 size or offset is larger than any file");
  }
  return Number(value);
}

const HEADER_BYTES = 4;
const ZIP64_ID = 0x0001;

/**
 * The content of the ZIP64 block (4.5.3) in an extra field, or `undefined` when there is none.
 * Throws {@link DamagedZip} when a block runs past the field. Up to three odd bytes at the end are padding that
 * alignment tools leave there.
 */
export function findZip64Block(extra: Buffer): Buffer | undefined {
  for (let at = 0; at + HEADER_BYTES <= extra.length; ) {
    const start = at + HEADER_BYTES;
    const end = start + extra.readUInt16LE(at + 2);
    if (end > extra.length) {
      throw new DamagedZip("an extra field runs past its end");
    }
    if (extra.readUInt16LE(at) === ZIP64_ID) {
      return extra.subarray(start, end);
    }
    at = end;
  }
  return undefined;
}
