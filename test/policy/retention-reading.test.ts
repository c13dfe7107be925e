import { expect, test } from "vitest";
import { expireLines, planLines, ShownEntries, verifyLines } from "../../lib/cli/retention-lines.ts";
import { RetentionRecords } from "../../lib/records/retention-records.ts";
import { findCopy, readProvedCopy } from "../../lib/retention/read-copy.ts";
import { verify } from "../../lib/retention/verify.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { platformError, storeError } from "../world/port-errors.ts";
import type { Ending } from "../world/runner-process.ts";
import { DAY_MS, policyOf, RetentionScene } from "./retention-scene.ts";

const CHANGES = ["store.preflight", "store.putDocument", "store.complete"] as const;

function value<T>(ending: Ending<T>): T {
  if (ending.kind === "crashed") {
    throw new Error("the run crashed");
  }
  return ending.value;
}

function expectUnchanged(scene: RetentionScene): void {
  expect(scene.world.effects.at(...CHANGES)).toEqual([]);
  expect([...scene.retention.writes, ...scene.retention.removed]).toEqual([]);
}

test("plan says what the next runs do, and they do it; it changes nothing", async () => {
  const scene = new RetentionScene({ policy: policyOf({ default: { keepDays: 10, lock: "governance" } }) });
  scene.keepPlatformBusy();
  const oldMs = scene.startedAtMs - 20 * DAY_MS;
  scene.plant({ exportTaskId: "due", archivedAtMs: oldMs });
  scene.plant({ exportTaskId: "held", archivedAtMs: oldMs });
  scene.plant({ exportTaskId: "undeleted", archivedAtMs: oldMs, deletedAtMs: undefined });
  const locked = scene.plant({ exportTaskId: "locked", archivedAtMs: oldMs });
  scene.plant({ exportTaskId: "young" });
  const missing = scene.plant({ exportTaskId: "missing" });
  scene.plant({ exportTaskId: "unreadable" });
  scene.plantRecord("unreadable", "archived", "{");
  scene.hold("held");
  scene.retention.lock(locked, undefined, { mode: "governance", untilMs: scene.startedAtMs + DAY_MS });
  scene.retention.writes.clear();
  scene.world.store.removeObject(missing);
  await scene.wait(1_000);

  const plan = await scene.plan();
  expectUnchanged(scene);
  const said = plan.entries.map(({ exportTaskId, sweep, expire }) => [exportTaskId, sweep, expire]);
  expect(said.sort()).toEqual([
    ["due", "retain", "remove"],
    ["held", "retain", "held"],
    ["locked", "refuse", "locked"],
    ["missing", "report-missing", "missing"],
    ["undeleted", "retain", "not-deleted"],
    ["unreadable", "report-unreadable", "unreadable"],
    ["young", "retain", "unexpired"],
  ]);
  expect(plan.entries.find(({ exportTaskId }) => exportTaskId === "young")).toMatchObject({
    rule: "default",
    lock: "governance",
    archivedAt: new Date(scene.startedAtMs).toISOString(),
    keepUntil: new Date(scene.startedAtMs + 10 * DAY_MS).toISOString(),
  });
  expect((await scene.sweep()).counts).toEqual({ retained: 4, refused: 1, missing: 1, unreadable: 1 });
  expect((await scene.expire()).removed.map(({ exportTaskId }) => exportTaskId)).toEqual(["due"]);
  const next = await scene.plan();
  expect(next.entries.map(({ exportTaskId }) => exportTaskId)).not.toContain("due");
  expect(next.entries.find(({ exportTaskId }) => exportTaskId === "young")).toMatchObject({
    sweep: "nothing",
  });
});

test.each([
  ["a store with locks", true, "governance", "locked"],
  ["a store without, which is not a lock whatever the rule asks for", false, "governance", "unsupported"],
  ["a rule without a lock", true, "none", "none"],
  ["neither", false, "none", "none"],
] as const)("plan says what there will be on %s", async (_what, canLock, lock, applied) => {
  const scene = new RetentionScene({ canLock, policy: policyOf({ default: { keepDays: 10, lock } }) });
  scene.keepPlatformBusy();
  scene.plant({ exportTaskId: "night-01" });
  const plan = async () => {
    const { entries } = await scene.plan();
    return entries.map((entry) => ({ lock: entry.lock, applied: entry.applied }));
  };
  expect(await plan()).toEqual([{ lock, applied: { lock: applied } }]);
  await scene.sweep();
  expect(scene.record("night-01", "retained")).toMatchObject({ lock, applied: { lock: applied } });
  expect(await plan()).toEqual([{ lock, applied: { lock: applied } }]);
});

test("plan says retain for a rule that changes nothing but the record, as the sweep does", async () => {
  const scene = new RetentionScene({ canLock: false });
  scene.keepPlatformBusy();
  scene.plant({ exportTaskId: "night-01" });
  const planned = async () => {
    const plan = await scene.plan();
    return plan.entries.map(({ sweep }) => sweep);
  };
  await scene.sweep();
  expect(await planned()).toEqual(["nothing"]);
  scene.policy = policyOf({ default: { keepDays: 10, lock: "governance" } });
  expect(await planned()).toEqual(["retain"]);
  expect((await scene.sweep()).counts).toEqual({ retained: 1 });
  expect(scene.record("night-01", "retained", 2)).toMatchObject({
    lock: "governance",
    applied: { lock: "unsupported" },
  });
  expect(await planned()).toEqual(["nothing"]);
});

test("verify reads a part or all, tells damage from absence, and changes nothing", async () => {
  const scene = new RetentionScene();
  const keys = Array.from({ length: 20 }, (_, n) => scene.plant({ exportTaskId: `night-${n + 10}` }));
  const [damaged = "", missing = ""] = keys;
  const { settings } = scene;
  const run = async (fraction: number) =>
    value(await scene.start((ports) => verify(ports, settings, { ...ALWAYS, fraction })));
  expect((await run(1)).counts).toEqual({
    recorded: 20,
    checked: 20,
    intact: 20,
    damaged: 0,
    cold: 0,
    failed: 0,
  });
  scene.world.store.plantObject(damaged, Buffer.alloc(100, "other"));
  scene.world.store.removeObject(missing);
  const report = await run(1);
  expectUnchanged(scene);
  expect(report.counts).toMatchObject({ checked: 20, intact: 18, damaged: 2 });
  expect(report.damage).toMatchObject([
    { exportTaskId: "night-10", damage: "damaged", recorded: { sizeBytes: 100 }, found: { sizeBytes: 100 } },
    { exportTaskId: "night-11", damage: "missing" },
  ]);
  expect((await run(0.25)).counts.checked).toBe(5);
  expect((await run(0.01)).counts.checked).toBe(1);
});

test("verify counts copies in an archive class apart, however many, and goes on with the others", async () => {
  const scene = new RetentionScene();
  const keys = Array.from({ length: 8 }, (_, n) => scene.plant({ exportTaskId: `night-${n + 10}` }));
  const cold = new Set(keys.slice(0, 6));
  scene.world.faults.plant({
    site: "store.read",
    match: ({ subject }) => cold.has(subject),
    times: Number.POSITIVE_INFINITY,
    form: "not-done",
    error: storeError("store-object-cold"),
  });
  const report = value(
    await scene.start((ports) => verify(ports, scene.settings, { ...ALWAYS, fraction: 1 })),
  );
  expect(report).toMatchObject({ stopReason: "done", checkedBytes: 200, damage: [] });
  expect(report.failure).toBeUndefined();
  expect(report.counts).toEqual({ recorded: 8, checked: 2, intact: 2, damaged: 0, cold: 6, failed: 0 });
  expect(verifyLines(report).slice(1)).toEqual([
    expect.stringMatching(/^Not checked: 6 copies in an archive storage class/),
  ]);
});

/** What `restore` does with the store, but for the file. */
async function restored(scene: RetentionScene, exportTaskId: string, revision?: string): Promise<number> {
  const ending = await scene.start(async ({ store }) => {
    const records = new RetentionRecords(store, scene.settings.scope, { createOnce: false });
    let sizeBytes = 0;
    const found = await findCopy(records, { exportTaskId, revision }, ALWAYS);
    await readProvedCopy(store, found, ALWAYS, async (chunk) => {
      sizeBytes += chunk.byteLength;
    });
    return sizeBytes;
  });
  return value(ending);
}

test("an export that retention removed is not said to be lost", async () => {
  const scene = new RetentionScene();
  scene.keepPlatformBusy();
  const archivedAtMs = scene.startedAtMs - 20 * DAY_MS;
  scene.plant({ exportTaskId: "due", archivedAtMs });
  await scene.wait(1_000);
  expect(await restored(scene, "due")).toBe(100);
  expect((await scene.expire()).counts).toMatchObject({ removed: 1 });
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  await expect(restored(scene, "due")).rejects.toMatchObject({
    code: "no-such-copy",
    message: `the retention policy removed export "due" on ${day(scene.startedAtMs)} (rule "default", kept until ${day(archivedAtMs + 10 * DAY_MS)})`,
    hint: "This archive cannot restore it.",
  });
});

test("an export that was to be removed and is still there is given back", async () => {
  const scene = new RetentionScene();
  const key = scene.plant({ exportTaskId: "due" });
  const at = new Date(scene.startedAtMs).toISOString();
  scene.plantRecord("due", "expired", {
    schemaVersion: 1,
    idempotencyKey: `iotda:${scene.settings.scope.projectId}:default:due:fe8e44f7`,
    objects: [{ key, sizeBytes: 100, sha256: "0".repeat(64) }],
    rule: "default",
    keepUntil: at,
    expiredAt: at,
    runId: "run-1",
  });
  expect(await restored(scene, "due")).toBe(100);
  scene.world.store.removeObject(key);
  await expect(restored(scene, "due")).rejects.toMatchObject({ code: "no-such-copy" });
});

test("an export without a record is told where records lie", async () => {
  const scene = new RetentionScene();
  await expect(restored(scene, "no-such-export")).rejects.toMatchObject({
    code: "no-such-copy",
    message: 'no archived record names export "no-such-export"',
    hint: "Check the id: every archived export has a folder below records/project-1/default/ in the store.",
  });
});

test("a revision without a record is told which ones there are", async () => {
  const scene = new RetentionScene();
  scene.plant({ exportTaskId: "due" });
  await expect(restored(scene, "due", "00000000")).rejects.toMatchObject({
    code: "no-such-copy",
    message: 'no archived record names revision 00000000 of export "due"',
    hint: "Its revisions: fe8e44f7. Without --revision, restore takes the one archived last.",
  });
});

test("plan without the platform says all but what only the platform could tell", async () => {
  const scene = new RetentionScene();
  const oldMs = scene.startedAtMs - 20 * DAY_MS;
  scene.plant({ exportTaskId: "due", archivedAtMs: oldMs });
  scene.plant({ exportTaskId: "held", archivedAtMs: oldMs });
  scene.plant({ exportTaskId: "young" });
  scene.hold("held");
  scene.world.faults.plant({
    site: "platform.listExportTasks",
    times: Number.POSITIVE_INFINITY,
    form: "not-done",
    error: platformError("platform-unavailable"),
  });
  const plan = await scene.plan();
  expect(plan.failure).toMatchObject({ code: "platform-unavailable" });
  expect(plan.entries.map(({ exportTaskId, sweep, expire }) => [exportTaskId, sweep, expire])).toEqual([
    ["due", "retain", null],
    ["held", "retain", "held"],
    ["young", "retain", "unexpired"],
  ]);
  const shown = new ShownEntries();
  plan.entries.map((entry) => shown.add(entry));
  const lines = (await planLines(plan, shown)).join("\n");
  expect(lines).toMatch(/due .* not known without the platform/);
  expect(lines).toMatch(/\nPlatform: no usable answer: .+\n {2}.+$/);
});

test("expire that failed before it looked at anything says 0 of nothing", async () => {
  const scene = new RetentionScene();
  scene.plant({ exportTaskId: "due", archivedAtMs: scene.startedAtMs - 20 * DAY_MS });
  scene.world.faults.plant({
    site: "platform.listExportTasks",
    times: Number.POSITIVE_INFINITY,
    form: "not-done",
    error: platformError("platform-unavailable"),
  });
  const lines = expireLines(await scene.expire());
  expect(lines[0]).toBe("Ended: a system failure stopped the run.");
});
