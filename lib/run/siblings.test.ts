import { describe, expect, test } from "vitest";
import type { ExportTask } from "../domain/export-task.ts";
import { sameConditionTasks } from "./siblings.ts";

const task: ExportTask = {
  exportTaskId: "a",
  status: "Success",
  resourceType: "device",
  resourceCondition: { filter: { from: 1, to: [1, 2] }, task_id: "batch" },
  appType: "space",
  appId: "app-1",
  exportCount: 1,
  createTime: undefined,
  endTime: undefined,
  source: {},
};
const bare: ExportTask = {
  ...task,
  resourceType: undefined,
  resourceCondition: undefined,
  appType: undefined,
  appId: undefined,
};

describe("of the same condition", () => {
  test.each<[string, ExportTask, Partial<ExportTask>]>([
    ["written alike", task, {}],
    [
      "with its fields in another order",
      task,
      { resourceCondition: { task_id: "batch", filter: { to: [1, 2], from: 1 } } },
    ],
    ["without any of it", bare, {}],
    ["of the whole tenant, said or not", bare, { appType: "GLOBAL" }],
    ["of the whole tenant, whatever the app", bare, { appType: "GLOBAL", appId: "app-1" }],
  ])("%s", (_name, one, changes) => {
    const other = { ...one, exportTaskId: "b", ...changes };
    expect(sameConditionTasks(one, [one, other])).toEqual([other]);
  });
});

describe("of another condition", () => {
  test.each<[string, Partial<ExportTask>]>([
    ["another resource type", { resourceType: "product" }],
    ["another value within", { resourceCondition: { filter: { from: 2, to: [1, 2] }, task_id: "batch" } }],
    ["another order of a list", { resourceCondition: { filter: { from: 1, to: [2, 1] }, task_id: "batch" } }],
    ["another kind of app", { appType: "instance" }],
    ["another app", { appId: "app-2" }],
    ["no app", { appId: undefined }],
  ])("%s", (_name, changes) => {
    expect(sameConditionTasks(task, [task, { ...task, exportTaskId: "b", ...changes }])).toEqual([]);
  });
});
