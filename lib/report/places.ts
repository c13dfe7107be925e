import { compact } from "../domain/compact.ts";
import { oldestFirst, revisionOf } from "../domain/export-task.ts";
import { PLACES_LIMIT } from "../run/platform-list.ts";
import { forecastSlots } from "./forecast.ts";
import type { Places } from "./night.ts";
import { inOrder, nameOf } from "./night-exports.ts";
import type { NightFacts } from "./night-facts.ts";

/** The slots as they were last seen, and what is in danger in them. */
export interface SlotsInUse {
  readonly held?: number;
  readonly seenAtMs?: number;
  readonly archived?: number;
  /** The oldest finished export without a copy. */
  readonly oldestUnarchived?: string;
  readonly lossFromMs?: number;
}

/**
 * The slots by the platform's list, or else by the last run that saw one.
 *
 * @param madePerNight how many exports were made in each of the last nights that are known, this one included.
 */
export function slotsInUse(
  facts: NightFacts,
  madePerNight: readonly number[],
): { readonly places: Places; readonly slots: SlotsInUse } {
  const seen = facts.platform === undefined ? seenByRuns(facts) : seenInList(facts.platform);
  const { held, older, ...slots } = seen;
  const forecast =
    held === undefined
      ? {}
      : forecastSlots(
          { held, limit: PLACES_LIMIT, olderThanUnarchived: older, nowMs: slots.seenAtMs ?? facts.madeAtMs },
          madePerNight,
        );
  const { lossFromMs, fullInDays } = forecast;
  const isoOf = (epochMs: number | undefined) =>
    epochMs === undefined ? undefined : new Date(epochMs).toISOString();
  return {
    places: {
      limit: PLACES_LIMIT,
      ...compact({
        held,
        seenAt: isoOf(slots.seenAtMs),
        archived: slots.archived,
        fullInDays,
        lossFrom: isoOf(lossFromMs),
      }),
    },
    slots: { ...slots, ...compact({ held, lossFromMs }) },
  };
}

interface Seen extends SlotsInUse {
  /** How many exports the platform destroys before the oldest finished one without a copy. */
  readonly older?: number;
}

/** What the platform's list shows of the slots. */
export function seenInList({ tasks, oddItems, archived }: NonNullable<NightFacts["platform"]>): Seen {
  // The list has its own order, which counts where times are equal; here the id does.
  const byId = [...tasks].sort((a, b) => (a.exportTaskId < b.exportTaskId ? 1 : -1));
  const inOrderOfLoss = oldestFirst(byId);
  const hasCopy = (task: (typeof tasks)[number]) =>
    archived.has(nameOf({ exportTaskId: task.exportTaskId, revision: revisionOf(task) }));
  const index = inOrderOfLoss.findIndex((task) => task.status === "Success" && !hasCopy(task));
  const oldest = inOrderOfLoss[index];
  return {
    held: tasks.length + oddItems,
    archived: tasks.filter((task) => task.status === "Success" && hasCopy(task)).length,
    ...compact({
      oldestUnarchived: oldest?.exportTaskId,
      older: oldest === undefined ? undefined : index,
    }),
  };
}

/** A run names the oldest one without a copy, and not how many are older: it counts as the next to be destroyed. */
function seenByRuns({ runs, madeAtMs }: NightFacts): Seen {
  const last = inOrder(runs)
    .filter(({ endedAt, platform }) => platform.held !== undefined && Date.parse(endedAt) <= madeAtMs)
    .at(-1);
  if (last === undefined) {
    return {};
  }
  const { held, seenAt = last.endedAt, oldestUnarchived } = last.platform;
  return {
    seenAtMs: Date.parse(seenAt),
    ...compact({
      held,
      oldestUnarchived: oldestUnarchived?.exportTaskId,
      older: oldestUnarchived === undefined ? undefined : 0,
    }),
  };
}
