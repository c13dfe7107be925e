import { exportsRoot } from "../domain/key-layout.ts";
import type { OpenUpload } from "../ports/store-sweeper.ts";
import type { InventoryRun } from "./ports.ts";

/** A younger upload may belong to an attempt that is under way, on a machine that this one does not see. */
const MIN_AGE_MS = 24 * 3_600_000;
/** Reports name this many one by one. */
const MAX_NAMED = 1_000;

/** What became of the uploads that were begun and neither completed nor ended. */
export interface OpenUploads {
  /** At most 1,000. */
  readonly abortedUploads: readonly { readonly key: string; readonly initiatedAt: string }[];
  /** Open uploads that are too young to touch. */
  readonly youngUploads: number;
}

/** Ends the uploads that no attempt goes on with: those that are older than a day. Throws what the store throws. */
export async function endOldUploads({ ports, scope, signal }: InventoryRun): Promise<OpenUploads> {
  const { store } = ports;
  const latestMs = (await store.readClockMs({ signal })) - MIN_AGE_MS;
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
