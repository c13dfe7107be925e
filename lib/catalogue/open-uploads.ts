import { exportsRoot } from "../domain/key-layout.ts";
import type { OpenUpload } from "../ports/store-sweeper.ts";
import type { InventoryRun } from "./ports.ts";

/** Reports name this many one by one. */
const MAX_NAMED = 1_000;

/** What became of the uploads that were begun and neither completed nor ended. */
export interface OpenUploads {
  /** At most 1,000. */
  readonly abortedUploads: readonly { readonly key: string; readonly initiatedAt: string }[];
  /** Open uploads that are too young to touch. */
  readonly youngUploads: number;
}

/**
 * Ends the uploads that no attempt goes on with. Throws what the store throws.
 * @param latestMs by the store's clock; an upload that was begun later is left open.
 */
export async function endOldUploads(
  { ports, scope, signal }: InventoryRun,
  latestMs: number,
): Promise<OpenUploads> {
  const { store } = ports;
  const old: OpenUpload[] = [];
  let youngUploads = 0;
  for await (const upload of store.listUploads(exportsRoot(scope), { signal })) {
    if (upload.initiatedAtMs <= latestMs) {
      old.push(upload);
    } else {
      youngUploads += 1;
    }
  }
  const abortedUploads: { key: string; initiatedAt: string }[] = [];
  for (const { key, uploadId, initiatedAtMs } of old) {
    const wasOpen = await store.abortUpload(key, uploadId, { signal });
    if (wasOpen && abortedUploads.length < MAX_NAMED) {
      abortedUploads.push({ key, initiatedAt: new Date(initiatedAtMs).toISOString() });
    }
  }
  return { abortedUploads, youngUploads };
}
