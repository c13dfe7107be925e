import * as v from "valibot";
import { DISCOVERED_STATE_KEY } from "../domain/key-layout.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { parseRecord } from "../records/schemas.ts";

/** A revision enqueued less than this ago is not enqueued again. */
export const ENQUEUE_AGAIN_AFTER_MS = 6 * 3_600_000;

const discoveredSchema = v.object({
  /** `{exportTaskId}:{revision}` → when it was last enqueued, epoch milliseconds. */
  enqueuedAt: v.record(v.string(), v.number()),
});

/** What `state/discovered.json` remembers: a hint that saves duplicates, never a reason to lose a task. */
export type EnqueuedAt = ReadonlyMap<string, number>;

/** Reads the hint; one that is missing or unreadable is an empty one. */
export async function readEnqueuedAt(store: ObjectStore, options: CallOptions): Promise<EnqueuedAt> {
  const parsed = parseRecord(discoveredSchema, await store.getDocument(DISCOVERED_STATE_KEY, options));
  return new Map(Object.entries(parsed?.enqueuedAt ?? {}));
}

/** Writes the hint, without what is too old to matter. */
export async function writeEnqueuedAt(
  store: ObjectStore,
  enqueuedAt: EnqueuedAt,
  nowMs: number,
  options: CallOptions,
): Promise<void> {
  const recent = [...enqueuedAt].filter(([, atMs]) => wasEnqueuedRecently(atMs, nowMs));
  const text = JSON.stringify({ enqueuedAt: Object.fromEntries(recent) });
  await store.putDocument(DISCOVERED_STATE_KEY, text, { kind: "always" }, options);
}

/** A time in the future comes from a wrong clock and is not believed. */
export function wasEnqueuedRecently(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && atMs <= nowMs && nowMs - atMs < ENQUEUE_AGAIN_AFTER_MS;
}
