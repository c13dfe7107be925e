import { describe, expect, test } from "vitest";
import type { WorkPlan } from "./plan.ts";
import { PLAN_MAX_AGE_MS, readPlan, refusalByArchive, refusalOfPlan } from "./read-plan.ts";

const MADE_AT = "2026-11-30T01:00:00.000Z";
const MADE_AT_MS = Date.parse(MADE_AT);
const SCOPE = { projectId: "project-1", instanceId: undefined };

const PLAN: WorkPlan = {
  schemaVersion: 1,
  madeAt: MADE_AT,
  projectId: "project-1",
  instanceId: null,
  archiveId: "11111111-1111-4111-8111-111111111111",
  items: [
    {
      exportTaskId: "export-01",
      revision: "fe8e44f7",
      action: "archive-delete",
      held: false,
      records: { archived: 0, deadLetters: 0, expired: false },
    },
    { exportTaskId: "export-02", action: "left-alone", held: true },
  ],
};
const [FIRST] = PLAN.items;

describe("the file of a plan", () => {
  test("is read as it was written; what only people read is passed over", () => {
    const text = JSON.stringify({ ...PLAN, totals: { downloads: 1 } });
    expect(readPlan(text)).toEqual({ kind: "read", value: PLAN });
  });

  test.each<readonly [string, unknown]>([
    ["nothing", undefined],
    ["another kind of value", []],
    ["a newer version", { ...PLAN, schemaVersion: 2 }],
    ["no time", { ...PLAN, madeAt: "yesterday" }],
    ["no items", { ...PLAN, items: undefined }],
    ["too many items", { ...PLAN, items: Array.from({ length: 1_001 }, () => FIRST) }],
    ["an id that is a path", { ...PLAN, items: [{ ...FIRST, exportTaskId: "../../etc" }] }],
    ["an unknown action", { ...PLAN, items: [{ ...FIRST, action: "delete-all" }] }],
    ["a revision that is not one", { ...PLAN, items: [{ ...FIRST, revision: "new" }] }],
    ["a hold that is neither", { ...PLAN, items: [{ ...FIRST, held: "no" }] }],
    ["records that are numbers of nothing", { ...PLAN, items: [{ ...FIRST, records: { archived: -1 } }] }],
    ["an endless text", { ...PLAN, projectId: "p".repeat(2_000) }],
  ])("is refused with %s", (_what, document) => {
    expect(readPlan(JSON.stringify(document) ?? "")).toMatchObject({
      kind: "refused",
      problems: expect.arrayContaining([expect.any(String)]),
    });
  });

  test("is refused where it nests without end", () => {
    expect(readPlan(`{"items":${"[".repeat(100)}${"]".repeat(100)}}`).kind).toBe("refused");
  });
});

describe("a plan", () => {
  test.each<readonly [string, Partial<WorkPlan>, number, string | undefined]>([
    ["just made", {}, 0, undefined],
    ["a day old", {}, PLAN_MAX_AGE_MS, undefined],
    ["older", {}, PLAN_MAX_AGE_MS + 1, "more than 24 h ago"],
    ["of a clock a little ahead", {}, -60_000, undefined],
    ["of the future", {}, -3_600_000, "lies in the future"],
    ["of another project", { projectId: "project-2" }, 0, "another project or instance"],
    ["of another instance", { instanceId: "instance-2" }, 0, "another project or instance"],
  ])("%s", (_what, changes, ageMs, problem) => {
    const refusal = refusalOfPlan({ ...PLAN, ...changes }, { scope: SCOPE, nowMs: MADE_AT_MS + ageMs });
    expect(refusal?.problem).toEqual(problem === undefined ? undefined : expect.stringContaining(problem));
  });

  test("is for the archive that it was made for", () => {
    const { archiveId: _none, ...fromBefore } = PLAN;
    expect(refusalByArchive(PLAN, PLAN.archiveId)).toBeUndefined();
    expect(refusalByArchive(fromBefore, PLAN.archiveId)).toBeUndefined();
    expect(refusalByArchive(PLAN, undefined)?.problem).toContain("one without archive.json");
    expect(refusalByArchive(PLAN, "22222222-2222-4222-8222-222222222222")?.problem).toContain("2222");
  });
});
