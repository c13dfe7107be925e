import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { crc32Base64 } from "./crc32-combine.ts";
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
