import { describe, expect, test } from "vitest";
import type { Damage } from "../../lib/catalogue/damage.ts";
import { type RepairReport, repairDamage, type UnrepairedReason } from "../../lib/catalogue/repair.ts";
import { inventoryStateKey } from "../../lib/domain/key-layout.ts";
import type { Fault, Site } from "../world/faults.ts";
import { platformError, queueError, storeError } from "../world/port-errors.ts";
import type { Ending } from "../world/runner-process.ts";
import type { WorldOptions } from "../world/world.ts";
import { HOUR_MS, Scene } from "./scene.ts";

const MAX_CALLS = 100;
let repairs = 0;

/** One export, archived and kept on the platform three hours ago. */
async function archived(options: WorldOptions = {}, ageMs = 3 * HOUR_MS) {
  const scene = new Scene(options);
  const id = scene.addTask();
  await scene.run({ settings: { deletion: "never" } });
  await scene.wait(ageMs);
  const [key = ""] = scene.objects(id);
  const damage = (kind: Damage["kind"]): Damage => ({
    exportTaskId: id,
    revision: scene.revision(id),
    kind,
    key,
  });
  return { scene, id, key, damage };
}

function startRepair(scene: Scene, damage: readonly Damage[]): Promise<Ending<RepairReport | undefined>> {
  repairs += 1;
  const startedAt = new Date(scene.world.clock.wallMs()).toISOString();
  const report = { schemaVersion: 1, startedAt, stopReason: "done", counts: { exports: 1 }, damage };
  scene.world.store.plantObject(inventoryStateKey(scene.world.scope), Buffer.from(JSON.stringify(report)));
  const runner = scene.world.startRunner(`repair-${repairs}`);
  const settings = { scope: scene.world.scope, downloadIntervalMs: 31_000 };
  const { signal } = new AbortController();
  return scene.world.runAlone(runner, (ports) => repairDamage(ports, settings, { damage }, { signal }));
}

async function repair(scene: Scene, ...damage: readonly Damage[]): Promise<RepairReport | undefined> {
  const ending = await startRepair(scene, damage);
  if (ending.kind === "crashed") {
    throw new Error(`the repair crashed at ${ending.at.site}`);
  }
  return ending.value;
}

/** What is wrong with the copy, and how it became so. */
const HARMS: readonly (readonly [Damage["kind"], (scene: Scene, key: string) => void])[] = [
  ["missing", ({ world }, key) => world.store.removeObject(key)],
  ["resized", ({ world }, key) => world.store.plantObject(key, Buffer.from("short"))],
  ["changed", ({ world }, key) => world.store.rotObject(key)],
];

/** The export is in the store once more, as the platform had it. */
function expectGoodCopy(scene: Scene, id: string, damagedKey: string): void {
  const { key = "", sha256 = "" } = scene.record(id, "archived-2").object ?? {};
  expect(key).not.toBe(damagedKey);
  expect(scene.world.store.entries.get(key)?.sha256).toBe(sha256);
}

describe.each(HARMS)("a copy that is %s, and whose task is still on the platform", (kind, harm) => {
  test("is archived again by the next run, which deletes the task on the strength of the new copy", async () => {
    const { scene, id, key, damage } = await archived();
    harm(scene, key);
    expect(await repair(scene, damage(kind))).toEqual({ enqueued: [id], unrepaired: [] });
    expect(scene.messages()).toMatchObject([{ exportTaskId: id, revision: scene.revision(id) }]);
    await scene.runUntilQueueIsEmpty(2);
    expect(scene.world.platform.has(id)).toBe(false);
    expectGoodCopy(scene, id, key);
  });

  test("is archived again and kept while a hold stands", async () => {
    const { scene, id, key, damage } = await archived();
    harm(scene, key);
    scene.world.store.plantObject(`holds/${id}.json`, Buffer.from("{}"));
    await repair(scene, damage(kind));
    await scene.runUntilQueueIsEmpty(2);
    expect(scene.world.platform.has(id)).toBe(true);
    expectGoodCopy(scene, id, key);
  });
});

test.each([
  { what: "on a store whose own digest proves copies", verification: "stored", ageMs: 3 * HOUR_MS },
  { what: "that an archive run has just read", verification: "read-back", ageMs: HOUR_MS / 2 },
] as const)("a changed copy $what is archived again, too", async ({ verification, ageMs }) => {
  const { scene, id, key, damage } = await archived({ store: { verification } }, ageMs);
  scene.world.store.rotObject(key);
  expect(await repair(scene, damage("changed"))).toEqual({ enqueued: [id], unrepaired: [] });
  await scene.runUntilQueueIsEmpty(2);
  expect(scene.world.platform.has(id)).toBe(false);
  expectGoodCopy(scene, id, key);
});

test("why it takes the inventory's report: without one, a run deletes the task on the store's word", async () => {
  const { scene, id, key } = await archived({ store: { verification: "stored" } });
  scene.world.store.rotObject(key);
  scene.send({ exportTaskId: id });
  await scene.world.run(() => scene.start());
  expect(scene.world.platform.has(id)).toBe(false);
});

/** What speaks against archiving it again, and how it came about. */
const OBSTACLES: readonly (readonly [UnrepairedReason, (scene: Scene, id: string) => void])[] = [
  [
    "revision-changed",
    ({ world }, id) => {
      const file = world.platform.fileOf(id);
      if (file !== undefined) {
        world.platform.overwriteTask(id, file, 7);
      }
    },
  ],
  ["unfinished", ({ world }, id) => world.platform.changeStatus(id, "Processing")],
  [
    "list-in-doubt",
    ({ world }, id) => {
      world.platform.removeTask(id);
      const odd = { index: 0, field: "status", problem: "is missing", id: undefined, condition: undefined };
      world.platform.oddItems.push(odd);
    },
  ],
];

test.each(OBSTACLES)("a damaged copy is left for the reason %s", async (reason, arrange) => {
  const { scene, id, damage } = await archived();
  const missing = damage("missing");
  arrange(scene, id);
  expect(await repair(scene, missing)).toEqual({
    enqueued: [],
    unrepaired: [{ exportTaskId: id, reason }],
  });
  expect(scene.bodies()).toEqual([]);
});

test("what the records say otherwise, or cannot say, is left", async () => {
  const { scene, id, damage } = await archived();
  const missing = damage("missing");
  expect(await repair(scene, { ...missing, key: "exports/other" })).toMatchObject({
    unrepaired: [{ reason: "recorded-otherwise" }],
  });
  expect(await repair(scene, { ...missing, kind: "unreadable-record" })).toMatchObject({
    unrepaired: [{ reason: "record-unreadable" }],
  });
  const [record = ""] = Object.keys(scene.records(id));
  const folder = `records/${scene.world.scope.projectId}/default/${id}/${record.split("/")[0]}`;
  const letter = {
    schemaVersion: 1,
    exportTaskId: id,
    revision: missing.revision,
    reason: "too-large",
    detail: "It is too large.",
    attempts: 1,
    runId: "run-0",
    deadLetteredAt: new Date(scene.world.clock.wallMs()).toISOString(),
    body: id,
  };
  scene.world.store.plantObject(`${folder}/dead-letter.json`, Buffer.from(JSON.stringify(letter)));
  expect(await repair(scene, missing)).toMatchObject({
    enqueued: [],
    unrepaired: [{ exportTaskId: id, reason: "dead-lettered" }],
  });
});

test("a task that is gone from the platform is not spoken of, and without damage nothing is asked", async () => {
  const { scene, id, damage } = await archived();
  const missing = damage("missing");
  scene.world.platform.removeTask(id);
  expect(await repair(scene, missing)).toEqual({ enqueued: [], unrepaired: [] });
  const before = scene.world.effects.all.length;
  expect(await repair(scene)).toBeUndefined();
  expect(scene.world.effects.all).toHaveLength(before);
});

const SITES: readonly (readonly [Site, Error])[] = [
  ["store.preflight", storeError("store-unavailable")],
  ["platform.listExportTasks", platformError("platform-forbidden")],
  ["store.list", storeError("store-unavailable")],
  ["store.getDocument", storeError("store-unavailable")],
  ["queue.send", queueError("queue-unavailable")],
];
const FORMS: readonly (readonly [string, (error: Error) => Fault])[] = [
  ["dies before", () => ({ form: "crash", when: "before" })],
  ["dies after", () => ({ form: "crash", when: "after" })],
  ["fails at", (error) => ({ form: "not-done", error })],
  ["loses the answer of", (error) => ({ form: "done-answer-lost", error })],
];

describe.each(FORMS)("a repair that %s any one call", (_name, faultOf) => {
  test.each(HARMS)("lets nothing be deleted without a good copy: %s", async (kind, harm) => {
    for (let n = 1; n < MAX_CALLS; n += 1) {
      const { scene, id, key, damage } = await archived();
      harm(scene, key);
      let calls = 0;
      const match = () => {
        calls += 1;
        return calls === n;
      };
      for (const [site, error] of SITES) {
        scene.world.faults.plant({ site, match, ...faultOf(error) });
      }
      const ending = await startRepair(scene, [damage(kind)]);
      if (ending.kind === "finished" && ending.value?.failure !== undefined) {
        expect(ending.value.enqueued).toEqual([]);
      }
      scene.world.faults.clear();
      expect(await repair(scene, damage(kind))).toMatchObject({ enqueued: [id] });
      await scene.runUntilQueueIsEmpty(4);
      expectGoodCopy(scene, id, key);
      if (calls < n) {
        return;
      }
    }
    expect.fail(`a repair makes more than ${MAX_CALLS} calls`);
  });
});
