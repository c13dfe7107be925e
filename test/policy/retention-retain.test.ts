import { describe, expect, test } from "vitest";
import { ALWAYS } from "../world/example-archiver.ts";
import { storeError } from "../world/port-errors.ts";
import { retentionSite } from "../world/world-retention.ts";
import { DAY_MS, policyOf, RetentionScene } from "./retention-scene.ts";

const ID = "night-01";

function locking(keepDays: number | "forever", lock = "governance", more: object = {}) {
  return policyOf({ default: { keepDays, lock, ...more } });
}

/** How often lock and tags of a key were written. */
function writes(scene: RetentionScene, key: string): readonly (number | undefined)[] {
  return [scene.retention.writes.get(`lock ${key}`), scene.retention.writes.get(`tags ${key}`)];
}

function lockOf(scene: RetentionScene, key: string) {
  return scene.retention.protectionOf(key, undefined)?.lock;
}

test("an object gets lock, tags and record; duplicates of its event and the sweep apply nothing again", async () => {
  const scene = new RetentionScene({ policy: locking(30, "compliance", { storageClass: "GLACIER_IR" }) });
  const key = scene.plant({ exportTaskId: ID });
  const other = { team: "ours" };
  scene.retention.tag(key, undefined, other);
  scene.retention.writes.clear();
  const until = new Date(scene.startedAtMs + 30 * DAY_MS).toISOString();
  expect(await scene.retain(key)).toMatchObject({
    counts: { retained: 1 },
    store: { canLock: true, canTag: true },
    entries: [{ exportTaskId: ID, key, rule: "default", keepUntil: until, lockedUntil: until }],
  });
  await scene.retain(key);
  await scene.retain(key);
  expect((await scene.sweep()).counts).toEqual({ "up-to-date": 1 });
  expect(writes(scene, key)).toEqual([1, 1]);
  expect(scene.retention.protectionOf(key, undefined)).toMatchObject({
    lock: { mode: "compliance", untilMs: Date.parse(until) },
    tags: {
      team: "ours",
      "archiver-rule": "default",
      "archiver-keep-until": until,
      "archiver-storage-class": "GLACIER_IR",
    },
  });
  expect(scene.record(ID, "retained")).toMatchObject({
    schemaVersion: 1,
    object: { key },
    keepUntil: until,
    lock: "compliance",
    lockedUntil: until,
    applied: { lock: "locked", tags: "tagged" },
  });
  expect(scene.record(ID, "retained", 2)).toBeUndefined();
});

test("the event waits for the record; an object that none comes to name is reported and not touched", async () => {
  const scene = new RetentionScene({ policy: locking(30) });
  const key = scene.plant({ exportTaskId: ID });
  const recordKey = `records/project-1/default/${ID}/fe8e44f7/archived.json`;
  const record = scene.world.store.textAt(recordKey) ?? "";
  scene.world.store.removeObject(recordKey);
  const ending = scene.start(async (ports) => {
    const { retainObject } = await import("../../lib/retention/retain.ts");
    const late = scene.world.clock
      .sleep(20_000)
      .then(() => scene.world.store.plantObject(recordKey, Buffer.from(record)));
    const report = await retainObject(ports, scene.settings, key, ALWAYS);
    await late;
    return report;
  });
  expect(await ending).toMatchObject({ kind: "finished", value: { counts: { retained: 1 } } });

  const orphan = key.replace("0a1b2c", "ffffff");
  scene.world.store.plantObject(orphan, Buffer.from("orphan"));
  expect(await scene.retain(orphan)).toMatchObject({
    counts: { unrecorded: 1 },
    entries: [{ key: orphan, outcome: "unrecorded" }],
  });
  expect(writes(scene, orphan)).toEqual([undefined, undefined]);
  expect((await scene.retain("records/not-an-export.json")).counts).toEqual({});
});

describe("a policy that changes", () => {
  test("longer: the sweep extends lock and tags, and writes the next record", async () => {
    const scene = new RetentionScene({ policy: locking(30) });
    const key = scene.plant({ exportTaskId: ID });
    await scene.sweep();
    scene.policy = locking(40);
    expect((await scene.sweep()).counts).toEqual({ retained: 1 });
    expect(lockOf(scene, key)?.untilMs).toBe(scene.startedAtMs + 40 * DAY_MS);
    const until = new Date(scene.startedAtMs + 40 * DAY_MS).toISOString();
    expect(scene.record(ID, "retained", 2)).toMatchObject({ keepUntil: until, lockedUntil: until });
  });

  test.each([
    ["shorter", locking(20), /locked \(governance\) until .* asks for .* never shortened/],
    ["of another kind", locking(30, "compliance"), /asks for compliance, and the kind of a lock/],
    ["without a lock, and shorter", locking(20, "none"), /never shortened/],
  ])("%s, for a locked object: refused in a clear line, nothing is changed", async (_name, policy, line) => {
    const scene = new RetentionScene({ policy: locking(30) });
    const key = scene.plant({ exportTaskId: ID });
    await scene.sweep();
    const before = structuredClone(scene.retention.protectionOf(key, undefined));
    scene.policy = policy;
    const report = await scene.sweep();
    expect(report.counts).toEqual({ refused: 1 });
    expect(report.entries[0]?.problem).toMatch(line);
    expect(scene.retention.protectionOf(key, undefined)).toEqual(before);
    expect(scene.record(ID, "retained", 2)).toBeUndefined();
  });

  test("shorter, for an object without lock: recorded by the sweep", async () => {
    const scene = new RetentionScene({ policy: locking(30, "none") });
    scene.plant({ exportTaskId: ID });
    await scene.sweep();
    scene.policy = locking(20, "none");
    expect((await scene.sweep()).counts).toEqual({ retained: 1 });
    expect(scene.record(ID, "retained", 2)).toMatchObject({
      keepUntil: new Date(scene.startedAtMs + 20 * DAY_MS).toISOString(),
    });
  });
});

test("a store that can neither lock nor tag: the record says so, and is written once", async () => {
  const scene = new RetentionScene({ policy: locking(30), canLock: false, canTag: false });
  const key = scene.plant({ exportTaskId: ID });
  const report = await scene.sweep();
  expect(report.store).toEqual({ canLock: false, canTag: false });
  expect((await scene.sweep()).counts).toEqual({ "up-to-date": 1 });
  expect(writes(scene, key)).toEqual([undefined, undefined]);
  expect(scene.record(ID, "retained")).toMatchObject({
    lock: "governance",
    tags: { "archiver-rule": "default" },
    applied: { lock: "unsupported", tags: "unsupported" },
  });
  expect(scene.record(ID, "retained")).not.toHaveProperty("lockedUntil");
});

test("an object whose time is over is not locked into the past, one kept for ever is locked for a century", async () => {
  const scene = new RetentionScene({ policy: locking(30) });
  const old = scene.plant({ exportTaskId: ID, archivedAtMs: scene.startedAtMs - 31 * DAY_MS });
  await scene.sweep();
  expect(lockOf(scene, old)).toBeUndefined();
  scene.policy = locking("forever");
  await scene.sweep();
  expect(lockOf(scene, old)?.untilMs).toBe(scene.startedAtMs + (36_500 - 31) * DAY_MS);
  expect(scene.record(ID, "retained", 2)).toMatchObject({ keepUntil: "forever" });
});

test("what is missing or unreadable is reported, and one failing object stops no other", async () => {
  const scene = new RetentionScene({ policy: locking(30) });
  for (const exportTaskId of ["a", "b", "c", "d"]) {
    scene.plant({ exportTaskId });
  }
  const [missing = ""] = scene.world.store.keysUnder("exports/").filter((key) => key.includes("/a/"));
  scene.world.store.removeObject(missing);
  scene.plantRecord("b", "archived", "{}");
  scene.world.faults.plant({
    site: retentionSite("store.lockVersion"),
    form: "not-done",
    error: storeError("store-unavailable"),
  });
  const report = await scene.sweep();
  expect(report.counts).toEqual({ missing: 1, unreadable: 1, failed: 1, retained: 1 });
  expect(report).toMatchObject({ stopReason: "done" });
  expect((await scene.sweep()).counts).toMatchObject({ "up-to-date": 1, retained: 1 });
});

test("another version at the same key is not the recorded one", async () => {
  const scene = new RetentionScene({ policy: locking(30) });
  const key = scene.plant({ exportTaskId: ID });
  scene.world.store.plantObject(key, Buffer.from("written over"));
  expect((await scene.sweep()).counts).toEqual({ missing: 1 });
  expect(writes(scene, key)).toEqual([undefined, undefined]);
});
