import { expect, test } from "vitest";
import { verifyDue } from "../../lib/catalogue/verify-due.ts";
import { catalogueFolder } from "../../lib/domain/key-layout.ts";
import { storeError } from "../world/port-errors.ts";
import { InventoryScene } from "./inventory-scene.ts";
import { DAY_MS } from "./retention-scene.ts";

/** Reads what is due, in a process of its own. */
async function due(scene: InventoryScene) {
  const ending = await scene.start((ports) =>
    verifyDue({ ...ports, observe: () => undefined }, scene.inventorySettings, scene.unaborted),
  );
  if (ending.kind === "crashed") {
    throw new Error(`verify crashed at ${ending.at.site}`);
  }
  return ending.value;
}

/** Two copies that are due soon, and their catalogue. */
async function sceneWithCatalogue(): Promise<InventoryScene> {
  const scene = new InventoryScene();
  for (const exportTaskId of ["task-1", "task-2"]) {
    scene.plant({ exportTaskId, archivedAtMs: scene.startedAtMs - 89 * DAY_MS });
  }
  await scene.inventory();
  scene.verifyWithinDays = 90;
  return scene;
}

test("what is due is read by the catalogue: nothing below records/ and exports/ is listed", async () => {
  const scene = await sceneWithCatalogue();
  const before = scene.world.effects.at("store.list").length;
  const report = await due(scene);
  expect(report).toMatchObject({ stopReason: "done", damage: [], verification: { checked: 2, intact: 2 } });
  const listed = scene.world.effects.at("store.list").slice(before);
  expect(listed.filter(({ subject }) => /^(?:records|exports)\/[^/]+\/[^/]+\/$/.test(subject))).toEqual([]);
  expect(listed.map(({ subject }) => subject)).toContain(catalogueFolder(scene.world.scope));
});

test("a catalogue that is missing or older than 26 hours is not relied on", async () => {
  const scene = await sceneWithCatalogue();
  await scene.wait(27 * 3_600_000);
  expect(await due(scene)).toBeUndefined();
  const empty = new InventoryScene();
  empty.verifyWithinDays = 90;
  expect(await due(empty)).toBeUndefined();
});

test("a copy that changed is said", async () => {
  const scene = await sceneWithCatalogue();
  const keys = [...scene.world.store.entries.keys()].filter((key) => key.startsWith("exports/"));
  const [changed = ""] = keys;
  scene.world.store.rotObject(changed);
  const report = await due(scene);
  expect(report?.damage).toMatchObject([{ key: changed, kind: "changed" }]);
  expect(report?.verification).toMatchObject({ checked: 2, intact: 1, damaged: 1 });
});

test("a failure of the system is in the report, and nothing is called damaged for it", async () => {
  const scene = await sceneWithCatalogue();
  scene.world.faults.plant({
    site: "store.getDocument",
    match: ({ subject }) => subject.startsWith("verification/"),
    form: "not-done",
    error: storeError("store-unavailable"),
  });
  expect(await due(scene)).toMatchObject({
    stopReason: "system-failure",
    failure: { code: "store-unavailable" },
    damage: [],
  });
});
