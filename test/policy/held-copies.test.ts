import { expect, test } from "vitest";
import { countArchivedMatches } from "../../lib/records/held-copies.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { Scene } from "./scene.ts";

test.each([
  ["night-1", 1],
  ["night-*", 2],
  ["*", 3],
  ["night", 0],
  ["other-*", 0],
])("the pattern %s matches %i archived exports", async (pattern, expected) => {
  const scene = new Scene();
  for (const exportTaskId of ["night-1", "night-12", "day-1"]) {
    scene.addTask({ exportTaskId });
  }
  scene.world.platform.addTask({ exportTaskId: "other-1" });
  await scene.run({ limitMs: 3_600_000 });
  const { store } = scene.world.startRunner("operator");
  const count = () => countArchivedMatches(store, scene.world.scope, pattern, ALWAYS);
  expect(await scene.world.run(count)).toBe(expected);
});
