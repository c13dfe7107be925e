/** Archives written by hand, byte for byte, for this folder's tests: no library writes the odd ones. */
import { crc32, deflateRawSync } from "node:zlib";

export interface SampleMember {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflated?: boolean;
  /** Bits on top of what `descriptor` needs; set in both headers. */
  readonly flags?: number;
  /** CRC and sizes after the data instead of before it. `absent` sets the flag and writes none. */
  readonly descriptor?: "signed" | "bare" | "zip64" | "bare-zip64" | "absent";
  /** Writes sizes and offset to ZIP64 blocks. */
  readonly zip64?: boolean;
  /** Extra field of the local header, beside a ZIP64 block. */
  readonly extra?: Uint8Array;
  /** Unused bytes before this member. */
  readonly gap?: Uint8Array;
}

export interface SampleArchive {
  readonly members: readonly SampleMember[];
  readonly comment?: Uint8Array;
  readonly zip64End?: boolean;
  /** Vendor data in the ZIP64 end record. */
  readonly zip64Data?: Uint8Array;
  /** Lists the members in reverse. */
  readonly reversedDirectory?: boolean;
}

export function bytesOf(...numbers: readonly (readonly [bytesLong: 1 | 2 | 4 | 8, value: number])[]): Buffer {
  return Buffer.concat(
    numbers.map(([bytesLong, value]) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt(value));
      return bytes.subarray(0, bytesLong);
    }),
  );
}

/** One member: its bytes in the file, and its directory entry once its offset is known. */
export function makeMember(member: SampleMember): { local: Buffer; entry: (offset: number) => Buffer } {
  const name = Buffer.from(member.name);
  const data = member.deflated === true ? deflateRawSync(member.data) : Buffer.from(member.data);
  const crc = crc32(member.data);
  const streamed = member.descriptor !== undefined;
  const flags = (member.flags ?? 0) | (streamed ? 8 : 0);
  const method = member.deflated === true ? 8 : 0;
  const sizes = [data.length, member.data.length] as const;
  const large = member.zip64 === true;
  const [compressed, inflated] = large ? [0xffffffff, 0xffffffff] : sizes;
  const localZip64 = large
    ? bytesOf([2, 1], [2, 16], [8, streamed ? 0 : sizes[1]], [8, streamed ? 0 : sizes[0]])
    : Buffer.alloc(0);
  const localExtra = Buffer.concat([localZip64, member.extra ?? Buffer.alloc(0)]);
  const common = (crcField: number, compressedField: number, inflatedField: number) =>
    bytesOf(
      [2, large ? 45 : 20],
      [2, flags],
      [2, method],
      [2, 0x6000],
      [2, 0x5d76],
      [4, crcField],
      [4, compressedField],
      [4, inflatedField],
      [2, name.length],
    );
  const known = streamed && !large ? common(0, 0, 0) : common(streamed ? 0 : crc, compressed, inflated);
  const local = Buffer.concat([
    bytesOf([4, 0x04034b50]),
    known,
    bytesOf([2, localExtra.length]),
    name,
    localExtra,
    data,
    makeDescriptor(member.descriptor, crc, sizes),
  ]);
  const entry = (offset: number) => {
    const zip64 = large
      ? bytesOf([2, 1], [2, 24], [8, sizes[1]], [8, sizes[0]], [8, offset])
      : Buffer.alloc(0);
    return Buffer.concat([
      bytesOf([4, 0x02014b50], [2, 0x0314]),
      common(crc, compressed, inflated),
      bytesOf([2, zip64.length], [2, 0], [2, 0], [2, 0], [4, 0x81a40000], [4, large ? 0xffffffff : offset]),
      name,
      zip64,
    ]);
  };
  return { local, entry };
}

function makeDescriptor(
  form: SampleMember["descriptor"],
  crc: number,
  [compressed, inflated]: readonly [number, number],
): Buffer {
  const signature = bytesOf([4, 0x08074b50]);
  const short = bytesOf([4, crc], [4, compressed], [4, inflated]);
  const long = bytesOf([4, crc], [8, compressed], [8, inflated]);
  switch (form) {
    case "signed":
      return Buffer.concat([signature, short]);
    case "bare":
      return short;
    case "zip64":
      return Buffer.concat([signature, long]);
    case "bare-zip64":
      return long;
    case "absent":
    case undefined:
      return Buffer.alloc(0);
  }
}

/** The records that end an archive. */
export function makeEnd(options: {
  readonly memberCount: number;
  readonly directoryOffset: number;
  readonly directoryBytes: number;
  readonly comment?: Uint8Array;
  readonly zip64?: boolean;
  readonly zip64Data?: Uint8Array;
}): Buffer {
  const { memberCount, directoryOffset, directoryBytes } = options;
  const comment = options.comment ?? Buffer.alloc(0);
  const vendor = options.zip64Data ?? Buffer.alloc(0);
  const zip64 = Buffer.concat([
    bytesOf([4, 0x06064b50], [8, 44 + vendor.length], [2, 45], [2, 45], [4, 0], [4, 0]),
    bytesOf([8, memberCount], [8, memberCount], [8, directoryBytes], [8, directoryOffset]),
    vendor,
    bytesOf([4, 0x07064b50], [4, 0], [8, directoryOffset + directoryBytes], [4, 1]),
  ]);
  const moved = options.zip64 === true;
  return Buffer.concat([
    moved ? zip64 : Buffer.alloc(0),
    bytesOf(
      [4, 0x06054b50],
      [2, 0],
      [2, 0],
      [2, moved ? 0xffff : memberCount],
      [2, moved ? 0xffff : memberCount],
    ),
    bytesOf([4, moved ? 0xffffffff : directoryBytes], [4, moved ? 0xffffffff : directoryOffset]),
    bytesOf([2, comment.length]),
    comment,
  ]);
}

export function makeZip(archive: SampleArchive): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const member of archive.members) {
    const made = makeMember(member);
    const gap = Buffer.from(member.gap ?? []);
    locals.push(gap, made.local);
    entries.push(made.entry(offset + gap.length));
    offset += gap.length + made.local.length;
  }
  if (archive.reversedDirectory === true) {
    entries.reverse();
  }
  const directory = Buffer.concat(entries);
  const end = makeEnd({
    ...archive,
    memberCount: entries.length,
    directoryOffset: offset,
    directoryBytes: directory.length,
    zip64: archive.zip64End === true,
  });
  return Buffer.concat([...locals, directory, end]);
}

/** A copy with other bytes at one place. */
export function patched(bytes: Uint8Array, at: number, replacement: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(replacement, at);
  return copy;
}
