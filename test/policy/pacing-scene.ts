import { PACING_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { Pacer, type PacerOptions, type Slot, type TakeOptions } from "../../lib/pacing/pacer.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { type Runner, World, type WorldOptions } from "../world/world.ts";

export const INTERVAL_MS = 31_000;

/** A world whose store takes no time and whose clock is read without error, unless told otherwise. */
export function exactWorld(options: WorldOptions = {}): World {
  return new World({ ...options, store: { callLatency: 0, clockErrorMs: 0, ...options.store } });
}

/** Opens a runner's pacer as preflight does. To be called inside `world.run`. */
export async function openPacer(runner: Runner, changes: Partial<PacerOptions> = {}): Promise<Pacer> {
  const { store, clock, random } = runner;
  return await Pacer.open(
    {
      store,
      abilities: await store.preflight(ALWAYS),
      clock,
      random,
      runId: runner.name,
      intervalMs: INTERVAL_MS,
      onCorruptState: () => undefined,
      ...changes,
    },
    ALWAYS,
  );
}

/** `nextAt` as it stands in the store, relative to the store's present; `undefined` without a readable state. */
export function nextInMs(world: World): number | undefined {
  const text = world.store.textAt(PACING_STATE_KEY);
  return text === undefined ? undefined : Number(JSON.parse(text).nextAt) - storeNowMs(world);
}

/** Puts a state there as somebody else would; `nextAt` relative to the store's present. */
export function plantNextAt(world: World, inMs: number): void {
  plantState(world, JSON.stringify({ nextAt: storeNowMs(world) + inMs, nonce: "other", runId: "other" }));
}

/** Puts any content where the state is kept. */
export function plantState(world: World, content: string | Uint8Array): void {
  world.store.plantObject(PACING_STATE_KEY, Buffer.from(content));
}

function storeNowMs(world: World): number {
  return world.clock.wallMs() + world.store.settings.clockSkewMs;
}

/** The smallest distance between two neighbours; `Infinity` for fewer than two. */
export function smallestGapMs(moments: readonly number[]): number {
  const sorted = moments.toSorted((a, b) => a - b);
  return Math.min(...sorted.slice(1).map((moment, index) => moment - (sorted[index] ?? 0)));
}

/** Takes the next slot and begins its download: returns when the request may be written. */
export async function begin(
  pacer: Pacer,
  deadlineMs = Number.POSITIVE_INFINITY,
  options: TakeOptions = {},
): Promise<Slot | "none"> {
  const slot = await pacer.take(deadlineMs, ALWAYS, options);
  if (slot !== "none") {
    await slot.ready(ALWAYS);
  }
  return slot;
}

/** The slot where there has to be one. */
export function requireSlot(slot: Slot | "none"): Slot {
  if (slot === "none") {
    throw new Error("there was no slot");
  }
  return slot;
}
