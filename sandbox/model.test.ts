import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { expect, onTestFinished, test } from "vitest";
import { ResultFiles } from "./files.ts";
import { TaskModel } from "./model.ts";
import { settingsSchema } from "./settings.ts";
import { SandboxState } from "./state.ts";
import { overwriteSchema, taskSpecSchema } from "./task.ts";

test("changes of one moment happen one after the other: a task deleted during an overwrite stays gone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "iotda-sandbox-"));
  const state = new SandboxState(folder, v.parse(settingsSchema, {}));
  onTestFinished(async () => {
    state.close();
    await rm(folder, { recursive: true });
  });
  const files = new ResultFiles(folder);
  await files.open(state);
  const model = new TaskModel(state, files);
  const { exportTaskId } = await model.add(v.parse(taskSpecSchema, {}));

  const changes = [
    model.overwrite(exportTaskId, v.parse(overwriteSchema, { fillerBytes: 1_000_000 })),
    model.remove(exportTaskId, "deleted"),
    model.patch(exportTaskId, { status: "Failed" }),
  ];
  expect(await Promise.all(changes)).toMatchObject([{ generation: 2 }, true, undefined]);
  expect(state.tasks.size).toBe(0);
  expect(state.removals).toMatchObject([
    { reason: "overwritten", generation: 1 },
    { reason: "deleted", generation: 2 },
  ]);
  expect(await readdir(join(folder, "files"))).toEqual([]);
});
