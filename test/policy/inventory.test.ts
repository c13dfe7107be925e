import { describe, expect, test } from "vitest";
import { catalogueKey, recordKey } from "../../lib/domain/key-layout.ts";
import { InventoryScene } from "./inventory-scene.ts";
import { DAY_MS } from "./retention-scene.ts";

const REVISION = "fe8e44f7";
const MONTH = "2026-11";

/** An archive with three exports of two months. */
function threeExports(): InventoryScene {
  const scene = new InventoryScene();
  const source = {
    resource_condition: { task_id: "batch-7" },
    app_id: "app-1",
    create_time: "20261120T010203Z",
    end_time: "2026-11-20T01:03:05.250Z",
    export_count: 3,
  };
  scene.plant({ exportTaskId: "one", source });
  scene.plant({ exportTaskId: "two", deletedAtMs: undefined });
  scene.plant({ exportTaskId: "old", archivedAtMs: scene.startedAtMs - 40 * DAY_MS });
  return scene;
}

describe("the catalogue", () => {
  test("has a line for each archived revision, by the month in which it was archived", async () => {
    const scene = threeExports();
    const report = await scene.inventory();
    expect(report).toMatchObject({ stopReason: "done", damage: [], orphans: [] });
    expect(report.counts).toMatchObject({ exports: 3, objects: 3, read: 3, monthsWritten: 2 });
    expect([...scene.files.keys()]).toEqual(["2026-10.jsonl", "2026-11.jsonl"]);
    expect(scene.lines.map(({ exportTaskId }) => exportTaskId)).toEqual(["old", "one", "two"]);
    expect(scene.shown.map(({ exportTaskId }) => exportTaskId)).toEqual(["old", "one", "two"]);
  });

  test("shows what the export was made of, its object and what became of it", async () => {
    const scene = threeExports();
    await scene.inventory();
    expect(scene.lines[1]).toEqual({
      exportTaskId: "one",
      revision: REVISION,
      batchTaskId: "batch-7",
      appId: "app-1",
      createTime: "2026-11-20T01:02:03.000Z",
      endTime: "2026-11-20T01:03:05.250Z",
      exportCount: 3,
      key: expect.stringMatching(/^exports\/.*\/one\/fe8e44f7-0a1b2c\.zip$/),
      versionId: expect.any(String),
      sizeBytes: 100,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      archivedAt: expect.any(String),
      deletedAt: expect.any(String),
      condition: { task_id: "batch-7" },
      wasReadBack: true,
      recordsTag: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
    expect(scene.lines[2]).not.toHaveProperty("deletedAt");
  });

  test("is left alone on a day on which nothing happened, and no record is read", async () => {
    const scene = threeExports();
    await scene.inventory();
    const before = scene.files;
    const report = await scene.inventory();
    expect(report.counts).toMatchObject({ exports: 3, read: 0, monthsWritten: 0 });
    expect(scene.files).toEqual(before);
  });

  test("reads the records of what is new and of what changed, and of nothing else", async () => {
    const scene = threeExports();
    await scene.inventory();
    scene.plant({ exportTaskId: "three" });
    const at = new Date(scene.startedAtMs).toISOString();
    const idempotencyKey = `iotda:${scene.world.scope.projectId}:default:two:${REVISION}`;
    const facts = { deletedAt: at, confirmedAt: at, runId: "r", outcome: "deleted" };
    scene.plantRecord("two", "deleted", { schemaVersion: 1, idempotencyKey, ...facts });
    expect((await scene.inventory()).counts).toMatchObject({ exports: 4, read: 2, monthsWritten: 1 });
    expect(scene.lines.filter(({ deletedAt }) => deletedAt !== undefined)).toHaveLength(4);
  });

  test.each([
    ["lost", (scene: InventoryScene) => scene.loseCatalogue()],
    ["cut off", (scene: InventoryScene) => spoil(scene, (text) => text.slice(0, -40))],
    ["of a line twice", (scene: InventoryScene) => spoil(scene, (text) => text + text)],
    ["of a foreign line", (scene: InventoryScene) => spoil(scene, (text) => `{"a":1}\n${text}`)],
    ["in another order", (scene: InventoryScene) => spoil(scene, reversedLines)],
    [
      "without one of its lines",
      (scene: InventoryScene) => spoil(scene, (text) => text.replace(/^.*\n/, "")),
    ],
  ])("whose file is %s is made again with the same bytes", async (_how, damage) => {
    const scene = threeExports();
    await scene.inventory();
    const before = scene.files;
    damage(scene);
    expect((await scene.inventory()).stopReason).toBe("done");
    expect(scene.files).toEqual(before);
  });

  test("whose file is gone is said to be gone, and a month that never had one is not", async () => {
    const scene = threeExports();
    const warnings = () => scene.told.flatMap((event) => (event.kind === "warning" ? [event.message] : []));
    await scene.inventory();
    await scene.inventory();
    expect(warnings()).toEqual([]);
    scene.world.store.removeObject(catalogueKey(scene.world.scope, "2026-10"));
    await scene.inventory();
    expect(warnings()).toEqual([
      "the catalogue file of 2026-10 is missing; it is made again from the records",
    ]);
  });

  test("whose file is gone is said to be gone where an export that is new to the month is met first", async () => {
    const scene = new InventoryScene();
    scene.plant({ exportTaskId: "z-old" });
    await scene.inventory();
    await scene.inventory();
    scene.loseCatalogue();
    scene.plant({ exportTaskId: "a-new", archivedAtMs: scene.world.clock.wallMs() + DAY_MS });
    await scene.inventory();
    expect(scene.told).toContainEqual(expect.objectContaining({ code: "catalogue-lost" }));
  });

  test("says why a task is still on the platform when a hold keeps it there", async () => {
    const scene = threeExports();
    scene.hold("two");
    await scene.inventory();
    expect(scene.lines.filter(({ keptFor }) => keptFor === "hold").map((line) => line.exportTaskId)).toEqual([
      "two",
    ]);
    scene.world.store.removeObject("holds/two.json");
    await scene.inventory();
    expect(scene.lines.some((line) => "keptFor" in line)).toBe(false);
  });

  test("moves a revision that was archived again to the month of its new record", async () => {
    const scene = new InventoryScene();
    scene.plant({ exportTaskId: "one", archivedAtMs: scene.startedAtMs - 40 * DAY_MS });
    await scene.inventory();
    const text =
      scene.world.store.textAt(recordKey(scene.world.scope, "one", REVISION, "archived", 1)) ?? "{}";
    const again = text
      .replaceAll("0a1b2c", "ffffff")
      .replace(/"archivedAt":"[^"]*"/, `"archivedAt":"${new Date(scene.startedAtMs).toISOString()}"`);
    scene.plantRecord("one", "archived", again, 2);
    const [first] = [...scene.world.store.entries].filter(([key]) => key.endsWith("0a1b2c.zip"));
    scene.world.store.plantObject(
      first?.[0].replace("0a1b2c", "ffffff") ?? "",
      first?.[1].bytes ?? Buffer.of(),
    );
    const report = await scene.inventory();
    expect(report).toMatchObject({ damage: [], orphans: [] });
    expect(scene.lines).toHaveLength(1);
    expect(scene.lines[0]).toMatchObject({
      key: expect.stringContaining("ffffff"),
      earlier: [{ key: expect.stringContaining("0a1b2c"), sizeBytes: 100 }],
    });
    expect(scene.files.get(`${MONTH}.jsonl`)).not.toBe("");
  });
});

describe("what is wrong", () => {
  test.each([
    [
      "missing",
      (scene: InventoryScene, key: string) => scene.world.store.removeObject(key),
      { kind: "missing" },
    ],
    [
      "of another size",
      (scene: InventoryScene, key: string) => scene.world.store.plantObject(key, Buffer.from("short")),
      { kind: "resized", recordedBytes: 100, foundBytes: 5 },
    ],
  ])("an object that is %s is damage, said by the next inventory", async (_how, harm, damage) => {
    const scene = new InventoryScene();
    const key = scene.plant({ exportTaskId: "one" });
    scene.plant({ exportTaskId: "two" });
    await scene.inventory();
    harm(scene, key);
    const report = await scene.inventory();
    expect(report.damage).toEqual([
      { exportTaskId: "one", revision: REVISION, key, ...{ recordedBytes: 100 }, ...damage },
    ]);
    expect(report.counts.damaged).toBe(1);
  });

  test("an expired export whose object is gone is in order", async () => {
    const scene = new InventoryScene();
    const key = scene.plant({ exportTaskId: "one" });
    const at = new Date(scene.startedAtMs).toISOString();
    const idempotencyKey = `iotda:${scene.world.scope.projectId}:default:one:${REVISION}`;
    const objects = [{ key, sizeBytes: 100, sha256: "0".repeat(64) }];
    const facts = { objects, rule: "default", keepUntil: at, expiredAt: at, runId: "r" };
    scene.plantRecord("one", "expired", { schemaVersion: 1, idempotencyKey, ...facts });
    scene.world.store.removeObject(key);
    expect((await scene.inventory()).damage).toEqual([]);
    expect(scene.lines[0]).toMatchObject({ expiredAt: at });
  });

  test("a record that cannot be read is damage, and its object is not called an orphan", async () => {
    const scene = new InventoryScene();
    scene.plant({ exportTaskId: "one" });
    scene.plantRecord("one", "archived", "{ not json");
    await scene.wait(2 * DAY_MS);
    const report = await scene.inventory();
    expect(report.damage).toMatchObject([{ exportTaskId: "one", kind: "unreadable-record" }]);
    expect(report.orphans).toEqual([]);
    expect(scene.lines).toEqual([]);
  });

  test.each([
    ["of a revision that is recorded elsewhere", true],
    ["of a revision without a record", false],
  ])("an object %s is an orphan a day after it was made", async (_which, isRecorded) => {
    const scene = new InventoryScene();
    const recorded = scene.plant({ exportTaskId: "one" });
    const key = isRecorded ? recorded.replace("0a1b2c", "ffffff") : recorded.replace("/one/", "/lost/");
    scene.world.store.plantObject(key, Buffer.from("orphan"));
    expect((await scene.inventory()).orphans).toEqual([]);
    await scene.wait(DAY_MS + 60_000);
    const report = await scene.inventory();
    expect(report.orphans).toMatchObject([{ key, sizeBytes: 6, exportTaskId: isRecorded ? "one" : "lost" }]);
    expect(scene.has(key)).toBe(true);
  });

  test("an entry that is not an object is named and left alone", async () => {
    const scene = threeExports();
    scene.hold("what is this?");
    const report = await scene.inventory();
    expect(report.leftAlone).toMatchObject({ count: 1 });
    // A hold that cannot be understood holds everything.
    expect(scene.lines.filter(({ keptFor }) => keptFor === "hold")).toHaveLength(1);
  });
});

describe("an inventory that is cut short", () => {
  test("says so, keeps what it read, and the next one goes on", async () => {
    const scene = new InventoryScene();
    for (let index = 0; index < 100; index += 1) {
      scene.plant({ exportTaskId: `task-${index}` });
    }
    const first = await scene.inventory({ limitMs: 20_500 });
    expect(first.stopReason).toBe("time-budget");
    expect(scene.lines.length).toBeGreaterThan(0);
    expect(scene.lines.length).toBeLessThan(100);
    const second = await scene.inventory();
    expect(second).toMatchObject({ stopReason: "done", orphans: [] });
    expect(second.counts.read).toBe(100 - first.counts.read);
    expect(scene.lines).toHaveLength(100);
  });

  test("remembers over days of cuts when the last one was whole", async () => {
    const scene = new InventoryScene();
    scene.plant({ exportTaskId: "first" });
    const { startedAt } = await scene.inventory();
    for (let day = 0; day < 3; day += 1) {
      scene.plant({ exportTaskId: `task-${day}` });
      await scene.wait(DAY_MS);
      // There is time for nothing but the grace at the end.
      const cut = await scene.inventory({ limitMs: 20_000 });
      expect(cut).toMatchObject({ stopReason: "time-budget", lastWholeAt: startedAt });
    }
    const whole = await scene.inventory();
    await scene.wait(DAY_MS);
    expect((await scene.inventory()).lastWholeAt).toBe(whole.startedAt);
  });
});

function reversedLines(text: string): string {
  return `${text.trimEnd().split("\n").reverse().join("\n")}\n`;
}

/** Changes the file of November. */
function spoil(scene: InventoryScene, change: (text: string) => string): void {
  const key = catalogueKey(scene.world.scope, MONTH);
  const text = scene.world.store.textAt(key) ?? "";
  scene.world.store.plantObject(key, Buffer.from(change(text)));
}
