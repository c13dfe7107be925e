import * as v from "valibot";
import type { Site } from "../world/faults.ts";
import { REACTION_ROWS } from "./fault-reactions.ts";
import { DISTINCT_FAULTS, type FaultRow } from "./fault-table.ts";
import { playStory } from "./play-story.ts";
import { PLAIN_ARCHIVE, PLAIN_SETTINGS, type Story, type StoryFault, storyOf, taskOf } from "./story.ts";

const STORE_KINDS = ["with conditional writes", "without"] as const;
type StoreKind = (typeof STORE_KINDS)[number];
const QUEUE_KINDS = ["apart", "in the store"] as const;
type QueueKind = (typeof QUEUE_KINDS)[number];

export const settingSchema = v.object({
  runners: v.pipe(v.number(), v.integer(), v.minValue(1)),
  store: v.picklist(STORE_KINDS),
  queue: v.picklist(QUEUE_KINDS),
});

/** A setting that every exhaustive suite is played in. */
export type Setting = Readonly<v.InferOutput<typeof settingSchema>>;

const STORES: Readonly<Record<StoreKind, Story["store"]>> = {
  "with conditional writes": { createOnce: true, compareAndSwap: true, verification: "read-back" },
  without: { createOnce: false, compareAndSwap: false, verification: "read-back" },
};

/** Every number of runners on every store. */
export function settingsFor(
  runners: readonly number[],
  stores: readonly StoreKind[] = STORE_KINDS,
  queue: QueueKind = "apart",
): readonly Setting[] {
  return runners.flatMap((count) => stores.map((store) => ({ runners: count, store, queue })));
}

/** Shorter than in life: while a call stalls, a run looks into the queue and renews its lease again and again. */
const STALL_ENDS_AFTER_MS = 90_000;

/**
 * The story that faults are put into: one export to be archived, one that failed, so that dead letters are
 * written too, and a visibility timeout so short that it is renewed on the way. Several runners share the work
 * on two messages of the one export.
 */
export function baseStory({ runners, store, queue }: Setting): Story {
  return storyOf({
    runners: Array.from({ length: runners }, (_, index) => ({ skewMs: 0, offsetMs: index * 400 })),
    store: STORES[store],
    queue: {
      ...{ receiveWindow: 1, duplicateFraction: 0, visibilityMs: 30_000 },
      ...(queue === "apart" ? { longPollMs: 20_000 } : { longPollMs: 1_000, inStore: true }),
    },
    platform: { throttleAnswer: "IOTDA.021101", deleteRemovesSharedFile: true, firstByteLatency: 10_000 },
    settings: { ...PLAIN_SETTINGS, taskTimeoutMs: STALL_ENDS_AFTER_MS },
    archive: { ...PLAIN_ARCHIVE, memory: queue === "apart" ? PLAIN_ARCHIVE.memory : "none" },
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

/** Sites that the base story never comes to, whatever fails. */
const OUT_OF_REACH: ReadonlySet<Site> = new Set([
  "platform.createExportTask",
  "store.confirmStored",
  "queue.depth",
  "queue.listDeadLetters",
  "queue.redrive",
] as const);

/** A queue in the store is called by the calls of the store; one apart leaves its removals out. */
function isInReach({ queue }: Setting, { site }: FaultRow): boolean {
  const isOfQueueApart = site.startsWith("queue.") || site.startsWith("memory.");
  const isElsewhere = queue === "apart" ? site === "store.removeObject" : isOfQueueApart;
  return !(OUT_OF_REACH.has(site) || isElsewhere);
}

/** The rows that singles are made of: one of each behaviour. */
export function singleRows(setting: Setting): readonly FaultRow[] {
  return DISTINCT_FAULTS.filter((row) => isInReach(setting, row));
}

/** The rows that pairs are made of: one of each reaction of policy. */
export function pairRows(setting: Setting): readonly FaultRow[] {
  return REACTION_ROWS.filter((row) => isInReach(setting, row));
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
