import { describe, expect, test } from "vitest";
import { ARCHIVE_MARKER_KEY, recordKey, STORE_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { storeError } from "../world/port-errors.ts";
import { Memory, ONE, OTHER, Place } from "./identity-scene.ts";

const CAUSES = /disk may not be mounted.*mistyped.*iotda-archiver init/;

describe("a marked place", () => {
  test("is opened, and remembered", async () => {
    const place = new Place();
    place.mark();
    expect((await place.open()).marker?.archiveId).toBe(ONE);
    expect(place.memory.archiveId).toBe(ONE);
    expect(place.keys()).toEqual([ARCHIVE_MARKER_KEY]);
  });

  test.each([
    ["the queue remembers another", OTHER, {}],
    ["the setting names another", undefined, { archiveId: OTHER }],
  ])("is refused when %s, with both ids and the causes", async (_name, remembered, settings) => {
    const place = new Place();
    place.mark();
    place.memory = new Memory(remembered);
    await expect(place.open(settings)).rejects.toMatchObject({
      code: "another-archive",
      scope: "system",
      retry: "never",
      message: expect.stringMatching(new RegExp(`${ONE}.*${OTHER}`)),
      hint: expect.stringMatching(
        /disk may not be mounted.*mistyped.* If this archive is meant, .*iotda-archiver init/,
      ),
    });
    expect(place.memory.archiveId).toBe(remembered);
  });

  test.each(["{", "[]", '{"schemaVersion":1,"archiveId":"x","createdAt":"2026-11-01T00:00:00.000Z"}'])(
    "whose marker reads %s is refused and left as it is",
    async (text) => {
      const place = new Place();
      place.plant(ARCHIVE_MARKER_KEY, text);
      await expect(place.open({ purpose: "begin" })).rejects.toMatchObject({
        code: "archive-marker-unreadable",
      });
      await expect(place.init(true)).rejects.toMatchObject({ code: "archive-marker-unreadable" });
      expect(place.world.store.entries.get(ARCHIVE_MARKER_KEY)?.text).toBe(text);
    },
  );
});

describe("what a marked place can do, told without a write,", () => {
  async function told(place: Place) {
    const runner = place.runner();
    return await place.world.runAlone(runner, () => place.store({ purpose: "use" }, runner).look(ALWAYS));
  }

  test("is what its profile says before the first run", async () => {
    const place = new Place();
    place.mark();
    expect(await told(place)).toMatchObject({ value: { triedOut: false, abilities: { archiveId: ONE } } });
    expect(place.keys()).toEqual([ARCHIVE_MARKER_KEY]);
    expect(place.world.effects.at("store.preflight", "store.putDocument")).toEqual([]);
  });

  test("is what a run found within a day, and nothing older", async () => {
    const place = new Place();
    place.mark();
    await place.world.run(() => place.store().preflight(ALWAYS));
    expect(await told(place)).toMatchObject({ value: { triedOut: true } });
    await place.world.run(() => place.world.clock.sleep(25 * 3_600_000));
    expect(await told(place)).toMatchObject({ value: { triedOut: false } });
  });
});

describe("an unmarked place", () => {
  test("is told to who foresees what a run would begin, and nothing is written", async () => {
    const place = new Place();
    expect(await place.open({ purpose: "foresee" })).toEqual({ marker: undefined, isEmpty: true });
    expect(place.keys()).toEqual([]);
    await expect(place.open({ purpose: "foresee", archiveId: ONE })).rejects.toMatchObject({
      code: "no-archive",
    });
  });

  test.each(["use", "work"] as const)("without records is refused for %s", async (purpose) => {
    const place = new Place();
    await expect(place.open({ purpose })).rejects.toMatchObject({
      code: "no-archive",
      scope: "system",
      retry: "never",
      hint: expect.stringMatching(CAUSES),
    });
    expect(place.keys()).toEqual([]);
    expect(place.memory.archiveId).toBeUndefined();
  });

  test("becomes an archive for a run that deletes nothing, and says so", async () => {
    const place = new Place();
    const { marker } = await place.open({ purpose: "begin" });
    expect(marker?.archiveId).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(place.memory.archiveId).toBe(marker?.archiveId);
    expect(place.said).toEqual(["archive-begun"]);
  });

  test.each([
    ["remembered", ONE, {}],
    ["set", undefined, { archiveId: ONE }],
  ])("is refused even then while one is %s, records or not", async (_name, remembered, settings) => {
    const place = new Place();
    place.memory = new Memory(remembered);
    await expect(place.open({ purpose: "begin", ...settings })).rejects.toMatchObject({ code: "no-archive" });
    place.plantRecord();
    const keys = place.keys();
    await expect(place.open({ purpose: "begin", ...settings })).rejects.toMatchObject({ code: "no-archive" });
    expect(place.keys()).toEqual(keys);
  });

  test("with a record of ours is taken over by a run, and only used by all else", async () => {
    const place = new Place();
    place.plantRecord();
    expect((await place.open({ purpose: "use" })).marker).toBeUndefined();
    expect(place.keys()).not.toContain(ARCHIVE_MARKER_KEY);
    const { marker } = await place.open({ purpose: "work" });
    expect(place.said).toEqual(["archive-taken-over"]);
    expect((await place.open({ purpose: "use" })).marker).toEqual(marker);
  });

  test("with a record that cannot be read, or of another project, is none", async () => {
    const place = new Place();
    place.plant(recordKey(place.world.scope, "task-1", "fe8e44f7", "archived", 1), "{");
    await expect(place.open()).rejects.toMatchObject({ code: "no-archive" });
    place.plantRecord();
    const scope = { projectId: "another", instanceId: undefined };
    await expect(place.open({ scope })).rejects.toMatchObject({ code: "no-archive" });
  });

  test.each(["store.getDocument", "store.list"] as const)("is not one that failed at %s", async (site) => {
    const place = new Place();
    place.world.faults.plant({ site, form: "not-done", error: storeError("store-unavailable") });
    await expect(place.open({ purpose: "begin" })).rejects.toMatchObject({ code: "store-unavailable" });
    expect(place.keys()).toEqual([]);
  });

  test.each([true, false])("begun by four at once is one archive (creates once: %s)", async (createOnce) => {
    const place = new Place();
    place.world.store.settings.createOnce = createOnce;
    place.memory = new Memory();
    const stores = [1, 2, 3, 4].map(() => place.store({ purpose: "begin" }));
    const ids = await place.world.run(() =>
      Promise.all(stores.map(async (store) => (await store.archive(ALWAYS)).marker?.archiveId)),
    );
    expect(new Set(ids).size).toBe(1);
  });
});

test("of two archives that are opened at once on a new queue, the first stands", async () => {
  const place = new Place();
  place.mark();
  const runners = [place.runner(), place.world.startRunner("other", { place: "another" })];
  const openings = await place.world.run(() =>
    Promise.allSettled(runners.map((runner) => place.store({}, runner).archive(ALWAYS))),
  );
  expect(openings.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(openings.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { code: "another-archive" },
  });
});

test("a missing bucket or folder is not an archive, and the causes are named", async () => {
  const place = new Place();
  place.world.faults.plant({
    site: "store.getDocument",
    form: "not-done",
    error: storeError("store-missing"),
  });
  await expect(place.open({ purpose: "begin" })).rejects.toMatchObject({
    code: "no-archive",
    hint: expect.stringMatching(CAUSES),
  });
});

test("nothing is asked of the store before the archive is open", async () => {
  const place = new Place();
  const store = place.store();
  const calls = [
    () => store.preflight(ALWAYS),
    () => store.head("x", ALWAYS),
    () => store.getDocument("x", ALWAYS),
    () => store.putDocument("x", "{}", { kind: "always" }, ALWAYS),
    () => store.abortUploadsUnder("", ALWAYS),
    () => store.openUpload("x", { ...ALWAYS, metadata: {}, expectedSizeBytes: 0 }),
    () => store.readClockMs(ALWAYS),
    () => store.list("", ALWAYS)[Symbol.asyncIterator]().next(),
    () => store.read("x", ALWAYS)[Symbol.asyncIterator]().next(),
  ];
  for (const call of calls) {
    await expect(place.world.run<unknown>(call)).rejects.toMatchObject({ code: "no-archive" });
  }
  expect(place.keys()).toEqual([]);
});

describe("what the store can do", () => {
  const tries = (place: Place) =>
    place.world.effects.all.filter(({ site }) => site === "store.preflight").length;

  test("is remembered for a day, and tried out again with other settings or an unreadable memory", async () => {
    const place = new Place();
    place.mark();
    const preflight = (storeSettings = "s") =>
      place.world.run(() => place.store({ storeSettings }).preflight(ALWAYS));
    const abilities = await preflight();
    expect(await preflight()).toEqual(abilities);
    expect(tries(place)).toBe(1);
    await preflight("t");
    expect(tries(place)).toBe(2);
    place.plant(STORE_STATE_KEY, "{");
    await preflight("t");
    expect(tries(place)).toBe(3);
    await place.world.run(() => place.world.clock.sleep(24 * 3_600_000));
    await preflight("t");
    expect(tries(place)).toBe(4);
  });
});

test("what was remembered of the store does not decide how copies are verified", async () => {
  const place = new Place();
  place.mark();
  const preflight = () => place.world.run(() => place.store().preflight(ALWAYS));
  const { verification } = await preflight();
  const state = JSON.parse(place.world.store.textAt(STORE_STATE_KEY) ?? "");
  expect(state.abilities).not.toHaveProperty("verification");
  place.plant(STORE_STATE_KEY, { ...state, abilities: { ...state.abilities, verification: "stored" } });
  expect((await preflight()).verification).toBe(verification);
});
