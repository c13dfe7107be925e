import { describe, expect, test } from "vitest";
import { inventoryStateKey } from "../../lib/domain/key-layout.ts";
import { effortOf } from "../simulation/effort.ts";
import type { Site } from "../world/faults.ts";
import { SeededRandom } from "../world/seeded-random.ts";
import { retentionSite } from "../world/world-retention.ts";
import { playHistory } from "./inventory-histories.ts";
import { estate, finish, lieInCatalogue } from "./retention-estate.ts";
import { DAY_MS, policyOf, RetentionScene, sceneDefaults } from "./retention-scene.ts";

const HISTORIES = Math.max(60, effortOf(process.env).requestHistories / 10);

/** What two nights of retention do to the archive that a random history left behind. */
async function nightsAfter(seed: number, source: "catalogue" | "records") {
  sceneDefaults.source = source;
  const { scene } = await playHistory(seed).finally(() => {
    sceneDefaults.source = "catalogue";
  });
  const random = new SeededRandom(seed);
  scene.keepPlatformBusy();
  scene.policy = policyOf({ default: { keepDays: random.integer(1, 60), lock: "none" } });
  const nights = [];
  for (let night = 0; night < 3; night += 1) {
    if (source === "records") {
      scene.world.store.removeObject(inventoryStateKey(scene.world.scope));
    }
    const sweep = await scene.sweep();
    if (source === "records") {
      scene.world.store.removeObject(inventoryStateKey(scene.world.scope));
    }
    const { removed, counts, stayed, ...expire } = await scene.expire();
    expect([sweep.source, expire.source], `seed ${seed}`).toEqual([source, source]);
    nights.push({
      sweep: sweep.counts,
      removed: removed.map(({ exportTaskId }) => exportTaskId).sort(),
      markedGone: counts.markedGone,
      stayed: stayed.map(({ exportTaskId, reason }) => `${exportTaskId} ${reason}`).sort(),
    });
    // Not whole days: the inventory takes its time, and at the end of a term a moment counts.
    await scene.wait((random.integer(1, 20) + 0.4) * DAY_MS);
  }
  return nights;
}

test(`after each of ${HISTORIES} random histories a night by the catalogue does what a night by all records does`, {
  timeout: 3_600_000,
}, async () => {
  let removed = 0;
  for (let seed = 1; seed <= HISTORIES; seed += 1) {
    const byCatalogue = await nightsAfter(seed, "catalogue");
    expect(byCatalogue, `seed ${seed}`).toEqual(await nightsAfter(seed, "records"));
    removed += byCatalogue.flatMap((night) => night.removed).length;
  }
  expect(removed).toBeGreaterThan(HISTORIES / 3);
});

describe("a catalogue that lies", () => {
  test.each([1, 2, 3])("lets nothing go that the records keep (seed %d)", async (seed) => {
    const { scene, due, kept } = estate(seed);
    await scene.takeStock();
    lieInCatalogue(scene);
    await scene.wait(1_000);
    const report = await scene.expire();
    expect(report.source).toBe("catalogue");
    expect(kept.filter((key) => !scene.has(key))).toEqual([]);
    expect(due.filter((key) => scene.has(key))).toEqual([]);
    expect(report.counts).toMatchObject({ due: 7, removed: 2 });
    expect(new Set(report.stayed.map(({ reason }) => reason))).toEqual(
      new Set(["held", "locked", "still-listed"]),
    );
  });

  test.each(["archived", "deleted", "retained"] as const)(
    "lets nothing go whose %s record the store does not give",
    async (name) => {
      const { scene, due } = estate(1);
      await scene.sweep();
      await scene.takeStock();
      lieInCatalogue(scene);
      const report = await scene.expireInStore((store) => {
        const get = store.getDocument.bind(store);
        store.getDocument = (at, options) =>
          at.endsWith(`/${name}.json`) ? Promise.resolve(undefined) : get(at, options);
        return store;
      });
      expect(report.removed).toEqual([]);
      expect(report.stayed).toContainEqual(expect.objectContaining({ reason: "unreadable" }));
      expect(due.filter((key) => !scene.has(key))).toEqual([]);
    },
  );

  test("makes no deleted record for what no record names, and locks nothing", async () => {
    const scene = new RetentionScene();
    scene.keepPlatformBusy();
    scene.plant({ exportTaskId: "night-01", deletedAtMs: undefined });
    await scene.takeStock();
    lieInCatalogue(scene, (line) => ({ ...line, exportTaskId: "night-99", deletedAt: undefined }));
    const report = await scene.expire();
    expect(report.counts).toMatchObject({ markedGone: 0, removed: 0 });
    expect(scene.record("night-99", "deleted")).toBeUndefined();
    await scene.takeStock();
    lieInCatalogue(scene, (line) => ({ ...line, exportTaskId: "night-99" }));
    expect((await scene.sweep()).entries).toMatchObject([
      { exportTaskId: "night-99", outcome: "unrecorded" },
    ]);
    expect(scene.record("night-99", "retained")).toBeUndefined();
  });

  test("keeps what it says is not due, until it is made again", async () => {
    const { scene, due } = estate(1);
    await scene.takeStock();
    lieInCatalogue(scene, (line) => ({ ...line, retainedUntil: "forever" }));
    expect((await scene.expire()).counts.removed).toBe(0);
    scene.world.store.removeObject(inventoryStateKey(scene.world.scope));
    for (const key of scene.world.store.keysUnder("catalogue/")) {
      scene.world.store.removeObject(key);
    }
    await finish(scene);
    expect(due.filter((key) => scene.has(key))).toEqual([]);
  });
});

describe("a catalogue that is not of today", () => {
  test("is older than 26 hours: all records are read, and the run says so", async () => {
    const { scene, due } = estate(1);
    await scene.takeStock();
    await scene.wait(27 * 3_600_000);
    const report = await scene.expire();
    expect(report.source).toBe("records");
    expect(report).not.toHaveProperty("catalogueMadeAt");
    expect(scene.events).toContainEqual(expect.objectContaining({ code: "no-catalogue" }));
    expect(due.filter((key) => scene.has(key))).toEqual([]);
  });

  test("is the one of another instance in the same store: all records are read", async () => {
    const { scene, due } = estate(1);
    await scene.takeStock();
    const { scope, store } = scene.world;
    const text = store.textAt(inventoryStateKey(scope)) ?? "";
    store.plantObject(inventoryStateKey({ ...scope, instanceId: "another" }), Buffer.from(text));
    store.removeObject(inventoryStateKey(scope));
    expect((await scene.expire()).source).toBe("records");
    expect(due.filter((key) => scene.has(key))).toEqual([]);
  });

  test("was made before the last runs: what they did is not done again, nor said again", async () => {
    const { scene, kept } = estate(1);
    await scene.takeStock();
    await scene.wait(1_000);
    expect((await scene.expire()).counts).toMatchObject({ due: 7, removed: 2 });
    await scene.takeStock();
    const stock = stockOf(scene);
    await scene.expire();
    await scene.takeStock();
    // The same catalogue as before the removals.
    for (const [key, text] of stock) {
      scene.world.store.plantObject(key, Buffer.from(text));
    }
    const { counts, stayed } = await scene.expire();
    expect(counts.removed).toBe(0);
    expect(stayed.map(({ reason }) => reason)).not.toContain("removed-before");
    expect(kept.filter((key) => !scene.has(key))).toEqual([]);
  });

  test("lacks a file: the run goes on with the others and says so", async () => {
    const { scene } = estate(1);
    await scene.takeStock();
    const [file = ""] = scene.world.store.keysUnder("catalogue/");
    scene.world.store.removeObject(file);
    expect(await scene.expire()).toMatchObject({ source: "catalogue", stopReason: "done" });
    expect(scene.events).toContainEqual(expect.objectContaining({ code: "catalogue-incomplete" }));
  });

  test("a run that died between expired.json and the removal is finished, however long ago that was", async () => {
    const { scene, due } = estate(1);
    scene.world.faults.plant({ site: retentionSite("store.removeVersion"), form: "crash", when: "before" });
    await scene.takeStock();
    await expect(scene.expire()).rejects.toThrow("crashed");
    scene.world.faults.clear();
    await scene.takeStock();
    expect(JSON.parse(scene.world.store.textAt(inventoryStateKey(scene.world.scope)) ?? "{}")).toMatchObject({
      unremoved: [{ exportTaskId: "due-1" }],
    });
    await scene.expire();
    expect(due.filter((key) => scene.has(key))).toEqual([]);
    await scene.takeStock();
    expect(JSON.parse(scene.world.store.textAt(inventoryStateKey(scene.world.scope)) ?? "{}")).toMatchObject({
      unremoved: [],
    });
  });
});

function stockOf(scene: RetentionScene): readonly (readonly [string, string])[] {
  const keys = [...scene.world.store.keysUnder("catalogue/"), inventoryStateKey(scene.world.scope)];
  return keys.map((key) => [key, scene.world.store.textAt(key) ?? ""]);
}

const SITES: readonly Site[] = [
  "platform.listExportTasks",
  "store.preflight",
  "store.readClockMs",
  "store.list",
  "store.getDocument",
  "store.putDocument",
  ...(["retentionAbilities", "readProtection"] as const).map((call) => retentionSite(`store.${call}`)),
];

/** How many calls a run makes. */
async function callsOf(scene: RetentionScene, run: () => Promise<unknown>): Promise<number> {
  await scene.takeStock();
  let calls = 0;
  const match = () => {
    calls += 1;
    return false;
  };
  for (const site of SITES) {
    scene.world.faults.plant({ site, match, form: "crash", when: "before" });
  }
  await run();
  scene.world.faults.clear();
  return calls;
}

describe("the work of a day does not grow with the archive", () => {
  async function archiveOf(count: number): Promise<RetentionScene> {
    const scene = new RetentionScene();
    scene.keepPlatformBusy();
    scene.world.platform.addTask({});
    for (let index = 0; index < count; index += 1) {
      scene.plant({ exportTaskId: `young-${index}` });
    }
    scene.plant({ exportTaskId: "old-1", archivedAtMs: scene.startedAtMs - 11 * DAY_MS });
    await scene.sweep();
    return scene;
  }
  const plan = (scene: RetentionScene) => scene.plan();

  test.each([
    ["plan", plan],
    ["sweep", (scene: RetentionScene) => scene.sweep()],
    ["expire", (scene: RetentionScene) => scene.expire()],
  ] as const)("%s makes as many calls for 300 exports as for 30", async (_name, run) => {
    const [small, large] = [await archiveOf(30), await archiveOf(300)];
    expect(await callsOf(large, () => run(large))).toBe(await callsOf(small, () => run(small)));
  });

  test("plan tells the exports in the order in which they were archived, whether it asked about them or not", async () => {
    const scene = new RetentionScene();
    scene.keepPlatformBusy();
    const daysAgo = [3, 70, 11, 40, 1, 41, 12];
    for (const days of daysAgo) {
      scene.plant({ exportTaskId: `${days}-days`, archivedAtMs: scene.startedAtMs - days * DAY_MS });
    }
    await scene.sweep();
    const { entries } = await scene.plan();
    expect(new Set(entries.map(({ expire }) => expire))).toEqual(new Set(["remove", "unexpired"]));
    expect(entries.map(({ exportTaskId }) => exportTaskId)).toEqual(
      daysAgo.sort((a, b) => b - a).map((days) => `${days}-days`),
    );
  });

  test("plan shows every export, and asks about 500 at most when a policy changed for all", async () => {
    const scene = await archiveOf(700);
    scene.policy = policyOf({ default: { keepDays: 12, lock: "none" } });
    let entries = 0;
    const calls = await callsOf(scene, async () => {
      const planned = await plan(scene);
      expect(planned).toMatchObject({ source: "catalogue" });
      expect(new Set(planned.entries.map(({ sweep }) => sweep))).toEqual(new Set(["retain"]));
      entries = planned.entries.length;
    });
    expect(entries).toBe(701);
    // A list and three records of each, and what protects it.
    expect(calls).toBeLessThan(500 * 5 + 100);
  });
});
