import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { SeededRandom } from "./seeded-random.ts";

/** A file as the platform exports it: a ZIP with one stored member. */
export interface ExportFile {
  readonly bytes: Uint8Array;
  /** Lowercase hex. */
  readonly sha256: string;
}

const MEMBER_NAME = "export.xls";
const LOCAL_HEADER_BYTES = 30;
const DIRECTORY_ENTRY_BYTES = 46;
const END_RECORD_BYTES = 22;
const ZIP_VERSION = 20;
const DOS_DATE_2026_11_22 = (46 << 9) | (11 << 5) | 22;
const MAX_CACHED_FILES = 4096;

/** Lowercase hex SHA-256. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The bytes from `start` to `end` in memory of their own; `Buffer.slice` would share it. */
export function copyOf(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

/** A ZIP with one stored member; stored, so that checking it takes no decompression. */
export function zipOf(content: Uint8Array): Uint8Array {
  const name = Buffer.from(MEMBER_NAME, "latin1");
  const directoryAt = LOCAL_HEADER_BYTES + name.length + content.length;
  const directoryBytes = DIRECTORY_ENTRY_BYTES + name.length;
  const zip = Buffer.alloc(directoryAt + directoryBytes + END_RECORD_BYTES);

  // What a local header and a directory entry have in common, from "version needed" to "extra length".
  const writeCommon = (at: number) => {
    zip.writeUInt16LE(ZIP_VERSION, at);
    zip.writeUInt16LE(DOS_DATE_2026_11_22, at + 8);
    zip.writeUInt32LE(crc32(content), at + 10);
    zip.writeUInt32LE(content.length, at + 14);
    zip.writeUInt32LE(content.length, at + 18);
    zip.writeUInt16LE(name.length, at + 22);
  };

  zip.writeUInt32LE(0x04034b50, 0);
  writeCommon(4);
  name.copy(zip, LOCAL_HEADER_BYTES);
  zip.set(content, LOCAL_HEADER_BYTES + name.length);

  zip.writeUInt32LE(0x02014b50, directoryAt);
  zip.writeUInt16LE(ZIP_VERSION, directoryAt + 4);
  writeCommon(directoryAt + 6);
  name.copy(zip, directoryAt + DIRECTORY_ENTRY_BYTES);

  const endAt = directoryAt + directoryBytes;
  zip.writeUInt32LE(0x06054b50, endAt);
  zip.writeUInt16LE(1, endAt + 8);
  zip.writeUInt16LE(1, endAt + 10);
  zip.writeUInt32LE(directoryBytes, endAt + 12);
  zip.writeUInt32LE(directoryAt, endAt + 16);
  return new Uint8Array(zip.buffer, zip.byteOffset, zip.byteLength);
}

/** An export file with any bytes at all: an encrypted ZIP, an empty one, no ZIP. */
export function fileOf(bytes: Uint8Array): ExportFile {
  return { bytes, sha256: sha256Hex(bytes) };
}

const cache = new Map<string, ExportFile>();

/**
 * The export file of a seed, with `contentBytes` of noise inside. Made once per process: simulations ask for the
 * same few contents millions of times. Its bytes are shared, so no code may change them.
 */
export function exportFile(seed: number, contentBytes = 2_500): ExportFile {
  const cacheKey = `${seed}/${contentBytes}`;
  const known = cache.get(cacheKey);
  if (known !== undefined) {
    return known;
  }
  const random = new SeededRandom(seed);
  const content = Buffer.alloc(contentBytes);
  for (let at = 0; at < contentBytes; at += 1) {
    content[at] = random.uint32();
  }
  const file = fileOf(zipOf(content));
  if (cache.size < MAX_CACHED_FILES) {
    cache.set(cacheKey, file);
  }
  return file;
}
