import { createHash } from "node:crypto";
import { type CrcAlgorithm, combineCrcs, startCrc } from "./crc.ts";
import { S3Refusal } from "./errors.ts";

export const checksumAlgorithms = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** One checksum as a header carries it. `value` is base64; of a composite one with `-{parts}` behind it. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

export interface TypedChecksum extends Checksum {
  readonly type: ChecksumType;
}

interface RunningChecksum {
  update(bytes: Buffer): unknown;
  digest(): Buffer;
}

const DIGEST_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

export function startChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  return isCrc(algorithm) ? startCrc(algorithm) : createHash(algorithm.toLowerCase());
}

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The element of the same meaning in XML documents. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** The algorithm named in a header such as `x-amz-checksum-algorithm`. */
export function parseAlgorithm(text: string): ChecksumAlgorithm {
  const found = checksumAlgorithms.find((algorithm) => algorithm === text.toUpperCase());
  if (found === undefined) {
    throw new S3Refusal("InvalidRequest", "Checksum algorithm provided is unsupported.");
  }
  return found;
}

/** The one checksum among headers or trailers. More than one is refused, as S3 does. */
export function checksumIn(headers: ReadonlyMap<string, string>): Checksum | undefined {
  const found = checksumAlgorithms.flatMap((algorithm) => {
    const value = headers.get(checksumHeader(algorithm));
    return value === undefined ? [] : [{ algorithm, value }];
  });
  if (found.length > 1) {
    throw new S3Refusal("InvalidRequest", "Expecting a single x-amz-checksum- header.");
  }
  const [checksum] = found;
  if (checksum !== undefined && !isDigest(checksum)) {
    const header = checksumHeader(checksum.algorithm);
    throw new S3Refusal("InvalidRequest", `Value for ${header} header is invalid.`);
  }
  return checksum;
}

function isDigest({ algorithm, value }: Checksum): boolean {
  const bytes = Buffer.from(value, "base64");
  return bytes.length === DIGEST_BYTES[algorithm] && bytes.toString("base64") === value;
}

/** @throws S3Refusal BadDigest */
export function requireSameChecksum(claimed: Checksum, actual: string | undefined): void {
  if (claimed.value !== actual) {
    throw new S3Refusal(
      "BadDigest",
      `The ${claimed.algorithm} you specified did not match the calculated checksum.`,
    );
  }
}

/** What a multipart upload's checksum covers when its creation does not say (S3 user guide, object integrity). */
export function defaultType(algorithm: ChecksumAlgorithm): ChecksumType {
  return algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
}

/** SHA checksums cannot be had for a whole multipart object, a CRC64NVME only so. */
export function allowsType(algorithm: ChecksumAlgorithm, type: ChecksumType): boolean {
  return type === "FULL_OBJECT" ? isCrc(algorithm) : algorithm !== "CRC64NVME";
}

export interface PartChecksum {
  readonly sizeBytes: number;
  /** Base64. */
  readonly value: string;
}

/** The checksum of a multipart object from those of its parts. */
export function checksumOfParts(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly PartChecksum[],
): TypedChecksum {
  if (type === "FULL_OBJECT" && isCrc(algorithm)) {
    // The CRC of nothing is zero.
    let crc: Buffer = Buffer.alloc(DIGEST_BYTES[algorithm]);
    for (const { sizeBytes, value } of parts) {
      crc = combineCrcs(algorithm, crc, Buffer.from(value, "base64"), sizeBytes);
    }
    return { algorithm, type, value: crc.toString("base64") };
  }
  const running = startChecksum(algorithm);
  running.update(Buffer.concat(parts.map(({ value }) => Buffer.from(value, "base64"))));
  return { algorithm, type, value: `${running.digest().toString("base64")}-${parts.length}` };
}

function isCrc(algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm {
  return algorithm.startsWith("CRC");
}
