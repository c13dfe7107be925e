import { createHash } from "node:crypto";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ArchivedRecord } from "../records/schemas.ts";

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

/** Reads a recorded copy whole: whether its bytes are still what the record says. Throws what the store throws. */
export async function isAsRecorded(
  store: Pick<ObjectStore, "read">,
  { object }: ArchivedRecord,
  signal: AbortSignal,
): Promise<boolean> {
  const read = await readBack(store, object.key, signal);
  return read.sizeBytes === object.sizeBytes && read.sha256 === object.sha256;
}
