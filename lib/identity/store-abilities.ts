import * as v from "valibot";
import { compact } from "../domain/compact.ts";
import { STORE_STATE_KEY } from "../domain/key-layout.ts";
import type { Clock } from "../ports/clock.ts";
import type { FoundAbilities, ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { isoTime, parseRecord, SCHEMA_VERSION, schemaVersion } from "../records/schemas.ts";

/** Stores are upgraded, and buckets get other rules: what was found is good for a day. */
const GOOD_FOR_MS = 24 * 3_600_000;
/** Two machines' clocks may differ by so much; what lies further ahead is as good as unreadable. */
const MAX_AHEAD_MS = 5 * 60_000;

const storeStateSchema = v.object({
  schemaVersion,
  /** Of the store's settings when it was tried out. */
  settings: v.string(),
  triedAt: isoTime,
  abilities: v.object({
    createOnce: v.boolean(),
    compareAndSwap: v.boolean(),
    createOnceAtCompletion: v.optional(v.boolean()),
  }),
});

interface TryingPorts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** Names the settings that the abilities depend on: another text means that they are tried out again. */
  readonly storeSettings: string;
}

/**
 * What the store can do: as found within the last day with the same settings, else tried out now.
 *
 * @throws what the store throws.
 */
export async function storeAbilities(ports: TryingPorts, options: CallOptions): Promise<StoreAbilities> {
  const remembered = await recallAbilities(ports, options);
  if (remembered === undefined) {
    return await tryStore(ports, options);
  }
  return ports.store.assume(remembered);
}

/** What a store can do, told without trying it out. */
export interface ToldAbilities {
  readonly abilities: StoreAbilities;
  /** Whether it was tried out within the last day with the same settings; else its profile alone says what it can do. */
  readonly triedOut: boolean;
}

/** What the store can do, as far as that is known without a write. @throws what the store throws. */
export async function toldAbilities(ports: TryingPorts, options: CallOptions): Promise<ToldAbilities> {
  const remembered = await recallAbilities(ports, options);
  const nothingFound = { createOnce: false, compareAndSwap: false };
  return { abilities: ports.store.assume(remembered ?? nothingFound), triedOut: remembered !== undefined };
}

async function recallAbilities(
  { store, clock, storeSettings }: TryingPorts,
  options: CallOptions,
): Promise<FoundAbilities | undefined> {
  const state = await readState(store, options);
  if (state === undefined || state.settings !== storeSettings) {
    return undefined;
  }
  const ageMs = clock.wallMs() - Date.parse(state.triedAt);
  return ageMs >= GOOD_FOR_MS || ageMs < -MAX_AHEAD_MS ? undefined : compact(state.abilities);
}

/** What a store was found able to do, and when. */
export interface TriedAbilities extends FoundAbilities {
  /** ISO 8601. */
  readonly triedAt: string;
}

/**
 * What was found when the store was tried out last, however long ago and with whatever settings: for people only.
 *
 * @returns `undefined` where it was never tried out, or what was found cannot be read. Throws what the store throws.
 */
export async function triedAbilities(
  store: Pick<ObjectStore, "getDocument">,
  options: CallOptions,
): Promise<TriedAbilities | undefined> {
  const state = await readState(store, options);
  return state && { ...compact(state.abilities), triedAt: state.triedAt };
}

async function readState(
  store: Pick<ObjectStore, "getDocument">,
  options: CallOptions,
): Promise<v.InferOutput<typeof storeStateSchema> | undefined> {
  return parseRecord(storeStateSchema, await store.getDocument(STORE_STATE_KEY, options));
}

/** Tries the store out, which removes what a dead try left behind, and remembers what was found. */
export async function tryStore(ports: TryingPorts, options: CallOptions): Promise<StoreAbilities> {
  const { store, clock, storeSettings } = ports;
  const { verification, ...abilities } = await store.preflight(options);
  const state = {
    schemaVersion: SCHEMA_VERSION,
    settings: storeSettings,
    triedAt: new Date(clock.wallMs()).toISOString(),
    abilities,
  };
  await store.putDocument(STORE_STATE_KEY, `${JSON.stringify(state)}\n`, { kind: "always" }, options);
  return { ...abilities, verification };
}
