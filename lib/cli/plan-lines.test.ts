import { expect, test } from "vitest";
import type { Plan, PlanItem } from "../plan/plan.ts";
import { planLines } from "./plan-lines.ts";

const MADE_AT = "2026-11-30T01:00:00.000Z";

function planOf(items: readonly PlanItem[], changes: Partial<Plan> = {}): Plan {
  return {
    schemaVersion: 1,
    madeAt: MADE_AT,
    projectId: "project-1",
    instanceId: null,
    deletion: "after-verify",
    downloadIntervalMs: 31_000,
    storeTriedOut: true,
    items: [...items],
    totals: {
      actions: {},
      downloads: 0,
      durationMs: 0,
      floorMs: 0,
      slots: { held: items.length, after: items.length, limit: 50 },
    },
    ...changes,
  };
}

async function textOf(plan: Plan, columns?: number): Promise<string> {
  return (await planLines(plan, undefined, columns))
    .map((line) => (typeof line === "string" ? line : line.text))
    .join("\n");
}

test("each export stands with when, what and why; the sums below say how long it takes", async () => {
  const items: readonly PlanItem[] = [
    {
      exportTaskId: "export-01",
      revision: "fe8e44f7",
      batchTaskId: "batch-01",
      ageMs: 3_600_000,
      rows: 7,
      action: "archive-delete",
      at: "2026-11-30T01:00:31.000Z",
      deleteAt: "2026-11-30T01:00:31.000Z",
      held: false,
      lostAfterCreates: 21,
    },
    { exportTaskId: "export-02", action: "delete", at: MADE_AT, deleteAt: MADE_AT, held: false },
    {
      exportTaskId: "export-03",
      action: "archive",
      at: MADE_AT,
      reason: "sibling",
      held: false,
      lostAfterCreates: 22,
    },
    { exportTaskId: "export-04", action: "keep", reason: "hold", held: true },
    { exportTaskId: "export-05", action: "left-alone", reason: "unknown-status", held: false },
    { exportTaskId: "export-06", action: "left-alone", held: false },
  ];
  const totals = {
    actions: { "archive-delete": 1, archive: 1, delete: 1, keep: 1, "left-alone": 2 },
    downloads: 2,
    durationMs: 31_000,
    floorMs: 31_000,
    slots: { held: 6, after: 4, limit: 50 },
  };
  const text = await textOf(planOf(items, { totals, storeTriedOut: false }));
  for (const row of [
    /export-01 +│ batch-01 +│ in 31 s +│ 1 h 0 min │ 7 +│ archive and delete │ +│/,
    /export-02 +│ +│ at once +│ +│ +│ delete +│ archived before/,
    /export-03 +│ +│ at once .* archive and keep +│ another export with the same condition is not archived yet/,
    /export-04 +│ .* keep +│ held by an operator/,
    /export-05 +│ .* leave alone +│ its status is unknown to this program/,
  ]) {
    expect(text).toMatch(row);
  }
  expect(text).toContain("deletion is on");
  expect(text).toContain(
    "6 exports: 1 archive and delete; 1 archive and keep; 1 delete; 1 keep; 2 leave alone",
  );
  expect(text).toContain("Downloads: 2, one each 31 s, so at least 31 s; the last step comes in 31 s");
  expect(text).toContain("Export slots used: 6 of 50 now, 4 after the run");
  expect(text).toContain("Lost first without a run: export-01, by the 21st export made from now on");
  expect(text).toContain("takes what it can do from its profile");
});

test("of an empty platform little is said", async () => {
  const text = await textOf(planOf([], { deletion: "never" }));
  expect(text).toContain("deletion is off");
  expect(text).toContain("The platform holds no export.");
  expect(text).toContain("Downloads: none");
  expect(text).not.toMatch(/Lost first|│|profile/);
});

test.each([
  [1, "1st"],
  [2, "2nd"],
  [3, "3rd"],
  [11, "11th"],
  [13, "13th"],
  [22, "22nd"],
])("the create number %i is the %s", async (lostAfterCreates, ordinal) => {
  const items = [{ exportTaskId: "export-01", action: "wait", held: false, lostAfterCreates }] as const;
  expect(await textOf(planOf(items))).toContain(`by the ${ordinal} export`);
});

test.each([
  [200, "│ batch-01 │"],
  [139, "│ at once │"],
  [80, "  when: at once, rows: 7, what: archive and delete"],
])(
  "on a terminal of %i columns the ids have room, or the batch task is left out",
  async (columns, expected) => {
    const item: PlanItem = {
      exportTaskId: "5f2d9c3a1b2c3d4e5f6a7b8c",
      batchTaskId: columns === 200 ? "batch-01" : "b".repeat(24),
      rows: 7,
      action: "archive-delete",
      at: MADE_AT,
      held: false,
      reason: columns === 80 ? undefined : "hold",
    } as PlanItem;
    const text = await textOf(planOf([item]), columns);
    expect(text.replaceAll(/ +/g, " ").replaceAll("\n ", "\n  ")).toContain(expected);
    expect(text.includes("batch task")).toBe(columns === 200);
  },
);
