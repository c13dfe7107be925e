import { expect, test } from "vitest";
import { catalogueKey, inventoryStateKey, recordsRoot, runReportKey } from "../../lib/domain/key-layout.ts";
import { readInventoryState } from "../../lib/records/inventory-state.ts";
import { emptyCounts, type RunReport } from "../../lib/records/run-report.ts";
import { type LinesWanted, linesOfNight } from "../../lib/report/night-lines.ts";
import { InventoryScene } from "./inventory-scene.ts";
import { DAY_MS } from "./retention-scene.ts";

let readers = 0;

/** The lines of the night that ends now, and the exports whose records were read for them. */
async function linesIn(scene: InventoryScene, changes: Partial<LinesWanted> = {}) {
  readers += 1;
  const { store } = scene.world.startRunner(`report-${readers}`);
  const nowMs = scene.world.clock.wallMs();
  const wanted = {
    sinceMs: nowMs - DAY_MS,
    fromMs: nowMs - DAY_MS,
    madeAtMs: nowMs,
    worked: new Set<string>(),
  };
  const before = scene.world.effects.at("store.getDocument").length;
  const lines = await scene.world.run(async () => {
    const inventory = await readInventoryState(store, scene.world.scope, scene.unaborted);
    return await linesOfNight(
      store,
      scene.world.scope,
      { ...wanted, ...changes },
      inventory,
      scene.unaborted,
    );
  });
  const root = recordsRoot(scene.world.scope);
  const read = scene.world.effects
    .at("store.getDocument")
    .slice(before)
    .flatMap(({ subject }) =>
      subject.startsWith(root) ? (subject.slice(root.length).split("/")[0] ?? []) : [],
    );
  return { lines, ids: lines.map(({ exportTaskId }) => exportTaskId), read: [...new Set(read)] };
}

/** The report of a run that ended now and archived or deleted these. */
function plantReport(scene: InventoryScene, ids: readonly string[]): void {
  const nowMs = scene.world.clock.wallMs();
  const report: RunReport = {
    runId: `run-${ids.join("-")}`,
    startedAt: new Date(nowMs).toISOString(),
    endedAt: new Date(nowMs).toISOString(),
    stopReason: "drained",
    counts: { ...emptyCounts(), archived: ids.length },
    bytes: 0,
    pacing: "shared",
    tasks: ids.map((exportTaskId) => ({ exportTaskId, outcome: "archived-deleted", durationMs: 1 })),
    platform: { limit: 50 },
  };
  scene.world.store.plantObject(runReportKey(nowMs, report.runId), Buffer.from(JSON.stringify(report)));
}

/** Exports of ten weeks and of tonight; no inventory was made. */
function sceneOf(): InventoryScene {
  const scene = new InventoryScene();
  for (let week = 1; week <= 10; week += 1) {
    scene.plant({ exportTaskId: `week-${week}`, archivedAtMs: scene.startedAtMs - week * 7 * DAY_MS });
  }
  scene.plant({ exportTaskId: "tonight" });
  plantReport(scene, ["tonight"]);
  return scene;
}

test("without a catalogue the records of those are read that runs name, and of no other", async () => {
  const { ids, read } = await linesIn(sceneOf());
  expect(ids).toEqual(["tonight"]);
  expect(read).toEqual(["tonight"]);
});

test("with a catalogue it has what was archived before, and the records what came since", async () => {
  const scene = sceneOf();
  await scene.wait(1);
  await scene.inventory();
  await scene.wait(2 * DAY_MS);
  scene.plant({ exportTaskId: "later", archivedAtMs: scene.world.clock.wallMs() });
  plantReport(scene, ["later"]);
  const sinceMs = scene.world.clock.wallMs() - 31 * DAY_MS;
  const { ids, read } = await linesIn(scene, { sinceMs });
  expect(ids).toEqual(["week-4", "week-3", "week-2", "week-1", "tonight", "later"]);
  expect(read).toEqual(["later"]);
});

test("where the catalogue is not whole, run reports make up for it as far as they go", async () => {
  const scene = sceneOf();
  await scene.wait(1);
  await scene.inventory();
  await scene.wait(2 * DAY_MS);
  const sinceMs = scene.world.clock.wallMs() - 10 * DAY_MS;
  const { startedAtMs } = scene;
  const month = new Date(startedAtMs).toISOString().slice(0, 7);
  scene.world.store.plantObject(catalogueKey(scene.world.scope, month), Buffer.from("{\n"));
  expect((await linesIn(scene, { sinceMs })).ids).toEqual(["tonight"]);
  scene.world.store.removeObject(inventoryStateKey(scene.world.scope));
  expect((await linesIn(scene, { sinceMs })).ids).toEqual(["tonight"]);
});

test("an export of long ago that a run of the night deleted is among them", async () => {
  const scene = sceneOf();
  await scene.inventory();
  plantReport(scene, ["week-9"]);
  expect((await linesIn(scene)).ids).toEqual(["tonight"]);
  expect((await linesIn(scene, { worked: new Set(["week-9"]) })).ids).toEqual(["week-9", "tonight"]);
});

test("the lines are as they were known when the report was made", async () => {
  const scene = new InventoryScene();
  const { startedAtMs } = scene;
  scene.plant({ exportTaskId: "kept-then", deletedAtMs: startedAtMs + DAY_MS });
  scene.plant({ exportTaskId: "later", archivedAtMs: startedAtMs + DAY_MS });
  plantReport(scene, ["kept-then"]);
  await scene.wait(2 * DAY_MS);
  await scene.inventory();
  const { lines } = await linesIn(scene, {
    sinceMs: startedAtMs - DAY_MS,
    fromMs: startedAtMs - DAY_MS,
    madeAtMs: startedAtMs + 1,
  });
  expect(lines).toMatchObject([{ exportTaskId: "kept-then" }]);
  expect(lines[0]).not.toHaveProperty("deletedAt");
  expect(lines[0]).not.toHaveProperty("recordsTag");
});
