import { describe, expect, test } from "vitest";
import type { OddItem } from "../../lib/ports/platform.ts";
import { exportFile } from "../world/export-file.ts";
import { expectKept, HOUR_MS, MINUTE_MS, onlyEntry, Scene } from "./scene.ts";

type Oddness = Omit<OddItem, "index">;

const NAMELESS: Oddness = {
  field: undefined,
  problem: "it is not an object",
  id: undefined,
  condition: undefined,
};
const DOTTED: Oddness = { ...NAMELESS, field: "export_task_id", problem: "is odd", id: "a.b" };

function ownItem(id: string): Oddness {
  return { ...NAMELESS, field: "export_count", problem: "is not a number", id };
}

test.each([
  ["without an id", NAMELESS],
  ["with an id of its own", DOTTED],
])("beside an odd item %s the others are archived, and it is named once", async (_which, item) => {
  const scene = new Scene();
  scene.world.platform.oddItems.push(item);
  const ids = scene.addTasks(2);
  const report = await scene.run();
  expect(report.counts).toMatchObject({ archived: 2 });
  expect(report.platform.held).toBe(1);
  expect(report.leftAlone).toMatchObject({ count: 1, items: [{ kind: "list-item", problem: item.problem }] });
  expect(scene.events.filter(({ kind }) => kind === "left-alone")).toHaveLength(1);
  expect(ids.filter((id) => scene.recordNames(id).includes("archived.json"))).toHaveLength(2);
});

test("after a delete, a list whose odd items are all others proves that the task is gone", async () => {
  const scene = new Scene();
  scene.world.platform.oddItems.push(DOTTED);
  const id = scene.addTask();
  expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "archived-deleted" });
  scene.expectAllDone([id]);
});

test("a list with an item that may be the task proves nothing, until it is gone", async () => {
  const scene = new Scene();
  const id = scene.addTask();
  scene.world.platform.oddItems.push({ ...DOTTED, id: `${id} ` });
  const report = await scene.run();
  // The gate's own list shows the task itself; only what comes after the delete is in doubt.
  expect(onlyEntry(report)).toMatchObject({ outcome: "postponed", reason: "odd-list" });
  expect(scene.recordNames(id)).toEqual(["archived.json"]);
  expect(scene.delayMs()).toBeGreaterThan(14 * MINUTE_MS);
  await scene.wait(HOUR_MS);
  expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "odd-list" });
  scene.world.platform.oddItems.pop();
  await scene.wait(HOUR_MS);
  await scene.runUntilQueueIsEmpty(2);
  scene.expectAllDone([id]);
});

describe("a task whose own item is odd", () => {
  test("is left alone for as long as it is, and archived when it can be understood", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.platform.distorted.set(id, ownItem(id));
    for (let days = 0; days < 4; days += 1) {
      expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "left-alone" });
      await scene.wait(24 * HOUR_MS);
    }
    expect(scene.message()).not.toHaveProperty("absentSinceMs");
    expect(scene.world.queue.deadLetters).toEqual([]);
    expectKept(scene, id);
    scene.world.platform.distorted.delete(id);
    await scene.runUntilQueueIsEmpty(2);
    scene.expectAllDone([id]);
  });

  test("that turns odd before the gate is archived and not deleted", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const act = () => scene.world.platform.distorted.set(id, ownItem(id));
    scene.world.faults.plant({ site: "platform.listExportTasks", occurrence: 4, form: "race", act });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "left-alone" });
    expect(scene.recordNames(id)).toEqual(["archived.json"]);
    expectKept(scene, id);
  });

  test("that turns odd right after its delete is not taken for gone", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const act = () => scene.world.platform.oddItems.push(ownItem(id));
    scene.world.faults.plant({ site: "platform.listExportTasks", occurrence: 5, form: "race", act });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "left-alone" });
    expect(scene.recordNames(id)).toEqual(["archived.json"]);
  });

  test("beside a healthy one of the same id is archived and not deleted", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.platform.oddItems.push(ownItem(id));
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "left-alone" });
    expect(scene.recordNames(id)).toEqual(["archived.json"]);
    expectKept(scene, id);
  });
});

describe("a task that is absent and not archived", () => {
  test.each([
    ["nameless", NAMELESS],
    ["with another id", DOTTED],
  ])(
    "is not asked after while the list has an odd item that is %s; after 48 h it is given up",
    async (_which, item) => {
      const scene = new Scene();
      scene.world.platform.addTask();
      scene.world.platform.oddItems.push(item);
      scene.send({ exportTaskId: "gone-for-good" });
      for (let hours = 0; hours < 46; hours += 23) {
        expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "odd-list" });
        await scene.wait(23 * HOUR_MS);
      }
      expect(scene.count("platform.showExportTask")).toBe(0);
      await scene.wait(3 * HOUR_MS);
      expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "dead-lettered", reason: "source-gone" });
    },
  );
});

test("an archived task that no list can prove gone is settled after 48 h", async () => {
  const scene = new Scene();
  scene.world.platform.oddItems.push(NAMELESS);
  const id = scene.addTask();
  expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "odd-list" });
  const reports = await scene.runUntilQueueIsEmpty(60, { gapMs: HOUR_MS });
  expect(reports.length).toBeGreaterThan(48);
  const last = reports.at(-1)?.tasks;
  expect(last).toMatchObject([{ outcome: "archived-kept", reason: "odd-list" }]);
  expect(scene.recordNames(id)).toEqual(["archived.json"]);
});

describe("siblings", () => {
  const file = exportFile(1);
  const resourceCondition = { task_id: "batch" };
  const asItIs = { resourceType: "BatchTask", resourceCondition, appType: undefined, appId: undefined };

  test("an odd item of the same condition is waited for, and the task is kept after 24 h", async () => {
    const scene = new Scene();
    const id = scene.addTask({ resourceCondition, file });
    const listed = scene.world.platform.list()[0]?.task;
    const condition = listed === undefined ? asItIs : { ...asItIs, resourceType: listed.resourceType };
    scene.world.platform.oddItems.push({ ...DOTTED, condition });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "sibling" });
    await scene.wait(25 * HOUR_MS);
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "archived-kept", reason: "sibling" });
    expectKept(scene, id);
  });

  test("an odd item whose condition cannot be read is not a sibling", async () => {
    const scene = new Scene();
    const id = scene.addTask({ resourceCondition, file });
    scene.world.platform.oddItems.push(DOTTED);
    await scene.run();
    scene.expectAllDone([id]);
  });
});

test("odd items hold places: a run under pressure counts them", async () => {
  const scene = new Scene();
  scene.addTask();
  const calm = await scene.run({ when: "pressure", settings: { pressure: 3 } });
  expect(calm).toMatchObject({ stopReason: "no-pressure", platform: { held: 1 } });
  scene.world.platform.oddItems.push(NAMELESS, DOTTED);
  await scene.wait(MINUTE_MS);
  const pressed = await scene.run({ when: "pressure", settings: { pressure: 3 } });
  expect(pressed).toMatchObject({ stopReason: "drained", counts: { archived: 1 } });
});
