import { exportFile } from "../../../world/export-file.ts";
import type { Scene } from "../scene.ts";
import { HOUR_MS, MINUTE_MS, Stage } from "../stage.ts";

const LATE_ID = "5f2d9c3a0000000000000abc";

/** A message that is ahead of its task: no list shows it for a while. */
function lateTask(name: string, lateMs: number, others: number): Scene {
  return {
    name,
    async play(seed) {
      const stage = new Stage({ seed });
      for (let other = 1; other <= others; other += 1) {
        stage.world.platform.addTask();
      }
      stage.send({ exportTaskId: LATE_ID });
      stage.expectEnd(LATE_ID, "archived");
      await stage.run();
      await stage.wait(lateMs / 2);
      await stage.run();
      await stage.wait(lateMs / 2);
      stage.world.platform.addTask({ exportTaskId: LATE_ID });
      await stage.runOn(6);
      return stage;
    },
  };
}

/** What lists and records may say of a task. */
export const INSPECTION_SCENES: readonly Scene[] = [
  lateTask("a task appears after its message", 2_000, 1),
  lateTask("a task appears after its message, on an empty platform", 3 * HOUR_MS, 0),
  {
    name: "six tasks",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.tasks(6);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "six tasks that are kept",
    async play(seed) {
      const stage = new Stage({ seed }, { deletion: "never" });
      for (let task = 1; task <= 6; task += 1) {
        stage.task("kept");
      }
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "a second revision is evicted before it is archived",
    async play(seed) {
      const stage = new Stage({ seed }, { deletion: "never" });
      stage.world.platform.addTask();
      const id = stage.task("dead-letter:source-gone");
      await stage.run();
      await stage.wait(MINUTE_MS);
      stage.world.platform.overwriteTask(id, exportFile(970));
      const requestedAtMs = stage.world.clock.wallMs();
      stage.send({ exportTaskId: id, revision: stage.revision(id), requestedAtMs });
      stage.world.platform.removeTask(id);
      await stage.runOn(6);
      return stage;
    },
  },
  {
    name: "a dead letter is moved back",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.tasks(2);
      const bytes = Buffer.from("<no zip at all>");
      const ill = stage.task();
      stage.world.faults.plant({
        site: "platform.body",
        match: ({ subject }) => subject === ill,
        times: Number.POSITIVE_INFINITY,
        form: "body",
        damage: { kind: "replace", bytes },
      });
      await stage.runOn(20);
      stage.world.faults.clear();
      stage.world.queue.redrive("all");
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "an export never finishes",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.task("dead-letter:never-finished", { status: "Processing", processingMs: 1_000 * HOUR_MS });
      await stage.runOn(12, 6 * HOUR_MS);
      return stage;
    },
  },
];
