import { expect, test } from "vitest";
import type { PlanEntry } from "../retention/plan.ts";
import { planLines, ShownEntries } from "./retention-lines.ts";

async function shown(entry: Partial<PlanEntry>, canLock: boolean): Promise<string> {
  const frame = {
    runId: "20261121T020000000Z-0a1b2c3d",
    startedAt: "2026-11-21T02:00:00.000Z",
    endedAt: "2026-11-21T02:00:09.000Z",
    stopReason: "done",
  } as const;
  const planned: PlanEntry = {
    exportTaskId: "night-01",
    revision: "0a1b2c3d",
    rule: "default",
    archivedAt: "2026-11-20T02:00:00.000Z",
    keepUntil: "2026-12-20T02:00:00.000Z",
    sweep: "retain",
    expire: "unexpired",
    ...entry,
  };
  const plan = { ...frame, policy: "p", store: { canLock, canTag: true }, source: "records" } as const;
  const entries = new ShownEntries();
  entries.add(planned);
  return (await planLines(plan, entries)).join("\n");
}

test.each<[Partial<PlanEntry>, boolean, RegExp]>([
  [{ lock: "governance", applied: { lock: "unsupported" } }, false, /none: no locks on this store/],
  [{ lock: "none", applied: { lock: "none" } }, false, / none /],
  [{ lock: "compliance", applied: { lock: "locked" } }, true, /compliance/],
  [
    { lock: "governance", lockedUntil: "2026-12-20T02:00:00.000Z", applied: { lock: "locked" } },
    true,
    /governance, locked until 2026-12-20/,
  ],
  // Its time is over: nothing will lock it.
  [{ lock: "governance", applied: { lock: "none" } }, true, / none /],
])("the plan of an export with %j, where the store can lock: %s", async (entry, canLock, words) => {
  const text = await shown(entry, canLock);
  expect(text).toMatch(words);
  if (entry.applied?.lock !== "locked") {
    expect(text).not.toMatch(/governance|compliance/);
  }
});

test("the plan of a large archive shows 1,000 exports, those first with which something is to be done", async () => {
  const calm = { revision: "0a1b2c3d", sweep: "nothing", expire: "unexpired" } as const;
  const entries = new ShownEntries();
  for (let n = 0; n < 150_000; n += 1) {
    entries.add({ ...calm, exportTaskId: `calm-${n}` });
  }
  entries.add({ ...calm, exportTaskId: "old", expire: "due" });
  const times = { startedAt: "2026-11-21T02:00:00.000Z", endedAt: "2026-11-21T02:00:09.000Z" };
  const frame = { runId: "20261121T020000000Z-0a1b2c3d", ...times, stopReason: "done" } as const;
  const catalogue = { source: "catalogue", catalogueMadeAt: "2026-11-21T01:00:00.000Z" } as const;
  const store = { canLock: true, canTag: true };
  const shown = await planLines({ ...frame, ...catalogue, policy: "p", store }, entries);
  expect(shown[2]).toMatch(/old.*due, not looked at/);
  expect(shown.slice(-2)).toEqual([
    "149001 exports more; --json shows all.",
    "As the catalogue of 2026-11-21 01:00 UTC has it; exports archived since then are not shown.",
  ]);
});
