import { DamagedZip } from "./zip-format.ts";

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
