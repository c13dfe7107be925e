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

/** `x^(8 × bytes) mod P`: what appending so many bytes does to a CRC. By squaring, so that 5 GiB cost no more than 5 KiB. */
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
