import * as v from "valibot";
import { ArchiverError } from "../domain/errors.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { notificationStateKey } from "../domain/key-layout.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Notifier } from "../ports/notifier.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { jsonText } from "../records/create-once.ts";
import { isoTime, parseRecord, SCHEMA_VERSION, schemaVersion } from "../records/schemas.ts";
import { conditionAfter } from "../records/text-file.ts";
import type { Finding } from "./night.ts";

/** A claim that is older than this, and says nothing of a message, is taken once more. */
export const CLAIM_AGE_MS = 15 * 60_000;
/** One message may go out this many times. */
export const MAX_CLAIMS = 2;

/** What the report says of one who could not be told. */
type NotNotified = Extract<Finding, { readonly kind: "not-notified" }>;

/** What telling needs. */
export interface NotifyPorts {
  readonly store: Pick<ObjectStore, "getDocument" | "putDocument">;
  readonly notifier: Notifier;
  readonly clock: Pick<Clock, "wallMs" | "sleep">;
  readonly random: Pick<Random, "hex" | "fraction">;
}

export interface NotifySettings {
  readonly scope: PlatformScope;
  readonly abilities: Pick<StoreAbilities, "createOnce" | "compareAndSwap">;
}

/** Far more than a deployment has; a document with more was not written here. */
const MAX_TOLD = 1_000;
const MAX_TARGETS = 100;
const name = v.pipe(v.string(), v.maxLength(512));

const stateSchema = v.object({
  schemaVersion,
  /** By fingerprint, what was told at once. */
  told: v.pipe(
    v.record(
      name,
      v.object({
        claimedAt: isoTime,
        /** Of the runner that sends it. */
        nonce: v.string(),
        claims: v.pipe(v.number(), v.integer(), v.minValue(1)),
        sentAt: v.optional(isoTime),
      }),
    ),
    v.maxEntries(MAX_TOLD),
  ),
  /** By target, since when it could not be told. */
  unsent: v.pipe(
    v.record(
      name,
      v.object({
        since: isoTime,
        /** A runner is about to tell it, or died over it. */
        pendingAt: v.optional(isoTime),
      }),
    ),
    v.maxEntries(MAX_TARGETS),
  ),
});

/** The document at {@link notificationStateKey}. */
export type NotificationState = v.InferOutput<typeof stateSchema>;
export type Told = NotificationState["told"][string];

const EMPTY: NotificationState = { schemaVersion: SCHEMA_VERSION, told: {}, unsent: {} };
const MAX_TRIES = 10;
const BACKOFF_MS = 100;

/**
 * Changes the state, by compare-and-swap where the store has it.
 *
 * @param change is called again when another runner was faster; `undefined` leaves the state as it is.
 * @throws what the store throws, or `notification-state-busy`.
 */
export async function changeState(
  { store, clock, random }: Pick<NotifyPorts, "store" | "clock" | "random">,
  { scope, abilities }: NotifySettings,
  change: (state: NotificationState) => NotificationState | undefined,
  options: CallOptions,
): Promise<void> {
  const key = notificationStateKey(scope);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const found = await store.getDocument(key, options);
    const next = change(parseRecord(stateSchema, found) ?? EMPTY);
    if (next === undefined) {
      return;
    }
    const condition = conditionAfter(found, abilities);
    if ((await store.putDocument(key, jsonText(next), condition, options)) !== "conflict") {
      return;
    }
    await clock.sleep(Math.ceil(BACKOFF_MS * random.fraction()), options.signal);
  }
  throw new ArchiverError(
    "notification-state-busy",
    "other runners kept changing the state of the notifications",
    {
      scope: "system",
      retry: "later",
      hint: "Nothing is lost. Look whether many runners start at once.",
    },
  );
}

/**
 * Who could not be told since the last message that arrived, for the report of the next night. A target whose message is
 * just being sent is left out.
 *
 * @param targets those who are told now: what became of others does not matter any more.
 */
export async function readUnnotified(
  store: Pick<ObjectStore, "getDocument">,
  scope: PlatformScope,
  { targets, nowMs, signal }: CallOptions & { readonly targets: readonly string[]; readonly nowMs: number },
): Promise<readonly NotNotified[]> {
  const state = parseRecord(stateSchema, await store.getDocument(notificationStateKey(scope), { signal }));
  return targets.flatMap((target) => {
    const entry = Object.hasOwn(state?.unsent ?? {}, target) ? state?.unsent[target] : undefined;
    const isUnderWay = entry?.pendingAt !== undefined && isYoung(entry.pendingAt, nowMs);
    return entry === undefined || isUnderWay
      ? []
      : [{ kind: "not-notified" as const, target, sinceMs: Date.parse(entry.since) }];
  });
}

/** Whether a claim may still lead to a message. Clocks differ by some minutes; one from far ahead says nothing. */
export function isYoung(claimedAt: string, nowMs: number): boolean {
  return Math.abs(nowMs - Date.parse(claimedAt)) < CLAIM_AGE_MS;
}
