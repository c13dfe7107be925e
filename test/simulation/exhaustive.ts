import type { Site } from "../world/faults.ts";
import { DISTINCT_FAULTS, type FaultRow } from "./fault-table.ts";
import { playStory } from "./play-story.ts";
import { type Story, type StoryFault, storyOf, taskOf } from "./story.ts";

type StoreKind = "with conditional writes" | "without";

/** A setting that every exhaustive suite is played in. */
export interface Setting {
  readonly runners: number;
  readonly store: StoreKind;
}

const STORES: Readonly<Record<StoreKind, Story["store"]>> = {
  "with conditional writes": { createOnce: true, compareAndSwap: true, verification: "read-back" },
  without: { createOnce: false, compareAndSwap: false, verification: "read-back" },
};

/** Every number of runners on every store. */
export function settingsFor(runners: readonly number[]): readonly Setting[] {
  return runners.flatMap((count) =>
    (["with conditional writes", "without"] as const).map((store) => ({ runners: count, store })),
  );
}

/**
 * The story that faults are put into: one export to be archived, one that failed, so that dead letters are
 * written too, and a visibility timeout so short that it is renewed on the way. Several runners share the work
 * on two messages of the one export.
 */
export function baseStory({ runners, store }: Setting): Story {
  return storyOf({
    runners: Array.from({ length: runners }, (_, index) => ({ skewMs: 0, offsetMs: index * 400 })),
    store: STORES[store],
    queue: { receiveWindow: 1, duplicateFraction: 0, visibilityMs: 2_000 },
    tasks: [taskOf("t1", { sent: runners }), taskOf("t2", { status: "Failed" })],
  });
}

/** How often each site is called when nothing goes wrong, and in how many calls and wake-ups a run is done. */
export interface CleanRun {
  readonly calls: ReadonlyMap<Site, number>;
  readonly callsInAll: number;
  /** Awaits that take time. */
  readonly wakeUps: number;
}

export async function playCleanRun(setting: Setting): Promise<CleanRun> {
  const calls = new Map<Site, number>();
  let callsInAll = 0;
  let wakeUps = 0;
  await playStory(baseStory(setting), ({ clock, effects }) => {
    callsInAll = effects.all.length;
    wakeUps = clock.stepsTaken;
    for (const { site } of effects.all) {
      calls.set(site, (calls.get(site) ?? 0) + 1);
    }
  });
  return { calls, callsInAll, wakeUps };
}

/** A fault of the table at one call of a site. */
export interface Point {
  readonly row: FaultRow;
  readonly occurrence: number;
}

/** Each row at each call of its site in the clean run, and at the first where the clean run has none. */
export function pointsOf(rows: readonly FaultRow[], clean: CleanRun): readonly Point[] {
  return rows.flatMap((row) =>
    Array.from({ length: Math.max(1, clean.calls.get(row.site) ?? 0) }, (_, index) => ({
      row,
      occurrence: index + 1,
    })),
  );
}

/**
 * By site or its first part: the behaviours that pairs are made of. Each stands for those that policy treats
 * alike: it decides by scope, by the few codes it names, and by silence.
 */
const PAIR_KINDS: Readonly<Record<string, readonly string[]>> = {
  "platform.body": ["reset", "short, no length", "flipped byte"],
  platform: ["500/not done", "500/done", "403 permission/not", "404 gone/not"],
  store: ["429/not", "429/done", "404 gone/not", "409 conflict"],
  queue: ["429/not", "429/done", "404 gone/not"],
};

/** Those that only the longer efforts add. */
const MORE_PAIR_KINDS: typeof PAIR_KINDS = {
  "platform.body": ["stall"],
  platform: ["403 throttle/not", "stall"],
  store: ["403 permission/not", "stall"],
  queue: ["stall"],
};

/** Sites that the base story never comes to, whatever fails. */
const OUT_OF_REACH: ReadonlySet<Site> = new Set([
  "platform.createExportTask",
  "store.confirmStored",
  "queue.depth",
  "queue.listDeadLetters",
  "queue.redrive",
] as const);

/** The rows that singles are made of: one of each behaviour. */
export const SINGLE_ROWS: readonly FaultRow[] = DISTINCT_FAULTS.filter(({ site }) => !OUT_OF_REACH.has(site));

/** The rows that pairs are made of. */
export function pairRows(withAll: boolean): readonly FaultRow[] {
  const tables = withAll ? [PAIR_KINDS, MORE_PAIR_KINDS] : [PAIR_KINDS];
  return SINGLE_ROWS.filter(({ form, kind, site }) => {
    const isBody = site === "platform.body";
    const wanted = tables.flatMap((table) => table[isBody ? site : (site.split(".")[0] ?? "")] ?? []);
    return wanted.some((part) => (isBody ? kind === part : `${kind}/${form}`.startsWith(part)));
  });
}

export function faultAt({ row, occurrence }: Point): StoryFault {
  return { kind: "call", fault: row.name, occurrence, times: 1, forever: false };
}

/** Every unordered pair of points, told apart. */
export function* pairsOf(points: readonly Point[]): Generator<readonly StoryFault[]> {
  for (const [index, first] of points.entries()) {
    for (const second of points.slice(index + 1)) {
      if (first.row.site !== second.row.site || first.occurrence !== second.occurrence) {
        yield [faultAt(first), faultAt(second)];
      }
    }
  }
}

/** Every crash before and after each call, and some calls more, since a fault adds calls. */
export function crashesOf({ callsInAll }: CleanRun): readonly Extract<StoryFault, { kind: "crash" }>[] {
  return Array.from({ length: callsInAll + 5 }, (_, index) => index + 1).flatMap((call) => [
    { kind: "crash", call, when: "before" } as const,
    { kind: "crash", call, when: "after" } as const,
  ]);
}

/** The first runner stands still at each await of its run, for a moment, past its lease, past its run. */
export function freezesOf({ wakeUps }: CleanRun): readonly StoryFault[] {
  return Array.from({ length: wakeUps }, (_, index) => index + 1).flatMap((wakeUp) =>
    [1_500, 45_000, 20 * 60_000].map((forMs) => ({ kind: "freeze", wakeUp, forMs, runner: 0 }) as const),
  );
}
