import { createHash } from "node:crypto";
import type { ObjectStore } from "../ports/object-store.ts";

/** Reads a stored object whole and hashes it. Throws what the store throws. */
export async function readBack(
  store: Pick<ObjectStore, "read">,
  key: string,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of store.read(key, { signal })) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}
