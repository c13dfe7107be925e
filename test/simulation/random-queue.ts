import { SeededRandom } from "../world/seeded-random.ts";
import { FAULT_TABLE } from "./fault-table.ts";
import type { Story, StoryFault } from "./story.ts";

const SHARE_IN_STORE = 0.15;
/** Faults of the one site that nothing but a queue in the store calls. */
const REMOVALS = FAULT_TABLE.filter(({ site }) => site === "store.removeObject");

/**
 * Draws whether the queue of a story lies in the store, and faults of its own then. Has randomness of its own: what else
 * a seed draws stays as it was.
 */
export function drawQueue(seed: number, told: Story): Story {
  const random = new SeededRandom(seed).fork("queue in the store");
  if (random.fraction() >= SHARE_IN_STORE) {
    return told;
  }
  const isElsewhere =
    told.happenings.some(({ kind }) => kind === "swap") ||
    told.runners.some(({ place }) => place !== undefined);
  const faults = random.fraction() < 0.4 ? [removalFault(random)] : [];
  return {
    ...told,
    queue: { ...told.queue, inStore: true },
    // Nothing beside the store remembers the archive: only settings tell another one from it.
    archive: { ...told.archive, memory: "none", isSet: told.archive.isSet || isElsewhere },
    faults: [...told.faults, ...faults],
  };
}

function removalFault(random: SeededRandom): StoryFault {
  const row = REMOVALS[random.integer(0, REMOVALS.length - 1)];
  if (row === undefined) {
    throw new RangeError("the fault table has no row for removals");
  }
  return {
    ...{ kind: "call", fault: row.name, forever: false },
    ...{ occurrence: random.integer(1, 6), times: random.integer(1, 3) },
  };
}
