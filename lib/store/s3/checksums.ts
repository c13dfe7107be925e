import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { DigestMeans } from "./profiles.ts";

/** The digest of one request body, in the form its header takes. */
export type BodyDigest =
  | { readonly means: "crc32"; readonly crc32: number; readonly base64: string }
  | { readonly means: "content-md5"; readonly base64: string };

/** A digest that grows with the body, so that no request waits for five megabytes to be hashed at once. */
export class DigestBuilder {
  readonly #md5: Hash | undefined;
  #crc32 = 0;

  constructor(means: DigestMeans) {
    this.#md5 = means === "content-md5" ? createHash("md5") : undefined;
  }

  update(bytes: Uint8Array): void {
    if (this.#md5 === undefined) {
      this.#crc32 = crc32(bytes, this.#crc32);
    } else {
      this.#md5.update(bytes);
    }
  }

  /** May be asked again as the body grows. */
  digest(): BodyDigest {
    return this.#md5 === undefined
      ? { means: "crc32", crc32: this.#crc32, base64: crc32Base64(this.#crc32) }
      : { means: "content-md5", base64: this.#md5.copy().digest("base64") };
  }
}

/** The digest of a body that is there as a whole. */
export function digestOf(means: DigestMeans, bytes: Uint8Array): BodyDigest {
  const builder = new DigestBuilder(means);
  builder.update(bytes);
  return builder.digest();
}

/** The request fields a digest goes into. */
export function digestFields(
  digest: BodyDigest,
): { ChecksumAlgorithm: "CRC32"; ChecksumCRC32: string } | { ContentMD5: string } {
  switch (digest.means) {
    case "crc32":
      // Ceph 20 neither checks nor keeps the value unless the algorithm is named beside it; S3 needs only the value.
      return { ChecksumAlgorithm: "CRC32", ChecksumCRC32: digest.base64 };
    case "content-md5":
      return { ContentMD5: digest.base64 };
  }
}

/** The CRC-32 polynomial of ZIP, zlib and S3, reflected. */
const POLYNOMIAL = 0xedb88320;
/** `x^0` in the reflected representation. */
const ONE = 0x80000000;

/** `a × b mod P` over GF(2), reflected. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) {
      product ^= shifted;
    }
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}

/** `x^(8 × bytes) mod P`: what appending this many bytes does to a CRC. By squaring, so that 5 GiB cost no more than 5 KiB. */
function shiftBy(bytes: number): number {
  let power = 0x00800000; // x^8
  let operator = ONE;
  for (let remaining = bytes; remaining > 0; remaining = Math.floor(remaining / 2)) {
    if (remaining % 2 === 1) {
      operator = multiply(operator, power);
    }
    power = multiply(power, power);
  }
  return operator;
}

/**
 * The CRC-32 of two byte strings joined, from their own CRCs: what S3 calls a FULL_OBJECT checksum is this
 * over all parts.
 *
 * @param secondLengthBytes a non-negative safe integer.
 */
export function combineCrc32(firstCrc32: number, secondCrc32: number, secondLengthBytes: number): number {
  return (multiply(shiftBy(secondLengthBytes), firstCrc32) ^ secondCrc32) >>> 0;
}

/** A CRC-32 as S3 writes it: four bytes, big-endian, base64. */
export function crc32Base64(crc32: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32);
  return bytes.toString("base64");
}
