import { expect, test } from "vitest";
import type { Fault, Site } from "../world/faults.ts";
import { platformError, storeError } from "../world/port-errors.ts";
import { checkInvariants } from "../world/world.ts";
import { startProbe } from "./probe-scene.ts";
import { HOUR_MS, MINUTE_MS, RequestsScene } from "./requests-scene.ts";

// One fault at each of the first calls of a probe. Whatever comes of it: no export is lost, overwritten or deleted, the pace
// is kept, and runs archive everything afterwards.

const LATEST_CALL = 10;
const SITES: readonly Site[] = [
  "platform.listExportTasks",
  "platform.showExportTask",
  "platform.createExportTask",
  "store.preflight",
  "store.readClockMs",
  "store.getDocument",
  "store.putDocument",
  "store.list",
  "store.head",
];
const FORMS = ["not-done", "done-answer-lost", "stall", "before", "after"] as const;

function faultOf(site: Site, form: (typeof FORMS)[number]): Fault {
  switch (form) {
    case "not-done":
    case "done-answer-lost": {
      const isPlatform = site.startsWith("platform.");
      return {
        form,
        error: isPlatform ? platformError("platform-unreachable") : storeError("store-unavailable"),
      };
    }
    case "stall":
      return { form };
    case "before":
    case "after":
      return { form: "crash", when: form };
  }
}

test.each(SITES.flatMap((site) => FORMS.map((form) => [site, form] as const)))(
  "a fault at %s (%s) does no harm",
  async (site, form) => {
    for (let occurrence = 1; occurrence <= LATEST_CALL; occurrence += 1) {
      const scene = new RequestsScene({ seed: occurrence });
      const { world } = scene;
      const addTask = (batchTaskId: string) =>
        world.platform.addTask({ resourceCondition: { task_id: batchTaskId } });
      addTask("b1");
      await scene.discover({ settings: { deletion: "never" } });
      await scene.archive({ deletion: "never" });
      const others = ["b2", "b3"].map(addTask);
      await scene.wait(MINUTE_MS);
      let calls = 0;
      world.faults.plant({
        ...faultOf(site, form),
        site,
        match: (call) => {
          calls += call.runner === "probe" ? 1 : 0;
          return call.runner === "probe" && calls === occurrence;
        },
      });
      // A refusal, a system failure, a death and a sheet are all good ends.
      await world.run(() => startProbe(world, { batchTaskId: "b1" }).catch(() => undefined));
      expect(world.faults.hits.length).toBeGreaterThanOrEqual(occurrence === 1 ? 1 : 0);
      expect(scene.createsOf("b1")).toBeLessThanOrEqual(1);
      expect(world.platform.list().map(({ task }) => task.exportTaskId)).toEqual(
        expect.arrayContaining(others),
      );
      for (let round = 1; round <= 6 && world.platform.list().length > 0; round += 1) {
        await scene.wait(7 * HOUR_MS);
        await scene.discover();
        await scene.archive();
      }
      expect(world.platform.list()).toEqual([]);
      expect(scene.watch.violations).toEqual([]);
      checkInvariants(world);
    }
  },
);
