import { crc32 } from "node:zlib";

/** A running CRC. All three are reflected, begin with all ones and end inverted. */
export interface RunningCrc {
  update(bytes: Buffer): void;
  /** Big-endian, as `x-amz-checksum-*` carries it in base64. */
  digest(): Buffer;
}

export type CrcAlgorithm = "CRC32" | "CRC32C" | "CRC64NVME";

/** Reflected polynomials. */
const POLYNOMIAL: Readonly<Record<CrcAlgorithm, { readonly value: bigint; readonly bits: number }>> = {
  CRC32: { value: 0xedb8_8320n, bits: 32 },
  CRC32C: { value: 0x82f6_3b78n, bits: 32 },
  CRC64NVME: { value: 0x9a6c_9329_ac4b_c9b5n, bits: 64 },
};

export function startCrc(algorithm: CrcAlgorithm): RunningCrc {
  return algorithm === "CRC32" ? new ZlibCrc32() : new TableCrc(algorithm);
}

class ZlibCrc32 implements RunningCrc {
  #value = 0;

  update(bytes: Buffer): void {
    this.#value = crc32(bytes, this.#value);
  }

  digest(): Buffer {
    return bigEndian(BigInt(this.#value), 32);
  }
}

/** The upper and lower 32 bits of each byte's remainder; a 32-bit CRC lies in the lower ones. */
interface Table {
  readonly high: Int32Array;
  readonly low: Int32Array;
}

const tables = new Map<CrcAlgorithm, Table>();

/** One byte at a time, in two 32-bit halves: integers of 64 bits would be many times slower. */
class TableCrc implements RunningCrc {
  readonly #bits: number;
  readonly #table: Table;
  #high: number;
  #low = -1;

  constructor(algorithm: CrcAlgorithm) {
    this.#bits = POLYNOMIAL[algorithm].bits;
    this.#table = tables.get(algorithm) ?? makeTable(algorithm);
    this.#high = this.#bits === 64 ? -1 : 0;
  }

  update(bytes: Buffer): void {
    const { high: highTable, low: lowTable } = this.#table;
    let high = this.#high;
    let low = this.#low;
    for (let at = 0; at < bytes.length; at += 1) {
      const index = (low ^ (bytes[at] ?? 0)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (lowTable[index] ?? 0);
      high = (high >>> 8) ^ (highTable[index] ?? 0);
    }
    this.#high = high;
    this.#low = low;
  }

  digest(): Buffer {
    const value = (BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0);
    return bigEndian(BigInt.asUintN(this.#bits, value), this.#bits);
  }
}

function makeTable(algorithm: CrcAlgorithm): Table {
  const table = { high: new Int32Array(256), low: new Int32Array(256) };
  for (let index = 0; index < 256; index += 1) {
    let remainder = BigInt(index);
    for (let bit = 0; bit < 8; bit += 1) {
      remainder = divideByX(remainder, POLYNOMIAL[algorithm].value);
    }
    table.high[index] = Number(remainder >> 32n) | 0;
    table.low[index] = Number(remainder & 0xffff_ffffn) | 0;
  }
  tables.set(algorithm, table);
  return table;
}

/** One step of the division: in reflected notation the lowest bit is the highest power. */
function divideByX(value: bigint, polynomial: bigint): bigint {
  return (value & 1n) === 1n ? (value >> 1n) ^ polynomial : value >> 1n;
}

/**
 * The CRC of two byte strings one after the other, from the CRC of each: the first one's, moved on by as many
 * zero bytes as the second one has, plus the second one's.
 */
export function combineCrcs(
  algorithm: CrcAlgorithm,
  first: Buffer,
  second: Buffer,
  secondBytes: number,
): Buffer {
  const { value: polynomial, bits } = POLYNOMIAL[algorithm];
  const one = 1n << BigInt(bits - 1);
  let factor = one;
  // x^(8 n) by squaring; x^8 is `one` moved down by eight bits.
  let square = one >> 8n;
  for (let left = BigInt(secondBytes); left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) {
      factor = multiply(factor, square, polynomial, bits);
    }
    square = multiply(square, square, polynomial, bits);
  }
  const moved = multiply(fromBigEndian(first), factor, polynomial, bits);
  return bigEndian(moved ^ fromBigEndian(second), bits);
}

/** Product of two polynomials modulo a third. */
function multiply(a: bigint, b: bigint, polynomial: bigint, bits: number): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = BigInt(bits - 1); bit >= 0n; bit -= 1n) {
    if (((a >> bit) & 1n) === 1n) {
      product ^= shifted;
    }
    shifted = divideByX(shifted, polynomial);
  }
  return product;
}

function bigEndian(value: bigint, bits: number): Buffer {
  return Buffer.from(value.toString(16).padStart(bits / 4, "0"), "hex");
}

function fromBigEndian(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}
