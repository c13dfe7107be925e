import { throttledError } from "../../../world/port-errors.ts";
import type { Scene } from "../scene.ts";
import { MINUTE_MS, Stage } from "../stage.ts";

const STATE = "state/pacing.json";

/** Two runners that begin at the same moment. */
function together(
  name: string,
  plan: (stage: Stage) => void,
  { skewMs = 0, capable = true, tasks = 6, connectLatency = { minMs: 10, maxMs: 60 } } = {},
): Scene {
  return {
    name,
    async play(seed) {
      const store = { createOnce: capable, compareAndSwap: capable };
      const stage = new Stage({ seed, store, platform: { connectLatency } });
      stage.tasks(tasks);
      plan(stage);
      await stage.runTogether([{ runner: { skewMs } }, { runner: { skewMs: -skewMs } }], 8);
      return stage;
    },
  };
}

/** What may go wrong with the pace. */
export const PACING_SCENES: readonly Scene[] = [
  together("two runners", () => undefined),
  together("two runners whose clocks differ by four minutes", () => undefined, {
    skewMs: 2 * MINUTE_MS,
    tasks: 24,
  }),
  together("two runners without compare-and-swap", () => undefined, { capable: false }),
  together("two runners whose connections come late now and then", () => undefined, {
    connectLatency: { minMs: 1_000, maxMs: 4_000 },
  }),
  together("two runners whose connections are always late", () => undefined, {
    tasks: 24,
    connectLatency: { minMs: 2_600, maxMs: 9_000 },
  }),
  {
    name: "a runner whose connections come late",
    async play(seed) {
      const stage = new Stage({ seed, platform: { connectLatency: { minMs: 2_000, maxMs: 4_000 } } });
      stage.tasks(6);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "the only runner is late for every slot",
    async play(seed) {
      const stage = new Stage({ seed, platform: { connectLatency: { minMs: 2_600, maxMs: 9_000 } } });
      stage.tasks(6);
      await stage.runOn(4);
      // The world refuses a request that its own slot did not let through.
      if (stage.world.effects.at("platform.showExportTask").some(({ outcome }) => outcome === "refused")) {
        stage.note("I4: the only runner lost a slot, which only itself can have taken");
      }
      return stage;
    },
  },
  together("two runners, one of them throttled", ({ world }) => {
    const error = throttledError("IOTDA.021101");
    world.faults.plant({ site: "platform.showExportTask", occurrence: 2, form: "done-answer-lost", error });
  }),
  {
    name: "a runner is throttled while its other task waits",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.tasks(4);
      const error = throttledError("IOTDA.021101");
      stage.world.faults.plant({ site: "platform.showExportTask", form: "done-answer-lost", error });
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "a request that comes four seconds late",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.tasks(4);
      stage.world.faults.plant({
        site: "platform.showExportTask",
        occurrence: 2,
        form: "slow",
        extraMs: 4_000,
      });
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "a late request whose extension the store answers late",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.tasks(4);
      stage.world.faults.plant(
        { site: "platform.showExportTask", occurrence: 2, form: "slow", extraMs: 4_000 },
        {
          site: "store.putDocument",
          match: ({ subject }) => subject === STATE,
          // After the first write of the run and two claims.
          occurrence: 4,
          form: "slow",
          extraMs: 5_000,
        },
      );
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "the pacing state is removed during a run",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.tasks(4);
      stage.world.faults.plant({
        site: "store.getDocument",
        match: ({ subject }) => subject === STATE,
        occurrence: 3,
        form: "race",
        act: () => stage.world.store.removeObject(STATE),
      });
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "the pacing state is damaged between two runs",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.task();
      await stage.run();
      stage.world.store.plantObject(STATE, Buffer.from("{"));
      stage.task();
      await stage.runOn(4);
      return stage;
    },
  },
];
