import { describe, expect, test } from "vitest";
import { globHoldKey, holdKey, parseGlobHoldKey } from "../../lib/domain/key-layout.ts";
import { addHold, HoldsReader, isHoldPattern, removeHold } from "../../lib/records/holds.ts";
import { ID } from "../../lib/records/testing/archived-record.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { storeError } from "../world/port-errors.ts";
import { type Scene, sceneOf } from "./records-scene.ts";

const FACTS = { reason: "case 7", by: "ann", heldAt: "2026-11-24T00:00:00.000Z" };

async function held({ store, world }: Scene, exportTaskId = ID): Promise<boolean> {
  return (await world.run(() => new HoldsReader(store).read(ALWAYS))).isHeld(exportTaskId);
}

test.each([
  [ID, true],
  ["night-*", true],
  ["?", true],
  ["*", true],
  ["a".repeat(37), false],
  [`${"a".repeat(60)}*`, true],
  ["", false],
  ["a/b*", false],
  ["a.b", false],
  ["a b*", false],
])("%s is a pattern: %s", (text, expected) => {
  expect(isHoldPattern(text)).toBe(expected);
});

test("the glob of a hold is in its key", () => {
  expect(parseGlobHoldKey(globHoldKey("night-*"))).toBe("night-*");
  expect(parseGlobHoldKey("holds/globs/night.json")).toBeUndefined();
  expect(parseGlobHoldKey("holds/night.json")).toBeUndefined();
});

test("a hold that takes another's place is never away, and notes that one", async () => {
  const { read, store, world } = sceneOf();
  const add = (changes: object) =>
    world.run(() => addHold(store, { ...FACTS, pattern: ID, nonceHex: "0a", ...changes }, ALWAYS));
  const first = { schemaVersion: 1, ...FACTS, pattern: ID };
  expect(await add({})).toEqual({ hold: first });
  const newer = { reason: "case 8", by: "bob", heldAt: "2026-11-25T00:00:00.000Z" };
  expect(await add(newer)).toEqual({ hold: { ...first, ...newer }, replaced: first });
  expect(read("holds/lifted/2026/11/25/20261125T000000000Z-0a.json")).toMatchObject({
    reason: "replaced: case 8",
    by: "bob",
    hold: first,
  });
  world.store.plantObject(holdKey(ID), Uint8Array.of(0xff));
  expect(await add(newer)).toEqual({ hold: { ...first, ...newer }, replaced: "unreadable" });
  expect(world.effects.at("store.putDocument").map(({ subject }) => subject.includes("lifted"))).toEqual([
    false,
    true,
    false,
    true,
    false,
  ]);
});

describe("a task is held", () => {
  test("by its id and by every glob that matches, until that hold is lifted", async () => {
    const scene = sceneOf();
    const { store, world } = scene;
    for (const pattern of [ID, "5f2d*", "other-*"]) {
      await world.run(() => addHold(store, { ...FACTS, pattern, nonceHex: "0a" }, ALWAYS));
    }
    const lifting = { reason: "closed", by: "bob", liftedAtMs: Date.UTC(2026, 10, 25), nonceHex: "00112233" };
    const lift = (pattern: string) => world.run(() => removeHold(store, { ...lifting, pattern }, ALWAYS));
    expect(await held(scene)).toBe(true);
    expect(await lift(ID)).toBe(true);
    expect(await held(scene)).toBe(true);
    expect(await lift("5f2d*")).toBe(true);
    expect(await held(scene)).toBe(false);
    expect(await held(scene, "other-1")).toBe(true);
    expect(await lift("5f2d*")).toBe(false);
    expect(scene.read("holds/lifted/2026/11/25/20261125T000000000Z-00112233.json")).toEqual({
      schemaVersion: 1,
      pattern: "5f2d*",
      reason: "closed",
      by: "bob",
      liftedAt: "2026-11-25T00:00:00.000Z",
      hold: { schemaVersion: 1, ...FACTS, pattern: "5f2d*" },
    });
    const left = await world.run(() => new HoldsReader(store).read(ALWAYS));
    expect(left.all.map(({ pattern, record }) => [pattern, record?.by])).toEqual([["other-*", "ann"]]);
  });

  test("by a document that cannot be read, also one larger than any document", async () => {
    const scene = sceneOf();
    scene.plant(`holds/${ID}.json`, "x".repeat(5 * 1024 * 1024));
    scene.plant(globHoldKey("other-*"), "not JSON");
    expect(await held(scene)).toBe(true);
    expect(await held(scene, "other-1")).toBe(true);
    expect(await held(scene, "third")).toBe(false);
    const holds = await scene.world.run(() => new HoldsReader(scene.store).read(ALWAYS));
    expect(holds.leftAlone).toEqual([]);
    expect(holds.all.map(({ pattern, record }) => [pattern, record])).toEqual([
      [ID, undefined],
      ["other-*", undefined],
    ]);
  });

  test.each([
    ["holds/t*.json", "{}"],
    ["holds/t1.yaml", "pattern: t1"],
    ["holds/t1.json.txt", "{}"],
    ["holds/t1", ""],
    ["holds/case-7/t1.json", "{}"],
    ["holds/globs/note.txt", "what is this?"],
    ["holds/globs/t1.json", "{}"],
    [holdKey("mine"), '{"pattern":"t*"}'],
    [globHoldKey("t*"), '{"pattern":"u*","reason":"?"}'],
    [`holds/${"x".repeat(37)}.json`, "{}"],
  ])("like every other one, by %s with the content %s, which cannot be understood", async (key, content) => {
    const scene = sceneOf();
    scene.plant(key, content);
    expect(await held(scene)).toBe(true);
    const { leftAlone } = await scene.world.run(() => new HoldsReader(scene.store).read(ALWAYS));
    expect(leftAlone).toEqual([
      { kind: "hold", key, problem: expect.stringMatching(/^it.*, so it holds every task; .*hold add/) },
    ]);
  });

  test("by none of what an S3 console leaves where somebody made the folders", async () => {
    const scene = sceneOf();
    scene.plant("holds/", "");
    scene.plant("holds/globs/", "");
    expect(await held(scene)).toBe(false);
  });

  test("as its document says now, which is read again only when it changed", async () => {
    const { plant, store, world } = sceneOf();
    const reader = new HoldsReader(store);
    const isHeld = async () => (await world.run(() => reader.read(ALWAYS))).isHeld(ID);
    const key = holdKey("other");
    plant(key, '{"pattern":"other"}');
    expect([await isHeld(), await isHeld()]).toEqual([false, false]);
    expect(world.effects.at("store.getDocument")).toHaveLength(1);
    plant(key, '{"pattern":"other*"}');
    expect(await isHeld()).toBe(true);
    world.store.removeObject(key);
    expect(await isHeld()).toBe(false);
  });

  test.each([holdKey(ID), globHoldKey("5f2d*")])(
    "by %s, which is listed again although the store says that it has no such document",
    async (key) => {
      const scene = sceneOf();
      scene.plant(key, "{}");
      const { store, world } = scene;
      const lists: string[] = [];
      const reader = new HoldsReader({
        list: (prefix, options) => {
          lists.push(prefix);
          return store.list(prefix, options);
        },
        getDocument: async () => undefined,
      });
      const holds = await world.run(() => reader.read(ALWAYS));
      expect([holds.isHeld(ID), holds.isHeld("other-1")]).toEqual([true, false]);
      expect(lists).toHaveLength(2);
    },
  );

  test("no longer once a hold is lifted while it is read", async () => {
    const scene = sceneOf();
    scene.plant(holdKey(ID), "{}");
    const act = () => scene.world.store.removeObject(holdKey(ID));
    scene.world.faults.plant({ site: "store.getDocument", form: "race", act });
    expect(await held(scene)).toBe(false);
  });

  test("it is unknown while the store fails", async () => {
    const scene = sceneOf();
    const error = storeError("store-unavailable");
    scene.world.faults.plant({ site: "store.list", form: "not-done", error });
    await expect(held(scene)).rejects.toBe(error);
  });
});
