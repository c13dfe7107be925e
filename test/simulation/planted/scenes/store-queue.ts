import { PACING_STATE_KEY } from "../../../../lib/domain/key-layout.ts";
import { RUN_LEASE_KEY } from "../../../../lib/domain/queue-layout.ts";
import { platformError } from "../../../world/port-errors.ts";
import type { Scene } from "../scene.ts";
import { MINUTE_MS, SECOND_MS, Stage } from "../stage.ts";

/** A queue in the store, claimed by compare-and-swap or under the run lease. */
function stageOf(seed: number, canSwap: boolean, settings = {}): Stage {
  const store = { createOnce: canSwap, compareAndSwap: canSwap };
  return new Stage({ seed, store, queue: { inStore: true } }, settings, { memory: "never" });
}

/** Deaths and runners beside each other, with the queue in the store. */
export const STORE_QUEUE_SCENES: readonly Scene[] = [
  {
    name: "the process dies before it writes the successor of a stored message",
    async play(seed) {
      const stage = stageOf(seed, true);
      stage.task();
      const error = platformError("platform-unreachable");
      stage.world.faults.plant(
        { site: "platform.showExportTask", form: "not-done", error },
        {
          site: "store.putDocument",
          // The claim is written under the name that the message has.
          match: ({ subject }) => subject.startsWith("queue/messages/") && !subject.includes("planted"),
          form: "crash",
          when: "before",
        },
      );
      await stage.run();
      await stage.wait(3 * MINUTE_MS);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "the process dies with a stored message in hand",
    async play(seed) {
      const stage = stageOf(seed, false);
      stage.tasks(2);
      stage.world.faults.plant({ site: "platform.showExportTask", form: "crash", when: "before" });
      await stage.run();
      await stage.wait(3 * MINUTE_MS);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "a file that kills every runner, with its message in the store",
    async play(seed) {
      const stage = stageOf(seed, true, { maxReceives: 4 });
      const killer = stage.task("dead-letter:crash-loop");
      stage.world.faults.plant({
        site: "platform.showExportTask",
        match: ({ subject }) => subject === killer,
        times: Number.POSITIVE_INFINITY,
        form: "crash",
        when: "before",
      });
      await stage.runOn(24);
      return stage;
    },
  },
  {
    name: "three runners at once on a queue in a store that cannot swap",
    async play(seed) {
      const stage = stageOf(seed, false);
      stage.tasks(6);
      stage.world.faults.plant(
        // The others see it free until it arrives.
        {
          site: "store.putDocument",
          match: ({ subject }) => subject === RUN_LEASE_KEY,
          form: "slow",
          extraMs: 0.5 * SECOND_MS,
        },
        // Who else takes a slot meanwhile takes the same one.
        {
          site: "store.putDocument",
          match: ({ subject }) => subject === PACING_STATE_KEY,
          times: Number.POSITIVE_INFINITY,
          form: "slow",
          extraMs: 2 * SECOND_MS,
        },
      );
      await stage.runTogether([{}, {}, {}], 4);
      return stage;
    },
  },
];
