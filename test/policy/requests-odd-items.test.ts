import { describe, expect, test } from "vitest";
import type { OddItem } from "../../lib/ports/platform.ts";
import { DAY_MS, HOUR_MS, RequestsScene } from "./requests-scene.ts";

type Oddness = Omit<OddItem, "index">;

const NAMELESS: Oddness = { field: undefined, problem: "it is odd", id: undefined, condition: undefined };

function conditionOf(batchTaskId: string): OddItem["condition"] {
  const resourceCondition = { task_id: batchTaskId };
  return { resourceType: "BatchTask", resourceCondition, appType: undefined, appId: undefined };
}

/** The export that the first discover run creates for b1. */
async function createdExport(scene: RequestsScene): Promise<string> {
  await scene.request("b1");
  const { requests } = await scene.discover();
  return requests?.created[0]?.exportTaskId ?? "none";
}

test("odd items hold places: a create that could evict waits", async () => {
  const scene = new RequestsScene();
  scene.world.platform.oddItems.push(...Array(46).fill(NAMELESS));
  await scene.request("b1");
  expect((await scene.discover()).requests?.waiting).toMatchObject([{ reason: "places-held" }]);
  scene.world.platform.oddItems.splice(10);
  expect((await scene.discover()).requests?.created).toHaveLength(1);
});

test("an odd item of the same batch task is not overwritten by a create", async () => {
  const scene = new RequestsScene();
  scene.world.platform.oddItems.push({ ...NAMELESS, condition: conditionOf("b1") });
  await scene.request("b1");
  expect((await scene.discover()).requests?.waiting).toMatchObject([{ reason: "same-condition-unarchived" }]);
  scene.world.platform.oddItems[0] = { ...NAMELESS, condition: conditionOf("b2") };
  expect((await scene.discover()).requests?.created).toHaveLength(1);
});

describe("an export that was made for a request", () => {
  test("and whose own item is odd is under way for as long as it is", async () => {
    const scene = new RequestsScene();
    const id = await createdExport(scene);
    scene.world.platform.distorted.set(id, { ...NAMELESS, id });
    await scene.wait(10 * DAY_MS);
    const underWay = [{ batchTaskId: "b1", exportTaskId: id, reason: "unarchived" }];
    expect((await scene.discover()).requests).toMatchObject({ underWay, created: [], ended: [] });
    scene.world.platform.distorted.delete(id);
    await scene.runUntilEnded();
    expect(scene.createsOf("b1")).toBe(1);
  });

  test("is not called lost after a day by a list that proves nothing, but after two", async () => {
    const scene = new RequestsScene();
    const id = await createdExport(scene);
    scene.world.platform.removeTask(id);
    scene.world.platform.oddItems.push(NAMELESS);
    await scene.wait(25 * HOUR_MS);
    expect((await scene.discover()).requests?.underWay).toMatchObject([{ reason: "absent" }]);
    await scene.wait(24 * HOUR_MS);
    expect((await scene.discover()).requests?.created).toHaveLength(1);
  });
});
