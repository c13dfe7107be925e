import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { crc32, inflateRawSync } from "node:zlib";

const MB = 1_000_000;
const MOST_BYTES = 300 * MB;
const MOST_UNPACKED_BYTES = 1_500 * MB;

const END_OF_DIRECTORY = 0x06054b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const DEFLATED = 8;

/**
 * Unpacks a package as FunctionGraph does: a ZIP of up to 300 MB, 1,500 MB unpacked, with an executable `bootstrap` at its
 * root. Files have the mode that the package gives them.
 *
 * @throws Error for a package that is none.
 */
export async function unpack(file: string, folder: string): Promise<void> {
  const zip = await readFile(file);
  const end = zip.length - END_BYTES;
  if (zip.length > MOST_BYTES || end < 0 || zip.readUInt32LE(end) !== END_OF_DIRECTORY) {
    throw new Error("the package is too large, or is not a ZIP without a comment");
  }
  let unpackedBytes = 0;
  let at = zip.readUInt32LE(end + 16);
  const modes = new Map<string, number>();
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const entry = zip.subarray(at);
    const nameBytes = entry.readUInt16LE(28);
    const name = entry.toString("utf8", ENTRY_BYTES, ENTRY_BYTES + nameBytes);
    const content = contentOf(zip, entry);
    unpackedBytes += content.length;
    if (unpackedBytes > MOST_UNPACKED_BYTES || normalize(name) !== name || name.startsWith("..")) {
      throw new Error(`the package is too large, or has a file outside of it: ${name}`);
    }
    const mode = (entry.readUInt32LE(38) >>> 16) & 0o777;
    modes.set(name, mode);
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
    await chmod(join(folder, name), mode);
    at += ENTRY_BYTES + nameBytes + entry.readUInt16LE(30) + entry.readUInt16LE(32);
  }
  if (((modes.get("bootstrap") ?? 0) & 0o111) === 0) {
    throw new Error("the package has no executable bootstrap at its root");
  }
}

function contentOf(zip: Buffer, entry: Buffer): Buffer {
  const header = entry.readUInt32LE(42);
  const begin = header + LOCAL_HEADER_BYTES + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
  const packed = zip.subarray(begin, begin + entry.readUInt32LE(20));
  const content = entry.readUInt16LE(10) === DEFLATED ? inflateRawSync(packed) : packed;
  if (crc32(content) !== entry.readUInt32LE(16)) {
    throw new Error("a file of the package is damaged");
  }
  return content;
}
