import { describe, expect, test } from "vitest";
import { HOLDS_FOLDER } from "../../lib/domain/key-layout.ts";
import { ANOTHER_ID, HOME_ID, plantMarker } from "../world/places.ts";
import { platformError, storeError } from "../world/port-errors.ts";
import { retentionSite } from "../world/world-retention.ts";
import { DAY_MS, policyOf, RetentionScene, TEN_DAYS } from "./retention-scene.ts";

const ID = "night-01";
const OTHER = "night-02";

/** An export whose ten days are over, on a platform that has other tasks. */
function dueScene(options: ConstructorParameters<typeof RetentionScene>[0] = {}) {
  const scene = new RetentionScene(options);
  scene.keepPlatformBusy();
  const key = scene.plant({ exportTaskId: ID, archivedAtMs: scene.startedAtMs - 10 * DAY_MS });
  return { scene, key };
}

/** Nothing was removed and nothing was written to say so. */
function expectStays(scene: RetentionScene, key: string, exportTaskId = ID): void {
  expect(scene.has(key)).toBe(true);
  expect(scene.record(exportTaskId, "expired")).toBeUndefined();
}

test("an object whose time is over goes, and expired.json says which and why", async () => {
  const { scene, key } = dueScene();
  const young = scene.plant({ exportTaskId: OTHER, archivedAtMs: scene.startedAtMs - 10 * DAY_MS + 60_000 });
  const report = await scene.expire();
  expect(report).toMatchObject({
    stopReason: "done",
    counts: { checked: 2, due: 1, removed: 1, markedGone: 0 },
    removed: [{ exportTaskId: ID, keys: [key], rule: "default" }],
    stayed: [],
  });
  expect(scene.has(key)).toBe(false);
  expectStays(scene, young, OTHER);
  expect(scene.record(ID, "expired")).toMatchObject({
    schemaVersion: 1,
    idempotencyKey: `iotda:project-1:default:${ID}:fe8e44f7`,
    objects: [{ key, sizeBytes: 100 }],
    rule: "default",
    keepUntil: new Date(scene.startedAtMs).toISOString(),
    runId: report.runId,
  });
  const again = await scene.expire();
  expect(again.counts).toMatchObject({ checked: 1, due: 0, removed: 0 });
});

test("every copy of a revision goes with it, and an orphan of it stays", async () => {
  const { scene, key } = dueScene();
  const second = key.replace("0a1b2c", "ffffff");
  const orphan = key.replace("0a1b2c", "eeeeee");
  scene.world.store.plantObject(second, Buffer.from("second"));
  scene.world.store.plantObject(orphan, Buffer.from("orphan"));
  const first = scene.world.store.textAt(`records/project-1/default/${ID}/fe8e44f7/archived.json`) ?? "{}";
  const { object, ...rest } = JSON.parse(first);
  const { versionId } = scene.world.store.entries.get(second) ?? {};
  scene.plantRecord(ID, "archived", { ...rest, object: { ...object, key: second, versionId } }, 2);
  await scene.expire();
  expect([scene.has(key), scene.has(second), scene.has(orphan)]).toEqual([false, false, true]);
});

describe("stays", () => {
  test("held, by id or by glob", async () => {
    const { scene, key } = dueScene();
    const other = scene.plant({ exportTaskId: OTHER, archivedAtMs: scene.startedAtMs - 10 * DAY_MS });
    scene.hold(ID);
    scene.hold("*-02");
    await scene.wait(1_000);
    const report = await scene.expire();
    expect(report.stayed.map(({ reason }) => reason)).toEqual(["held", "held"]);
    expectStays(scene, key);
    expectStays(scene, other, OTHER);
  });

  test("held, also when the hold came after the run had read them all", async () => {
    const { scene, key } = dueScene();
    const act = () => scene.hold(ID);
    scene.world.faults.plant({ site: "platform.listExportTasks", occurrence: 3, form: "race", act });
    expect((await scene.expire()).stayed).toMatchObject([{ exportTaskId: ID, reason: "held" }]);
    expectStays(scene, key);
  });

  test("held by an unreadable document", async () => {
    const { scene, key } = dueScene();
    scene.world.store.plantObject("holds/globs/what?.txt", Buffer.alloc(5 * 1024 * 1024));
    expect((await scene.expire()).stayed).toMatchObject([{ exportTaskId: ID, reason: "held" }]);
    expectStays(scene, key);
  });

  test("locked, by date or by a legal hold", async () => {
    const { scene, key } = dueScene();
    const other = scene.plant({ exportTaskId: OTHER, archivedAtMs: scene.startedAtMs - 10 * DAY_MS });
    scene.retention.lock(key, undefined, { mode: "governance", untilMs: scene.startedAtMs + DAY_MS });
    const protection = scene.retention.protectionOf(other, undefined);
    Object.assign(protection ?? {}, { legalHold: true });
    const report = await scene.expire();
    expect(report.stayed.map(({ reason }) => reason)).toEqual(["locked", "locked"]);
    expectStays(scene, key);
    expectStays(scene, other, OTHER);
    await scene.wait(DAY_MS);
    expect((await scene.expire()).removed).toMatchObject([{ exportTaskId: ID }]);
  });

  test("kept for ever", async () => {
    const scene = new RetentionScene({
      policy: policyOf({ default: { keepDays: "forever", lock: "none" } }),
    });
    scene.keepPlatformBusy();
    const key = scene.plant({ exportTaskId: ID, archivedAtMs: Date.UTC(1926, 1, 1) });
    expect((await scene.expire()).counts.due).toBe(0);
    expectStays(scene, key);
  });

  test("promised longer by its retained record than by the policy of today", async () => {
    const { scene, key } = dueScene({ policy: policyOf({ default: { keepDays: 20, lock: "none" } }) });
    await scene.sweep();
    scene.policy = TEN_DAYS;
    expect((await scene.expire()).counts.due).toBe(0);
    expectStays(scene, key);
    await scene.sweep(); // records the shorter term
    expect((await scene.expire()).counts.removed).toBe(1);
  });

  test.each([
    ["not deleted, and still listed", undefined],
    ["deleted less than a day ago", -DAY_MS + 1_000],
  ])("%s", async (_name, deletedBeforeMs) => {
    const { scene } = dueScene();
    const id = scene.world.platform.addTask({});
    const key = scene.plant({
      exportTaskId: id,
      archivedAtMs: scene.startedAtMs - 20 * DAY_MS,
      deletedAtMs: deletedBeforeMs === undefined ? undefined : scene.startedAtMs + deletedBeforeMs,
    });
    await scene.expire();
    expectStays(scene, key, id);
    // No record may say that a task is gone which the list shows.
    expect(scene.record(id, "deleted") === undefined).toBe(deletedBeforeMs === undefined);
  });

  test("shown by a list again, although it was deleted", async () => {
    const { scene } = dueScene();
    const id = scene.world.platform.addTask({});
    const key = scene.plant({ exportTaskId: id, archivedAtMs: scene.startedAtMs - 20 * DAY_MS });
    expect((await scene.expire()).stayed).toMatchObject([{ exportTaskId: id, reason: "still-listed" }]);
    expectStays(scene, key, id);
  });

  test.each(["archived", "deleted", "retained", "expired"] as const)(
    "its %s record cannot be read",
    async (name) => {
      const { scene, key } = dueScene();
      scene.plantRecord(ID, name, '{"schemaVersion":1,');
      expect((await scene.expire()).stayed).toMatchObject([{ reason: "unreadable" }]);
      expect(scene.has(key)).toBe(true);
    },
  );

  test.each(["archived", "deleted", "retained", "expired"] as const)(
    "its %s record is listed, and the store says that it has none",
    async (name) => {
      const { scene, key } = dueScene({ policy: policyOf({ default: { keepDays: 20, lock: "none" } }) });
      await scene.sweep();
      scene.policy = TEN_DAYS;
      if (name === "expired") {
        scene.plantRecord(ID, name, "{}");
      }
      const report = await scene.expireInStore((store) => {
        const get = store.getDocument.bind(store);
        store.getDocument = (at, options) =>
          at.endsWith(`/${name}.json`) ? Promise.resolve(undefined) : get(at, options);
        return store;
      });
      // By the catalogue its time is not over, so its records are not asked.
      const isAsked = scene.source === "records" || name === "expired";
      expect(report.stayed).toMatchObject(isAsked ? [{ reason: "unreadable" }] : []);
      expect(scene.has(key)).toBe(true);
    },
  );

  test("its record was copied from another task", async () => {
    const { scene, key } = dueScene();
    const text = scene.world.store.textAt(`records/project-1/default/${ID}/fe8e44f7/archived.json`) ?? "";
    scene.plant({ exportTaskId: OTHER, archivedAtMs: scene.startedAtMs - 10 * DAY_MS });
    scene.plantRecord(OTHER, "archived", text.replace(`default:${ID}`, `default:${OTHER}`));
    scene.hold(ID);
    await scene.wait(1_000);
    await scene.expire();
    expectStays(scene, key);
  });

  test("no record names it", async () => {
    const { scene, key } = dueScene();
    const orphan = key.replace(ID, "night-03");
    scene.world.store.plantObject(orphan, Buffer.from("orphan"));
    await scene.expire();
    expect(scene.has(orphan)).toBe(true);
  });
});

describe("a list that proves nothing removes nothing", () => {
  test("it is empty", async () => {
    const scene = new RetentionScene();
    const key = scene.plant({ exportTaskId: ID, archivedAtMs: scene.startedAtMs - 10 * DAY_MS });
    const undeleted = scene.plant({ exportTaskId: OTHER, deletedAtMs: undefined });
    const report = await scene.expire();
    expect(report).toMatchObject({ stopReason: "no-proof", stayed: [{ reason: "empty-list" }] });
    expectStays(scene, key);
    expect(scene.has(undeleted)).toBe(true);
    expect(scene.record(OTHER, "deleted")).toBeUndefined();
  });

  test.each([
    ["fails", "platform-unavailable"],
    ["is cut short", "platform-malformed-answer"],
    ["is denied", "platform-forbidden"],
  ] as const)("it %s", async (_name, code) => {
    const { scene, key } = dueScene();
    const times = Number.POSITIVE_INFINITY;
    const error = platformError(code);
    scene.world.faults.plant({ site: "platform.listExportTasks", form: "not-done", error, times });
    const report = await scene.expire();
    expect(report).toMatchObject({ stopReason: "system-failure", failure: { code }, removed: [] });
    expectStays(scene, key);
  });

  test.each([
    ["it holds an item that may be the task", undefined, "odd-list"],
    ["the task's own item cannot be understood", ID, "still-listed"],
  ] as const)("%s", async (_name, id, reason) => {
    const { scene, key } = dueScene();
    const item = { field: undefined, problem: "it is not an object", id, condition: undefined };
    scene.world.platform.oddItems.push(item);
    const undeleted = scene.plant({ exportTaskId: OTHER, deletedAtMs: undefined });
    expect((await scene.expire()).stayed).toContainEqual(expect.objectContaining({ reason }));
    expectStays(scene, key);
    expect(scene.has(undeleted)).toBe(true);
    const isProved = id === ID;
    expect(scene.record(OTHER, "deleted") !== undefined).toBe(isProved);
  });

  test("it turns empty between the first list and the removal", async () => {
    const { scene, key } = dueScene();
    const { platform } = scene.world;
    const empty = () => {
      platform.list = () => [];
    };
    scene.world.faults.plant({ site: "platform.listExportTasks", occurrence: 3, form: "race", act: empty });
    expect((await scene.expire()).stayed).toMatchObject([{ reason: "empty-list" }]);
    expectStays(scene, key);
  });

  test("it fails after expired.json was written: the next run finishes", async () => {
    const { scene, key } = dueScene();
    const error = platformError("platform-forbidden");
    scene.world.faults.plant({ site: "platform.listExportTasks", occurrence: 4, form: "not-done", error });
    expect(await scene.expire()).toMatchObject({ stopReason: "system-failure", removed: [] });
    expect(scene.has(key)).toBe(true);
    expect(scene.record(ID, "expired")).toBeDefined();
    expect((await scene.expire()).removed).toMatchObject([{ exportTaskId: ID }]);
    expect(scene.has(key)).toBe(false);
    expect(scene.record(ID, "expired", 2)).toBeUndefined();
  });
});

test("between expired.json and the removal a hold may still come: the object stays until it is lifted", async () => {
  const { scene, key } = dueScene();
  const error = storeError("store-unavailable");
  scene.world.faults.plant({ site: retentionSite("store.removeVersion"), form: "not-done", error });
  expect((await scene.expire()).stayed).toMatchObject([{ reason: "failed" }]);
  scene.hold(ID);
  await scene.wait(1_000);
  expect((await scene.expire()).stayed).toMatchObject([{ reason: "held" }]);
  expect(scene.has(key)).toBe(true);
  scene.world.store.removeObject(`holds/${ID}.json`);
  expect((await scene.expire()).counts.removed).toBe(1);
});

/** The holds are read once for all that is due, then before `expired.json` and before the removal. */
test.each([2, 3])(
  "another archive that answers when the holds are read for the %i. time loses nothing",
  async (occurrence) => {
    const { scene, key } = dueScene();
    const { store, faults } = scene.world;
    await scene.takeStock();
    plantMarker(store, HOME_ID);
    const match = ({ subject }: { subject: string }) => subject === HOLDS_FOLDER;
    const act = () => plantMarker(store, ANOTHER_ID);
    faults.plant({ site: "store.list", match, occurrence, form: "race", act });
    const report = await scene.expireInArchive(HOME_ID);
    expect(report).toMatchObject({ stopReason: "system-failure", failure: { code: "another-archive" } });
    expect(report.counts.removed).toBe(0);
    expect(scene.has(key)).toBe(true);

    plantMarker(store, HOME_ID);
    expect((await scene.expireInArchive(HOME_ID)).counts.removed).toBe(1);
  },
);

test("one run removes at most the settable number, the most overdue first", async () => {
  const { scene } = dueScene();
  for (const days of [12, 14, 13]) {
    scene.plant({ exportTaskId: `old-${days}`, archivedAtMs: scene.startedAtMs - days * DAY_MS });
  }
  scene.maxRemovals = 2;
  const first = await scene.expire();
  expect(first.stopReason).toBe("removal-limit");
  expect(first.removed.map(({ exportTaskId }) => exportTaskId)).toEqual(["old-14", "old-13"]);
  const second = await scene.expire();
  expect(second.removed.map(({ exportTaskId }) => exportTaskId)).toEqual(["old-12", ID]);
});

test("a task the platform evicted gets its deleted record, and its object goes a day later", async () => {
  const { scene } = dueScene();
  const key = scene.plant({
    exportTaskId: OTHER,
    archivedAtMs: scene.startedAtMs - 20 * DAY_MS,
    deletedAtMs: undefined,
  });
  const report = await scene.expire();
  expect(report.counts).toMatchObject({ markedGone: 1, removed: 1 });
  expect(scene.record(OTHER, "deleted")).toMatchObject({ outcome: "already-gone", runId: report.runId });
  expect(scene.has(key)).toBe(true);
  await scene.wait(DAY_MS - 60_000);
  expect((await scene.expire()).counts.removed).toBe(0);
  await scene.wait(120_000);
  expect((await scene.expire()).counts.removed).toBe(1);
});

test("several failures in a row end the run, one does not", async () => {
  const { scene } = dueScene();
  for (let index = 0; index < 8; index += 1) {
    scene.plant({ exportTaskId: `old-${index}`, archivedAtMs: scene.startedAtMs - 20 * DAY_MS });
  }
  const error = storeError("store-unavailable");
  const site = retentionSite("store.removeVersion");
  scene.world.faults.plant({ site, form: "not-done", error });
  expect((await scene.expire()).counts.removed).toBe(8);
  for (let index = 0; index < 8; index += 1) {
    scene.plant({ exportTaskId: `new-${index}`, archivedAtMs: scene.startedAtMs - 20 * DAY_MS });
  }
  scene.world.faults.plant({ site, form: "not-done", error, times: Number.POSITIVE_INFINITY });
  const report = await scene.expire();
  expect(report).toMatchObject({ stopReason: "system-failure", failure: { code: "store-unavailable" } });
  expect(report.stayed.filter(({ reason }) => reason === "failed")).toHaveLength(5);
});
