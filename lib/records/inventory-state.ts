import * as v from "valibot";
import { type Compact, compact } from "../domain/compact.ts";
import { EXPORT_TASK_ID, type PlatformScope } from "../domain/export-task.ts";
import { inventoryStateKey } from "../domain/key-layout.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { isoTime, parseRecord } from "./schemas.ts";

/** An older catalogue missed its daily inventory. */
const MAX_AGE_MS = 26 * 3_600_000;
/** Of each kind the state names this many at most. */
const MAX_NAMED = 1_000;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const named = {
  exportTaskId: v.pipe(v.string(), v.regex(EXPORT_TASK_ID)),
  revision: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
  key: v.pipe(v.string(), v.maxLength(1_024)),
};

/** How the copies stand, and what a drill found. */
const verificationSchema = v.object({
  limitDays: count,
  copies: count,
  coldCopies: count,
  /** Copies read back that day. */
  checked: count,
  damaged: count,
  oldestUnreadDays: v.pipe(v.number(), v.minValue(0)),
  isLimitKept: v.boolean(),
  missedFrom: v.optional(isoTime),
  drill: v.optional(
    v.object({
      exportTaskId: named.exportTaskId,
      result: v.picklist(["restored", "unchecked", "failed"]),
    }),
  ),
});

/** What the report of the last inventory tells those who read the catalogue. */
const stateSchema = v.object({
  startedAt: isoTime,
  stopReason: v.picklist(["done", "time-budget"]),
  /** When the last whole inventory before this one began. */
  lastWholeAt: v.optional(isoTime),
  counts: v.object({ exports: count, orphans: v.optional(count, 0) }),
  damage: v.pipe(
    v.array(
      v.object({
        ...named,
        kind: v.picklist(["missing", "resized", "changed", "unreadable-record"]),
        recordedBytes: v.optional(count),
        foundBytes: v.optional(count),
      }),
    ),
    v.maxLength(MAX_NAMED),
  ),
  unremoved: v.optional(v.pipe(v.array(v.object(named)), v.maxLength(MAX_NAMED)), []),
  /** Missing where the reading is switched off. It is only shown: one that cannot be read makes no report useless. */
  verification: v.fallback(v.optional(verificationSchema), undefined),
});

/** What an inventory found wrong with an export. */
type NamedDamage = Compact<v.InferOutput<typeof stateSchema>["damage"][number]>;

export interface InventoryState extends Omit<v.InferOutput<typeof stateSchema>, "damage"> {
  readonly damage: readonly NamedDamage[];
}

/**
 * When the last inventory began that had time for everything, epoch milliseconds. The daily ones may be recent and each
 * be cut by their time.
 */
export function lastWholeMs(
  state: Pick<InventoryState, "startedAt" | "stopReason" | "lastWholeAt"> | undefined,
): number | undefined {
  const at = state?.stopReason === "done" ? state.startedAt : state?.lastWholeAt;
  return at === undefined ? undefined : Date.parse(at);
}

/** Whether the catalogue of this inventory may be used instead of listing the archive. */
export function isRecent({ startedAt }: Pick<InventoryState, "startedAt">, nowMs: number): boolean {
  return isOfToday(Date.parse(startedAt), nowMs);
}

/** Whether the daily inventory after this one is not overdue. */
export function isOfToday(startedAtMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - startedAtMs) <= MAX_AGE_MS;
}

/** What the last inventory said; `undefined` where there was none, or its report cannot be read. Throws what the store throws. */
export async function readInventoryState(
  store: Pick<ObjectStore, "getDocument">,
  scope: PlatformScope,
  options: CallOptions,
): Promise<InventoryState | undefined> {
  const state = parseRecord(stateSchema, await store.getDocument(inventoryStateKey(scope), options));
  return state && { ...state, damage: state.damage.map((damage) => compact(damage)) };
}
