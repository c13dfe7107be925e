import { describe, expect, test } from "vitest";
import type { Fault, Site } from "../world/faults.ts";
import { storeError } from "../world/port-errors.ts";
import { InventoryScene } from "./inventory-scene.ts";
import { DAY_MS } from "./retention-scene.ts";

const MAX_CALLS = 400;
const SITES: readonly Site[] = [
  "store.preflight",
  "store.list",
  "store.getDocument",
  "store.putDocument",
  "store.head",
  "store.readClockMs",
];

const error = storeError("store-unavailable");
const FORMS: readonly (readonly [string, Fault])[] = [
  ["dies before", { form: "crash", when: "before" }],
  ["dies after", { form: "crash", when: "after" }],
  ["fails at", { form: "not-done", error }],
  ["loses the answer of", { form: "done-answer-lost", error }],
];

/** An archive with something of everything that an inventory tells apart. */
async function archiveWithHistory(): Promise<InventoryScene> {
  const scene = new InventoryScene();
  for (let index = 0; index < 20; index += 1) {
    const archivedAtMs = scene.startedAtMs - index * 3 * DAY_MS;
    const deletedAtMs = index % 3 === 0 ? undefined : archivedAtMs;
    scene.plant({ exportTaskId: `task-${index}`, archivedAtMs, deletedAtMs });
  }
  scene.hold("task-3");
  await scene.inventory();
  scene.plant({ exportTaskId: "new" });
  const [key = ""] = [...scene.world.store.entries.keys()].filter((name) => name.includes("/task-5/"));
  scene.world.store.plantObject(key.replace("0a1b2c", "ffffff"), Buffer.from("orphan"));
  scene.world.store.removeObject(key);
  await scene.wait(2 * DAY_MS);
  return scene;
}

describe.each(FORMS)("an inventory that %s any one call", (_name, fault) => {
  test("writes nothing wrong, and the next one finds everything", { timeout: 300_000 }, async () => {
    for (let n = 1; n < MAX_CALLS; n += 1) {
      const scene = await archiveWithHistory();
      let calls = 0;
      const match = () => {
        calls += 1;
        return calls === n;
      };
      for (const site of SITES) {
        scene.world.faults.plant({ site, match, ...fault });
      }
      const ending = await scene.startInventory();
      if (ending.kind === "finished" && ending.value.stopReason === "system-failure") {
        expect(ending.value).toMatchObject({
          damage: [],
          orphans: [],
          failure: { code: "store-unavailable" },
        });
      }
      scene.world.faults.clear();
      const report = await scene.inventory();
      expect(report.damage).toMatchObject([{ kind: "missing", exportTaskId: "task-5" }]);
      expect(report.orphans).toMatchObject([{ exportTaskId: "task-5" }]);
      expect(scene.linesWithoutTags).toEqual(await scene.fullReading());
      if (calls < n) {
        return;
      }
    }
    expect.fail(`an inventory makes more than ${MAX_CALLS} calls`);
  });
});
