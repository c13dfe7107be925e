import { STORE_STATE_KEY } from "../../../../lib/domain/key-layout.ts";
import { archiveRun } from "../../../world/archive-run.ts";
import type { ForeignPlace } from "../../../world/places.ts";
import { queueError, storeError } from "../../../world/port-errors.ts";
import type { Scene } from "../scene.ts";
import { MINUTE_MS, Stage, type StageArchive } from "../stage.ts";

/** A store is put in the archive's place before a run, and taken away after it. */
function swapped(name: string, to: ForeignPlace, archive: StageArchive): Scene {
  return {
    name,
    async play(seed) {
      const stage = new Stage({ seed }, {}, archive);
      stage.task();
      stage.world.places.mount(to);
      await stage.run();
      await stage.wait(15 * MINUTE_MS);
      stage.world.places.mount("home");
      await stage.runOn(3);
      return stage;
    },
  };
}

/** What may lie where the archive should be. */
export const IDENTITY_SCENES: readonly Scene[] = [
  swapped("another archive, and the queue remembers", "another", { memory: "home" }),
  swapped("another archive, and the settings name one", "another", { isSet: true, memory: "never" }),
  swapped("another archive, and the queue is new", "another", { isSet: true, memory: "blank" }),
  swapped("an empty store, and the queue remembers", "empty", { memory: "home" }),
  swapped("an empty store, and the settings name one", "empty", { isSet: true, memory: "never" }),
  swapped("an archive from before markers, and the queue remembers", "from-before", { memory: "home" }),
  {
    name: "an empty store, nothing is deleted, and the memory fails",
    async play(seed) {
      const stage = new Stage({ seed }, { deletion: "never" }, { memory: "home" });
      stage.task("kept");
      const { faults, places } = stage.world;
      places.mount("empty");
      faults.plant({
        site: "memory.recall",
        times: 2,
        form: "not-done",
        error: queueError("queue-unavailable"),
      });
      await stage.run();
      await stage.wait(15 * MINUTE_MS);
      places.mount("home");
      await stage.runOn(3);
      return stage;
    },
  },
  {
    name: "no archive was made",
    async play(seed) {
      const stage = new Stage({ seed }, {}, { home: "empty" });
      await stage.run();
      return stage;
    },
  },
  {
    name: "no archive was made, and the store cannot be listed",
    async play(seed) {
      const stage = new Stage({ seed }, {}, { home: "empty" });
      const error = storeError("store-unavailable");
      stage.world.faults.plant({ site: "store.list", times: 20, form: "not-done", error });
      await stage.run();
      return stage;
    },
  },
  {
    name: "the marker cannot be read in the first night",
    async play(seed) {
      const stage = new Stage(
        { seed, store: { createOnce: false, compareAndSwap: false } },
        { deletion: "never" },
      );
      stage.task("kept");
      const error = storeError("store-unavailable");
      stage.world.faults.plant({ site: "store.getDocument", times: 1, form: "not-done", error });
      await stage.runOn(3);
      return stage;
    },
  },
  {
    name: "a program that lives on finds its archive back",
    async play(seed) {
      const stage = new Stage({ seed }, {}, { memory: "home" });
      stage.task();
      const { world } = stage;
      const runner = world.startRunner("warm");
      const store = stage.storeOf(runner);
      const night = () => world.runAlone(runner, () => archiveRun(world, runner, { store }));
      world.places.mount("another");
      await night();
      world.places.mount("home");
      await night();
      return stage;
    },
  },
  {
    name: "two archives on one queue, which remembers one already",
    async play(seed) {
      const stage = new Stage({ seed }, {}, { memory: "home" });
      stage.tasks(4);
      await stage.runTogether([{}, { runner: { place: "another" } }], 4);
      return stage;
    },
  },
  {
    name: "two archives on a new queue at the same moment",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.tasks(4);
      // Which one is first decides; the judge of places knows one home.
      stage.world.faults.plant({
        site: "memory.remember",
        match: ({ runner }) => runner === "run-2",
        form: "slow",
        extraMs: 1_000,
      });
      await stage.runTogether([{}, { runner: { place: "another" } }], 4);
      return stage;
    },
  },
  swappedDuringRun("another store is put in the archive's place during a run", (stage) => {
    stage.task();
  }),
  swappedDuringRun(
    "the same, and an export has failed",
    (stage) => {
      stage.task("dead-letter:export-failed", { status: "Failed" });
    },
    (stage) => {
      if (stage.world.queue.deadLetters.length > 0) {
        stage.note("I10: an export was given up while another store lay in the archive's place");
      }
    },
  ),
];

/** Another store comes right after the archive was opened, and goes after the run. */
function swappedDuringRun(
  name: string,
  plan: (stage: Stage) => void,
  lookAfterRun: (stage: Stage) => void = () => undefined,
): Scene {
  return {
    name,
    async play(seed) {
      const stage = new Stage({ seed }, {}, { memory: "home" });
      plan(stage);
      const { faults, places } = stage.world;
      faults.plant({
        site: "store.getDocument",
        match: ({ subject }) => subject === STORE_STATE_KEY,
        form: "race",
        act: () => places.mount("another"),
      });
      await stage.run();
      lookAfterRun(stage);
      places.mount("home");
      await stage.wait(15 * MINUTE_MS);
      await stage.runOn(3);
      return stage;
    },
  };
}
