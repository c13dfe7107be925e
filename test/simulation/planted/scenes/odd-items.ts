import type { OddItem } from "../../../../lib/ports/platform.ts";
import { exportFile } from "../../../world/export-file.ts";
import { platformError } from "../../../world/port-errors.ts";
import type { Scene } from "../scene.ts";
import { HOUR_MS, Stage } from "../stage.ts";

const DAY_MS = 24 * HOUR_MS;

const NAMELESS: Omit<OddItem, "index"> = {
  field: "export_count",
  problem: "must be a number",
  id: undefined,
  condition: undefined,
};

/** Lists that hold items which cannot be understood. */
export const ODD_ITEM_SCENES: readonly Scene[] = [
  {
    name: "an odd item of somebody else stands in every list",
    async play(seed) {
      const stage = new Stage({ seed });
      stage.world.platform.oddItems.push({ ...NAMELESS, id: "a.b" });
      stage.tasks(2);
      await stage.runOn(4);
      return stage;
    },
  },
  {
    name: "a task's own item is odd for three days",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task();
      stage.world.platform.distorted.set(id, { ...NAMELESS, id });
      await stage.runOn(3, DAY_MS);
      stage.world.platform.distorted.delete(id);
      await stage.runOn(3, DAY_MS);
      return stage;
    },
  },
  {
    name: "an archived task is listed as an item without an id",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task();
      await stage.run({ settings: { deletion: "never" } });
      stage.world.platform.distorted.set(id, NAMELESS);
      stage.send({ exportTaskId: id });
      await stage.run();
      stage.world.platform.distorted.delete(id);
      await stage.wait(2 * HOUR_MS);
      await stage.runOn(3);
      return stage;
    },
  },
  {
    name: "a delete never arrives, and the next list shows an item without an id",
    async play(seed) {
      const stage = new Stage({ seed });
      const id = stage.task();
      const { faults, platform } = stage.world;
      faults.plant(
        {
          site: "platform.deleteExportTask",
          form: "not-done",
          error: platformError("platform-unreachable"),
        },
        {
          site: "platform.listExportTasks",
          // Preflight, look, before completing, gate: the fifth confirms.
          occurrence: 5,
          form: "race",
          act: () => platform.distorted.set(id, NAMELESS),
        },
      );
      await stage.run();
      platform.distorted.delete(id);
      await stage.wait(2 * HOUR_MS);
      await stage.runOn(3);
      return stage;
    },
  },
  {
    name: "a sibling whose item is odd makes a new file before the gate's list",
    async play(seed) {
      const stage = new Stage({ seed });
      const { faults, platform } = stage.world;
      const resourceCondition = { task_id: "shared" };
      stage.task("archived", { resourceCondition });
      const condition = {
        resourceType: "BatchTask",
        resourceCondition,
        appType: "GLOBAL",
        appId: undefined,
      };
      faults.plant(
        {
          site: "store.putDocument",
          match: ({ subject }) => subject.endsWith("/archived.json"),
          form: "slow",
          extraMs: 10_000,
        },
        {
          site: "platform.listExportTasks",
          // Preflight, look, before completing: the fourth is the gate's.
          occurrence: 4,
          form: "race",
          act: () => {
            const id = stage.task("archived", { resourceCondition, file: exportFile(993) });
            platform.distorted.set(id, { ...NAMELESS, id, condition });
          },
        },
      );
      await stage.run();
      platform.distorted.clear();
      await stage.wait(2 * HOUR_MS);
      await stage.runOn(6);
      return stage;
    },
  },
];
