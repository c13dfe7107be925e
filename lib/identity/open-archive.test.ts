import { describe, expect, test } from "vitest";
import { ALWAYS } from "../../test/world/example-archiver.ts";
import { storeError } from "../../test/world/port-errors.ts";
import { type Runner, World } from "../../test/world/world.ts";
import { ARCHIVE_MARKER_KEY, recordKey, STORE_STATE_KEY } from "../domain/key-layout.ts";
import type { ArchiveMemory } from "../ports/archive-memory.ts";
import { ArchiveObjectStore } from "./archive-object-store.ts";
import { initArchive } from "./init-archive.ts";
import type { IdentitySettings } from "./open-archive.ts";

const ONE = "11111111-1111-4111-8111-111111111111";
const OTHER = "22222222-2222-4222-8222-222222222222";
/** Is known as a secret here. */
const SECRET = "planted-by-others";
const CAUSES = /disk may not be mounted.*mistyped.*iotda-archiver init/;

class Memory implements ArchiveMemory {
  archiveId: string | undefined;
  constructor(archiveId?: string) {
    this.archiveId = archiveId;
  }
  async recall() {
    return this.archiveId;
  }
  async rememberFirst(archiveId: string) {
    this.archiveId ??= archiveId;
    return this.archiveId;
  }
  async remember(archiveId: string) {
    this.archiveId = archiveId;
  }
}

class Place {
  readonly world = new World();
  readonly said: string[] = [];
  memory = new Memory();
  #runs = 0;

  runner(): Runner {
    this.#runs += 1;
    return this.world.startRunner(`run-${this.#runs}`);
  }

  mark(archiveId = ONE): void {
    this.plant(ARCHIVE_MARKER_KEY, { schemaVersion: 1, archiveId, createdAt: "2026-11-01T00:00:00.000Z" });
  }

  plant(key: string, content: object | string): void {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    this.world.store.plantObject(key, Buffer.from(text));
  }

  /** As an archive from before markers has it. */
  plantRecord(): void {
    const { projectId } = this.world.scope;
    const at = "2026-11-01T00:00:00.000Z";
    this.plant(recordKey(this.world.scope, "task-1", "fe8e44f7", "archived", 1), {
      schemaVersion: 1,
      idempotencyKey: `iotda:${projectId}:default:task-1:fe8e44f7`,
      projectId,
      instanceId: null,
      exportTaskId: "task-1",
      revision: "fe8e44f7",
      object: { key: "exports/x", sizeBytes: 1, sha256: "0".repeat(64), etag: "e" },
      source: {},
      verification: { level: "read-back", container: "members" },
      downloadedAt: at,
      archivedAt: at,
      runId: "run-0",
      attempts: 0,
    });
  }

  store(settings: Partial<IdentitySettings> = {}, runner = this.runner()): ArchiveObjectStore {
    const { clock, random, store } = runner;
    const say = (code: string) => this.said.push(code);
    return new ArchiveObjectStore(
      store,
      { memory: this.memory, clock, random, say, redact: (text) => text.replaceAll(SECRET, "[redacted]") },
      { scope: this.world.scope, archiveId: undefined, storeSettings: "s", purpose: "work", ...settings },
    );
  }

  open(settings: Partial<IdentitySettings> = {}) {
    return this.world.run(() => this.store(settings).archive(ALWAYS));
  }

  init(adopt = false, archiveId?: string) {
    const { clock, random, store } = this.runner();
    const ports = { store, memory: this.memory, clock, random, say: () => undefined };
    return this.world.run(() => initArchive(ports, { archiveId, storeSettings: "s" }, { ...ALWAYS, adopt }));
  }

  keys(): readonly string[] {
    return this.world.store.keysUnder("");
  }
}

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
      hint: expect.stringMatching(CAUSES),
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

describe("an unmarked place", () => {
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

test("a missing bucket or folder is no archive, and the causes are named", async () => {
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

  test("is remembered for a day, and tried out anew with other settings or an unreadable memory", async () => {
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

describe("init", () => {
  test("makes an archive, says what lies there, and finds it the second time", async () => {
    const place = new Place();
    place.plant("photos/a.jpg", "x");
    const made = await place.init();
    expect(made).toMatchObject({ made: true, found: [{ name: "photos/", objects: 1 }] });
    expect(await place.init()).toMatchObject({ made: false, archiveId: made.archiveId });
    expect((await place.open()).marker?.archiveId).toBe(made.archiveId);
  });

  test("gives the archive the id that is set", async () => {
    const place = new Place();
    expect(await place.init(false, OTHER)).toMatchObject({ made: true, archiveId: OTHER });
  });

  test("makes none in an empty place while the queue remembers one, unless it is meant", async () => {
    const place = new Place();
    place.memory = new Memory(ONE);
    await expect(place.init()).rejects.toMatchObject({
      code: "no-archive",
      hint: expect.stringContaining("init --adopt"),
    });
    expect(place.keys()).toEqual([]);
    const { archiveId } = await place.init(true);
    expect(place.memory.archiveId).toBe(archiveId);
    expect(archiveId).not.toBe(ONE);
  });

  test("takes another archive only when that is meant", async () => {
    const place = new Place();
    place.mark();
    place.memory = new Memory(OTHER);
    await expect(place.init()).rejects.toMatchObject({ code: "another-archive" });
    expect(await place.init(true)).toMatchObject({ made: false, archiveId: ONE, replaced: OTHER });
    expect(place.memory.archiveId).toBe(ONE);
  });
});

test("what is there for people is written without secrets, and nothing else is touched", async () => {
  const place = new Place();
  place.mark();
  const store = place.store();
  const text = JSON.stringify({ body: JSON.stringify({ a: SECRET }), attempts: 0, [SECRET]: 1 });
  const redacted = { body: JSON.stringify({ a: "[redacted]" }), attempts: 0, [SECRET]: 1 };
  const ofTask = recordKey(place.world.scope, "task-1", "fe8e44f7", "dead-letter", 2);
  const forPeople = ["runs/x.json", "dead-letters/x.json", "holds/lifted/x.json", "holds/x.json", ofTask];
  const forPrograms = [
    recordKey(place.world.scope, "task-1", "fe8e44f7", "archived", 1),
    "state/pacing.json",
    "requests/x.json",
  ];
  for (const key of [...forPeople, ...forPrograms]) {
    await place.world.run(() => store.putDocument(key, text, { kind: "always" }, ALWAYS));
    const written = await place.world.run(() => store.getDocument(key, ALWAYS));
    expect([key, JSON.parse(written?.text ?? "")]).toEqual([
      key,
      forPeople.includes(key) ? redacted : JSON.parse(text),
    ]);
  }
});
