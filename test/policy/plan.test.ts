import { expect, test } from "vitest";
import { exportFolder, exportObjectKey } from "../../lib/domain/key-layout.ts";
import { makePlan } from "../../lib/plan/make-plan.ts";
import { PlannedWork } from "../../lib/plan/planned-work.ts";
import { settingsOf } from "../world/archive-run.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { exportFile } from "../world/export-file.ts";
import { onlyEntry, Scene } from "./scene.ts";

/** What a run may do now: a plan of this moment. */
async function planned(scene: Scene): Promise<PlannedWork> {
  const { platform, store, clock } = scene.world.startRunner("plan");
  const ports = { platform, store, clock, nextTurn: () => scene.world.clock.sleep(0) };
  const told = { abilities: store.assume(), triedOut: true };
  return new PlannedWork(
    await scene.world.run(() => makePlan(ports, settingsOf(scene.world), told, ALWAYS.signal)),
  );
}

async function expectLeft(scene: Scene, permission: PlannedWork): Promise<void> {
  const downloads = scene.count("platform.showExportTask");
  expect(onlyEntry(await scene.run({ permission }))).toMatchObject({
    outcome: "postponed",
    reason: "not-in-plan",
  });
  expect(scene.count("platform.showExportTask")).toBe(downloads);
  expect(scene.count("platform.deleteExportTask")).toBe(0);
}

test("a plan that deletes allows no new copy in the place of one that is gone", async () => {
  const scene = new Scene();
  const id = scene.addTask();
  await scene.run({ settings: { deletion: "never" } });
  const permission = await planned(scene);
  for (const key of scene.objects(id)) {
    scene.world.store.removeObject(key);
  }
  scene.send({ exportTaskId: id });
  await expectLeft(scene, permission);
});

test("a plan that leaves an export alone allows no adoption of a copy without a record", async () => {
  const scene = new Scene();
  const id = scene.addTask({ status: "Paused" });
  const permission = await planned(scene);
  scene.world.platform.changeStatus(id, "Success");
  const [listed] = scene.world.platform.list();
  if (listed === undefined) {
    throw new Error("the platform lists nothing");
  }
  const key = exportObjectKey(exportFolder(scene.world.scope, listed.task), listed.revision, "abcdef");
  scene.world.store.plantObject(key, exportFile(1).bytes);
  await expectLeft(scene, permission);
  expect(scene.recordNames(id)).toEqual([]);
});
