import { storeError } from "../world/port-errors.ts";
import { InvariantViolation } from "../world/world.ts";
import { retentionSite } from "../world/world-retention.ts";
import { type Estate, estate, finish, LARGER_THAN_ANY_DOCUMENT, lieInCatalogue } from "./retention-estate.ts";
import { DAY_MS, type RetentionScene } from "./retention-scene.ts";

/** What happens before and around the expire run of one night. */
interface Night {
  readonly name: string;
  readonly play: (night: Estate) => Promise<unknown>;
  /** Exports that are due stay this night: something came in between. */
  readonly staysDue?: true;
}

const NIGHTS: readonly Night[] = [
  {
    name: "nothing special",
    async play({ scene, listed }) {
      await scene.wait(1_000);
      await scene.expire();
      requireNotGone(scene, listed);
    },
  },
  {
    name: "the first list lacks a task that the second one shows",
    async play({ scene, listed }) {
      const { platform } = scene.world;
      const list = platform.list.bind(platform);
      platform.list = () => list().filter(({ task }) => task.exportTaskId !== listed);
      const act = () => {
        platform.list = list;
      };
      scene.world.faults.plant({ site: "platform.listExportTasks", occurrence: 2, form: "race", act });
      await scene.wait(1_000);
      await scene.expire();
      requireNotGone(scene, listed);
    },
  },
  {
    name: "the catalogue says of every export that its time is over",
    async play({ scene }) {
      await scene.takeStock();
      lieInCatalogue(scene);
      await scene.wait(1_000);
      await scene.expire();
    },
  },
  {
    name: "this machine's clock is a day ahead",
    play: ({ scene }) => scene.wait(1_000).then(() => scene.expire({ skewMs: DAY_MS })),
  },
  {
    name: "the platform's list is empty",
    staysDue: true,
    async play({ scene }) {
      const { platform } = scene.world;
      const list = platform.list.bind(platform);
      platform.list = () => [];
      await scene.expire();
      platform.list = list;
    },
  },
  {
    name: "the list turns empty before the removal",
    staysDue: true,
    async play({ scene }) {
      const { platform } = scene.world;
      const list = platform.list.bind(platform);
      const act = () => {
        platform.list = () => [];
      };
      scene.world.faults.plant({ site: "platform.listExportTasks", occurrence: 3, form: "race", act });
      await scene.expire();
      platform.list = list;
    },
  },
  {
    name: "somebody deletes a task between two lists",
    async play({ scene, listed }) {
      const act = () => scene.world.platform.removeTask(listed);
      scene.world.faults.plant({ site: "platform.listExportTasks", occurrence: 3, form: "race", act });
      await scene.wait(1_000);
      await scene.expire();
    },
  },
  {
    name: "the removal fails, and then everything is held",
    staysDue: true,
    async play({ scene }) {
      const times = Number.POSITIVE_INFINITY;
      const error = storeError("store-unavailable");
      scene.world.faults.plant({
        site: retentionSite("store.removeVersion"),
        form: "not-done",
        error,
        times,
      });
      await scene.expire();
      scene.world.faults.clear();
      scene.hold("*");
      await scene.wait(1_000);
      await scene.expire();
    },
  },
  {
    name: "holds come after the run has read them",
    staysDue: true,
    async play({ scene }) {
      const act = () => {
        scene.world.store.plantObject("holds/due-1.json", LARGER_THAN_ANY_DOCUMENT);
        scene.hold("due-2*");
      };
      scene.world.faults.plant({ site: "platform.listExportTasks", occurrence: 3, form: "race", act });
      await scene.expire();
    },
  },
  {
    name: "an object is locked while expired.json is written",
    staysDue: true,
    async play({ scene, due }) {
      const act = () => {
        for (const key of due) {
          const untilMs = scene.startedAtMs + DAY_MS;
          scene.retention.lock(key, undefined, { mode: "governance", untilMs });
        }
      };
      const match = ({ subject }: { subject: string }) => subject.endsWith("/expired.json");
      scene.world.faults.plant({ site: "store.putDocument", match, form: "race", act });
      await scene.expire();
    },
  },
];

function requireNotGone(scene: RetentionScene, exportTaskId: string): void {
  if (scene.record(exportTaskId, "deleted") !== undefined) {
    throw new InvariantViolation(`${exportTaskId} is listed, and recorded as gone`);
  }
}

export const SOURCES = ["catalogue", "records"] as const;

/**
 * Plays every night, with a catalogue and without one.
 *
 * @returns each broken promise: what the oracle saw, and what went or stayed against the rules.
 */
export async function playNights(): Promise<readonly string[]> {
  const broken: string[] = [];
  const nights = NIGHTS.flatMap((night) => SOURCES.map((source) => ({ ...night, source })));
  for (const [seed, { name: what, play, staysDue, source }] of nights.entries()) {
    const name = `${what} (${source})`;
    const night = estate(seed + 1, true, source);
    const { scene, due, kept } = night;
    try {
      await play(night);
      const wrong = staysDue === true ? due.filter((key) => !scene.has(key)) : [];
      broken.push(...wrong.map((key) => `${name}: ${key} went`));
      if (staysDue !== true) {
        await finish(scene);
        broken.push(...due.filter((key) => scene.has(key)).map((key) => `${name}: ${key} stayed`));
      }
    } catch (thrown) {
      if (!(thrown instanceof InvariantViolation)) {
        throw thrown;
      }
      broken.push(`${name}: ${thrown.message}`);
    }
    broken.push(...kept.filter((key) => !scene.has(key)).map((key) => `${name}: ${key} went`));
  }
  return broken;
}
