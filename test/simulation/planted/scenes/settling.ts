import { platformError } from "../../../world/port-errors.ts";
import type { Scene } from "../scene.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS, Stage } from "../stage.ts";

const FOREVER = Number.POSITIVE_INFINITY;

/** Deaths and delays at the moment a message is settled. */
export const SETTLING_SCENES: readonly Scene[] = [
  {
    name: "the process dies before it sends the message again",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.task();
      const error = platformError("platform-unreachable");
      stage.world.faults.plant(
        { site: "platform.showExportTask", form: "not-done", error },
        { site: "queue.send", form: "crash", when: "before" },
      );
      await stage.run();
      await stage.wait(3 * MINUTE_MS);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "the process dies before it sends the dead letter",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.world.platform.addTask({ status: "Failed" });
      stage.expectEnd(id, "dead-letter:export-failed");
      stage.send({ exportTaskId: id, requestedAtMs: stage.world.clock.wallMs() });
      stage.world.faults.plant({ site: "queue.deadLetter", form: "crash", when: "before" });
      await stage.run();
      await stage.wait(3 * MINUTE_MS);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "the process dies with a message in hand",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.tasks(2);
      stage.world.faults.plant({ site: "platform.showExportTask", form: "crash", when: "before" });
      await stage.run();
      await stage.wait(3 * MINUTE_MS);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "a message that is due in four hours",
    async play(seed) {
      const stage = new Stage({ seed }, { maxReceives: 4 });
      const id = stage.world.platform.addTask();
      stage.expectEnd(id, "archived");
      stage.send({ exportTaskId: id, notBeforeMs: stage.world.clock.wallMs() + 4 * HOUR_MS });
      await stage.runOn(24);
      return stage;
    },
  },
  {
    name: "a file that kills every runner",
    async play(seed) {
      const stage = new Stage({ seed }, { maxReceives: 4 });
      stage.tasks(2);
      const killer = stage.task("dead-letter:crash-loop");
      stage.world.faults.plant({
        site: "platform.showExportTask",
        match: ({ subject }) => subject === killer,
        times: FOREVER,
        form: "crash",
        when: "before",
      });
      await stage.runOn(24);
      return stage;
    },
  },
  {
    name: "a body that stalls to the end of the run",
    async play(seed) {
      const stage = new Stage({ seed }, { taskTimeoutMs: 14 * MINUTE_MS });
      stage.task();
      stage.world.faults.plant({ site: "platform.body", form: "stall" });
      await stage.runOn(6);
      return stage;
    },
  },
  {
    name: "a body that never ends",
    async play(seed) {
      const stage = new Stage({ seed }, { maxAttempts: 3, giveUpAfterMs: HOUR_MS });
      const endless = stage.task("dead-letter:too-large-for-run");
      stage.world.faults.plant({
        site: "platform.body",
        match: ({ subject }) => subject === endless,
        times: FOREVER,
        form: "stall",
      });
      await stage.runOn(24);
      return stage;
    },
  },
  {
    name: "every call of settling is slow",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.tasks(3);
      for (const site of ["queue.send", "queue.acknowledge", "store.abortUploadsUnder"] as const) {
        stage.world.faults.plant({ site, times: 5, form: "slow", extraMs: 4 * SECOND_MS });
      }
      await stage.runOn(6);
      return stage;
    },
  },
];
