import { crc32 } from "node:zlib";

/** The password of every encrypted member. */
export const ZIP_PASSWORD = "sandbox";

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_RECORD = 0x06054b50;
const ENCRYPTED_FLAG = 1;
const VERSION_2_0 = 20;
/** 2026-01-01 in the DOS date format. */
const DOS_DATE = ((2026 - 1980) << 9) | (1 << 5) | 1;
const KEY_HEADER_BYTES = 12;

/**
 * A ZIP with one stored member under the traditional encryption (APPNOTE 6.1), which the ZIP library does
 * not write. A client that has no password can check only the structure of such a file.
 */
export function encryptedZip(name: string, content: Buffer): Buffer {
  const checksum = crc32(content);
  // The last byte of the key header lets a reader see a wrong password; the others may be anything.
  const keyHeader = Buffer.alloc(KEY_HEADER_BYTES, 0x5a);
  keyHeader[KEY_HEADER_BYTES - 1] = checksum >>> 24;
  const data = encrypt(Buffer.concat([keyHeader, content]));
  const nameBytes = Buffer.from(name, "utf8");

  // From "version needed" to "extra field length", the same in both headers.
  const common = Buffer.alloc(26);
  common.writeUInt16LE(VERSION_2_0, 0);
  common.writeUInt16LE(ENCRYPTED_FLAG, 2);
  common.writeUInt16LE(DOS_DATE, 8);
  common.writeUInt32LE(checksum, 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(nameBytes.length, 22);

  const local = Buffer.concat([uint32(LOCAL_HEADER), common, nameBytes, data]);
  // Comment length, disk, attributes and the offset of the local header are all zero.
  const central = Buffer.concat([
    uint32(CENTRAL_HEADER),
    uint16(VERSION_2_0),
    common,
    Buffer.alloc(14),
    nameBytes,
  ]);
  const counts = Buffer.concat([uint32(0), uint16(1), uint16(1)]);
  const directory = Buffer.concat([uint32(central.length), uint32(local.length), uint16(0)]);
  return Buffer.concat([local, central, uint32(END_RECORD), counts, directory]);
}

function encrypt(plain: Buffer): Buffer {
  let [key0, key1, key2] = [0x12345678, 0x23456789, 0x34567890];
  const update = (byte: number): void => {
    key0 = step(key0, byte);
    key1 = (Math.imul((key1 + (key0 & 0xff)) | 0, 134775813) + 1) | 0;
    key2 = step(key2, key1 >>> 24);
  };
  for (const byte of Buffer.from(ZIP_PASSWORD, "latin1")) {
    update(byte);
  }
  return Buffer.from(
    plain.map((byte) => {
      const mask = (key2 & 0xffff) | 2;
      const keyByte = (Math.imul(mask, mask ^ 1) >>> 8) & 0xff;
      update(byte);
      return byte ^ keyByte;
    }),
  );
}

/** One step of CRC-32 without the inversions that the library's function wraps around it. */
function step(register: number, byte: number): number {
  return ~crc32(Buffer.of(byte), ~register >>> 0);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
