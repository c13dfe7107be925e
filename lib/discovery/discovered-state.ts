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
  /** Which of these were enqueued while deletion was off; missing in a hint of an older version, which does not tell. */
  whileKeeping: v.optional(v.array(v.string())),
});

export interface Enqueued {
  readonly atMs: number;
  /** Deletion was off, or may have been: once archived, the task stays until somebody enqueues it again. */
  readonly whileKeeping: boolean;
}

/** What `state/discovered.json` remembers, by task and revision: a hint that saves duplicates, never a reason to lose a task. */
export type EnqueuedBefore = ReadonlyMap<string, Enqueued>;

/** Reads the hint; one that is missing or unreadable is an empty one. */
export async function readEnqueued(
  store: Pick<ObjectStore, "getDocument">,
  options: CallOptions,
): Promise<EnqueuedBefore> {
  const parsed = parseRecord(discoveredSchema, await store.getDocument(DISCOVERED_STATE_KEY, options));
  const keeping = parsed?.whileKeeping && new Set(parsed.whileKeeping);
  const entries = Object.entries(parsed?.enqueuedAt ?? {});
  return new Map(entries.map(([key, atMs]) => [key, { atMs, whileKeeping: keeping?.has(key) ?? true }]));
}

/** Writes the hint, without what is too old to matter. */
export async function writeEnqueued(
  store: ObjectStore,
  enqueued: EnqueuedBefore,
  nowMs: number,
  options: CallOptions,
): Promise<void> {
  const recent = [...enqueued].filter(([, { atMs }]) => wasEnqueuedRecently(atMs, nowMs));
  const text = JSON.stringify({
    enqueuedAt: Object.fromEntries(recent.map(([key, { atMs }]) => [key, atMs])),
    whileKeeping: recent.filter(([, { whileKeeping }]) => whileKeeping).map(([key]) => key),
  });
  await store.putDocument(DISCOVERED_STATE_KEY, text, { kind: "always" }, options);
}

/** A time in the future comes from a wrong clock and is not believed. */
export function wasEnqueuedRecently(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && atMs <= nowMs && nowMs - atMs < ENQUEUE_AGAIN_AFTER_MS;
}
