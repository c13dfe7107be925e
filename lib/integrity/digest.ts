import { createHash } from "node:crypto";

/** What tells one file from another. */
export interface Digest {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/**
 * Reads bytes to their end and hashes them. Throws what the source throws.
 *
 * @param take gets each chunk as it comes, before anything is proved.
 */
export async function digestOf(
  chunks: AsyncIterable<Uint8Array>,
  take?: (chunk: Uint8Array) => Promise<void>,
): Promise<Digest> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
    await take?.(chunk);
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

/** Whether two files have the same bytes. */
export function isSameContent(a: Digest, b: Digest): boolean {
  return a.sizeBytes === b.sizeBytes && a.sha256 === b.sha256;
}
