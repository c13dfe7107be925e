import { describe, expect, test } from "vitest";
import type { ExportFilter } from "../../lib/catalogue/found-export.ts";
import type { InventoryEvent } from "../../lib/catalogue/ports.ts";
import { type FoundExports, findExports } from "../../lib/catalogue/reading.ts";
import { tellStory } from "../../lib/catalogue/story.ts";
import {
  catalogueKey,
  inventoryStateKey,
  recordKey,
  runReportKey,
  taskRecordsFolder,
  verificationKey,
} from "../../lib/domain/key-layout.ts";
import type { ObjectStore } from "../../lib/ports/object-store.ts";
import { InventoryScene } from "./inventory-scene.ts";
import { DAY_MS } from "./retention-scene.ts";

const REVISION = "fe8e44f7";

let names = 0;

/** Of a process of its own. */
function nextName(): string {
  names += 1;
  return `finder-${names}`;
}

/** The store, and the keys of the documents that are read from it. */
function watched(store: ObjectStore): { readonly store: ObjectStore; readonly read: string[] } {
  const read: string[] = [];
  const proxy = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") {
        return value;
      }
      return (...args: readonly unknown[]) => {
        if (name === "getDocument") {
          read.push(String(args[0]));
        }
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { store: proxy, read };
}

/** Looks for exports, as a command does. */
async function find(scene: InventoryScene, filter: ExportFilter = {}, limit = 100) {
  const told: InventoryEvent[] = [];
  const { ports } = scene.ports(nextName());
  const { store, read } = watched(ports.store);
  const reading = { store, clock: ports.clock, observe: (event: InventoryEvent) => told.push(event) };
  const found = await scene.world.run(() =>
    findExports(reading, scene.world.scope, filter, { ...scene.unaborted, limit }),
  );
  return { ...found, ids: found.exports.map(({ exportTaskId }) => exportTaskId), read, told };
}

/** Four exports of three months, the last one archived last. */
async function fourExports(): Promise<InventoryScene> {
  const scene = new InventoryScene();
  const of = (batch: string, app: string) => ({
    source: { resource_condition: { task_id: batch, name: "Line Ä" }, app_id: app },
  });
  const ago = (days: number) => ({ archivedAtMs: scene.startedAtMs - days * DAY_MS });
  scene.plant({ exportTaskId: "oldest", ...of("batch-1", "app-1"), ...ago(80) });
  scene.plant({ exportTaskId: "older", ...of("batch-2", "app-1"), ...ago(40) });
  scene.plant({ exportTaskId: "kept", ...of("batch-2", "app-2"), ...ago(2), deletedAtMs: undefined });
  scene.plant({ exportTaskId: "newest", ...of("batch-3", "app-2") });
  await scene.inventory();
  return scene;
}

/** The report of a run that ended now. */
function plantReport(scene: InventoryScene, tasks: readonly string[], archived = tasks.length): void {
  const nowMs = scene.world.clock.wallMs();
  const report = {
    endedAt: new Date(nowMs).toISOString(),
    counts: { archived, deleted: archived },
    tasks: tasks.map((exportTaskId) => ({ exportTaskId, outcome: "archived-deleted", durationMs: 1 })),
  };
  const key = runReportKey(nowMs, `run-${tasks.join("-")}`);
  scene.world.store.plantObject(key, Buffer.from(JSON.stringify(report)));
}

describe("finding exports", () => {
  test.each<[ExportFilter, readonly string[]]>([
    [{}, ["newest", "kept", "older", "oldest"]],
    [{ batchTaskId: "batch-2" }, ["kept", "older"]],
    [{ appId: "app-1" }, ["older", "oldest"]],
    [{ state: "kept" }, ["kept"]],
    [{ state: "deleted", appId: "app-2" }, ["newest"]],
    [{ text: "OLD" }, ["older", "oldest"]],
    [{ text: "atch-3" }, ["newest"]],
    [{ text: "line ä" }, ["newest", "kept", "older", "oldest"]],
    [{ text: "2026/11/22/kept" }, ["kept"]],
    [{ text: "exportTaskId" }, []],
    [{ text: '"' }, ["newest", "kept", "older", "oldest"]],
  ])("by %j gives the one archived last first", async (filter, ids) => {
    const found = await find(await fourExports(), filter);
    expect(found.ids).toEqual(ids);
    expect(found).toMatchObject({ more: false, source: "catalogue", gaps: [], unreadable: [] });
  });

  test("by time takes the beginning and leaves the end out", async () => {
    const scene = await fourExports();
    const at = (days: number) => scene.startedAtMs - days * DAY_MS;
    expect((await find(scene, { sinceMs: at(40) })).ids).toEqual(["newest", "kept", "older"]);
    expect((await find(scene, { untilMs: at(40) })).ids).toEqual(["oldest"]);
    expect((await find(scene, { sinceMs: at(80), untilMs: at(2) })).ids).toEqual(["older", "oldest"]);
  });

  test("reads those files of the catalogue alone that can matter, and no record", async () => {
    const scene = await fourExports();
    const months = (read: readonly string[]) => read.filter((key) => key.startsWith("catalogue/"));
    const { scope } = scene.world;
    const recent = await find(scene, { sinceMs: scene.startedAtMs - 3 * DAY_MS });
    expect(months(recent.read)).toEqual([catalogueKey(scope, "2026-11")]);
    expect(recent.read.some((key) => key.startsWith("records/"))).toBe(false);
    const limited = await find(scene, {}, 1);
    expect(limited).toMatchObject({ ids: ["newest"], more: true });
    expect(months(limited.read)).toEqual([catalogueKey(scope, "2026-11")]);
  });

  test("says up to when the catalogue is complete", async () => {
    const scene = await fourExports();
    const { completeUntil = "" } = await find(scene);
    expect(Date.parse(completeUntil)).toBeGreaterThanOrEqual(scene.startedAtMs);
  });
});

describe("what happened since the last inventory", () => {
  test("shows by the reports of runs and the records of their tasks", async () => {
    const scene = await fourExports();
    await scene.wait(3_600_000);
    scene.plant({ exportTaskId: "fresh", archivedAtMs: scene.world.clock.wallMs() });
    const at = new Date(scene.world.clock.wallMs()).toISOString();
    const idempotencyKey = `iotda:${scene.world.scope.projectId}:default:kept:${REVISION}`;
    const facts = { deletedAt: at, confirmedAt: at, runId: "r", outcome: "deleted" };
    scene.plantRecord("kept", "deleted", { schemaVersion: 1, idempotencyKey, ...facts });
    expect((await find(scene)).ids).toEqual(["newest", "kept", "older", "oldest"]);
    plantReport(scene, ["fresh", "kept", "../x"]);
    const found = await find(scene);
    expect(found.ids).toEqual(["fresh", "newest", "kept", "older", "oldest"]);
    expect(found.exports[2]).toMatchObject({ exportTaskId: "kept", state: "deleted" });
    expect((await find(scene, { state: "kept" })).ids).toEqual([]);
  });

  test("reads no record of a run that archived and deleted nothing", async () => {
    const scene = await fourExports();
    plantReport(scene, ["newest"], 0);
    expect((await find(scene)).read.some((key) => key.startsWith("records/"))).toBe(false);
  });

  test("is said to be missing in part when the catalogue is very old", async () => {
    const scene = await fourExports();
    await scene.wait(20 * DAY_MS);
    await scene.wait(20 * DAY_MS);
    expect(await find(scene)).toMatchObject({ gaps: ["many-runs"] });
  });

  test("names a revision whose records cannot be read", async () => {
    const scene = await fourExports();
    scene.plant({ exportTaskId: "spoilt" });
    scene.plantRecord("spoilt", "archived", "{");
    plantReport(scene, ["spoilt"]);
    const key = `${taskRecordsFolder(scene.world.scope, "spoilt")}${REVISION}/`;
    const unreadable = [{ exportTaskId: "spoilt", revision: REVISION, kind: "unreadable-record", key }];
    expect(await find(scene)).toMatchObject({ unreadable });
    expect(await find(scene, { text: "SPOIL" })).toMatchObject({ unreadable, ids: [] });
    expect(await find(scene, { state: "kept" })).toMatchObject({ unreadable: [] });
  });
});

describe("an archive without a catalogue", () => {
  test("is read whole, and the answer is the same", async () => {
    const scene = await fourExports();
    const ids = (await find(scene)).ids;
    scene.loseCatalogue();
    const found = await find(scene);
    expect(found).toMatchObject({ ids, source: "records", more: false, gaps: [] });
    expect(found.told).toContainEqual(expect.objectContaining({ kind: "warning", code: "no-catalogue" }));
    expect(await find(scene, { text: "old" }, 1)).toMatchObject({ ids: ["older"], more: true });
  });

  test("that is empty gives an empty answer", async () => {
    const scene = new InventoryScene();
    expect(await find(scene)).toMatchObject({ ids: [], source: "records" });
    await scene.inventory();
    expect(await find(scene)).toMatchObject({ ids: [], source: "catalogue" });
  });
});

describe("a catalogue that may lack something", () => {
  const spoil = (scene: InventoryScene, key: string, text: string) =>
    scene.world.store.plantObject(key, Buffer.from(text));

  test.each<[string, FoundExports["gaps"], (scene: InventoryScene) => void]>([
    [
      "has no report of its inventory",
      ["inventory-unknown"],
      (scene) => scene.world.store.removeObject(inventoryStateKey(scene.world.scope)),
    ],
    [
      "has an inventory's report that is not one",
      ["inventory-unknown"],
      (scene) => spoil(scene, inventoryStateKey(scene.world.scope), '{"startedAt": 5}'),
    ],
    [
      "has a line that is not one",
      ["catalogue-damaged"],
      (scene) => {
        const key = catalogueKey(scene.world.scope, "2026-11");
        spoil(scene, key, `${scene.world.store.textAt(key) ?? ""}{"a":1}\n`);
      },
    ],
    [
      "was cut by the time limit",
      ["inventory-cut"],
      (scene) => {
        const text = scene.world.store.textAt(inventoryStateKey(scene.world.scope)) ?? "";
        spoil(scene, inventoryStateKey(scene.world.scope), text.replace('"done"', '"time-budget"'));
      },
    ],
  ])("says so: it %s", async (_what, gaps, harm) => {
    const scene = await fourExports();
    harm(scene);
    expect(await find(scene)).toMatchObject({ gaps, ids: ["newest", "kept", "older", "oldest"] });
  });

  test("shows what the last inventory found damaged, until it is archived again", async () => {
    const scene = await fourExports();
    const [key = ""] = [...scene.world.store.entries.keys()].filter((one) => /\/newest\/.*zip$/.test(one));
    scene.world.store.removeObject(key);
    await scene.inventory();
    const found = await find(scene, { state: "damaged" });
    expect(found.exports).toMatchObject([{ exportTaskId: "newest", state: "damaged", damage: "missing" }]);
  });
});

describe("the story of an export", () => {
  const tell = (scene: InventoryScene, id: string) => {
    const { ports } = scene.ports(nextName());
    return scene.world.run(() => tellStory(ports, scene.world.scope, id, scene.unaborted));
  };

  test("tells what its records say, in the order of time", async () => {
    const scene = new InventoryScene();
    const { scope } = scene.world;
    const source = {
      resource_condition: { task_id: "batch-7" },
      create_time: "20261120T010203Z",
      end_time: "2026-11-20T01:03:05.250Z",
    };
    scene.plant({ exportTaskId: "one", source });
    scene.hold("o*");
    const plant = (key: string, document: object) =>
      scene.world.store.plantObject(key, Buffer.from(JSON.stringify(document)));
    plant("requests/batch-7-20261120T010000Z.json", { requestedAt: "2026-11-20T01:00:30Z", source: "event" });
    plant("requests/batch-7.claim-1.json", { statusTime: "20261120T010000Z" });
    plant("requests/batch-7.claim-1.result.json", { outcome: "made", exportTaskId: "one" });
    plant(recordKey(scope, "one", REVISION, "dead-letter", 1), {
      schemaVersion: 1,
      reason: "max-attempts",
      detail: "every try failed",
      attempts: 5,
      runId: "r",
      deadLetteredAt: "2026-11-20T12:00:00Z",
      body: "one",
    });
    const story = await tell(scene, "one");
    expect(story.holds).toMatchObject([{ pattern: "o*" }]);
    expect(story.revisions).toMatchObject([
      { revision: REVISION, state: "deleted", copy: "as-recorded", unreadable: [] },
    ]);
    const [{ story: events = [] } = {}] = story.revisions;
    expect(events.map(({ kind }) => kind)).toEqual([
      "requested",
      "created",
      "finished",
      "dead-lettered",
      "archived",
      "deleted",
    ]);
  });

  test("tells when the copy was last read, by the ledgers or by its record", async () => {
    const scene = await fourExports();
    const lastRead = async () => (await tell(scene, "newest")).revisions[0]?.lastRead;
    expect(await lastRead()).toMatchObject({ by: "archiving", result: "intact" });
    await scene.wait(20 * DAY_MS);
    const at = new Date(scene.world.clock.wallMs()).toISOString();
    const key = (await find(scene, { text: "newest" })).exports[0]?.key;
    const entry = { at, exportTaskId: "newest", revision: REVISION, key, result: "intact" };
    const line = `${JSON.stringify({ ...entry, sizeBytes: 100, durationMs: 5 })}\n`;
    scene.world.store.plantObject(verificationKey(scene.world.clock.wallMs()), Buffer.from(line));
    await scene.wait(20 * DAY_MS);
    expect(await lastRead()).toEqual({ at, by: "inventory", result: "intact" });
  });

  test("says that the object is missing, whatever the catalogue says", async () => {
    const scene = await fourExports();
    const [key = ""] = [...scene.world.store.entries.keys()].filter((one) => /\/newest\/.*zip$/.test(one));
    scene.world.store.removeObject(key);
    expect((await tell(scene, "newest")).revisions).toMatchObject([{ state: "damaged", copy: "missing" }]);
  });

  test("names the records that cannot be read", async () => {
    const scene = await fourExports();
    scene.plantRecord("newest", "deleted", "{");
    expect((await tell(scene, "newest")).revisions).toMatchObject([
      { state: "unreadable", unreadable: ["deleted"] },
    ]);
  });

  test("of an unknown id says how to look for it", async () => {
    await expect(tell(await fourExports(), "nope")).rejects.toMatchObject({ code: "no-such-export" });
  });
});
