import { describe, expect, test } from "vitest";
import { verificationKey } from "../../lib/domain/key-layout.ts";
import { MAX_DOCUMENT_BYTES } from "../../lib/ports/object-store.ts";
import { effortOf } from "../simulation/effort.ts";
import { InventoryScene } from "./inventory-scene.ts";
import { DAY_MS } from "./retention-scene.ts";

const REVISION = "fe8e44f7";

/** The entries of the ledgers, in the order of their days. */
function ledgerOf(scene: InventoryScene) {
  return [...scene.world.store.entries]
    .filter(([key]) => key.startsWith("verification/"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, entry]) => entry.text.trim().split("\n"))
    .map((line): Record<string, unknown> => JSON.parse(line));
}

/** An archive of this many copies, all of the same day, long ago. */
function oldArchive(copies: number, daysAgo: number): InventoryScene {
  const scene = new InventoryScene();
  scene.verifyWithinDays = 90;
  for (let index = 0; index < copies; index += 1) {
    scene.plant({ exportTaskId: `task-${index}`, archivedAtMs: scene.startedAtMs - daysAgo * DAY_MS });
  }
  return scene;
}

describe("rolling verification", () => {
  test("reads what is due, notes it, and says how the limit stands", async () => {
    const scene = oldArchive(3, 89);
    const { verification } = await scene.inventory();
    expect(verification).toMatchObject({
      limitDays: 90,
      copies: 3,
      checked: 3,
      intact: 3,
      damaged: 0,
      checkedBytes: 300,
      oldestUnreadDays: 89,
      isLimitKept: true,
    });
    const entries = ledgerOf(scene).filter((entry) => entry.drill !== true);
    expect(entries.map(({ exportTaskId, result }) => [exportTaskId, result]).sort()).toEqual([
      ["task-0", "intact"],
      ["task-1", "intact"],
      ["task-2", "intact"],
    ]);
    // From now on one copy a day keeps the pace.
    expect((await scene.inventory()).verification).toMatchObject({ checked: 1, oldestUnreadDays: 0 });
  });

  test("keeps the entries of a day whose ledger is larger than a document", async () => {
    const scene = oldArchive(3, 89);
    const key = verificationKey(scene.world.clock.wallMs());
    const before = "{}\n".repeat(MAX_DOCUMENT_BYTES / 3 + 1);
    scene.world.store.plantObject(key, Buffer.from(before));
    await scene.inventory();
    const text = scene.world.store.entries.get(key)?.text ?? "";
    expect(text.startsWith(before)).toBe(true);
    expect(text.slice(before.length).split("\n")).toHaveLength(4);
    // What is noted there is known to the next inventory.
    expect((await scene.inventory()).verification).toMatchObject({ oldestUnreadDays: 0 });
  });

  test.each([
    { rivals: 8, checked: 3, noted: 3, warnings: [] },
    { rivals: Number.POSITIVE_INFINITY, checked: 3, noted: 0, warnings: ["ledger-busy"] },
  ])("notes every copy while another inventory writes the ledger $rivals times", async (expected) => {
    const { rivals, checked, noted, warnings } = expected;
    const scene = oldArchive(3, 89);
    const key = verificationKey(scene.world.clock.wallMs());
    let written = 0;
    scene.world.faults.plant({
      site: "store.putDocument",
      match: ({ subject }) => subject === key,
      times: rivals,
      form: "race",
      act: () => {
        written += 1;
        scene.world.store.plantObject(key, Buffer.from(`{"rival":${written}}\n`));
      },
    });
    expect((await scene.inventory()).verification).toMatchObject({ checked });
    const names = ledgerOf(scene).flatMap(({ exportTaskId }) =>
      exportTaskId === undefined ? [] : [exportTaskId],
    );
    expect(names).toHaveLength(noted);
    expect(ledgerOf(scene)).toContainEqual({ rival: written });
    expect(scene.told.filter(({ kind }) => kind === "warning")).toMatchObject(
      warnings.map((code) => ({ code })),
    );
  });

  test("switched off reads nothing", async () => {
    const scene = oldArchive(3, 89);
    scene.verifyWithinDays = 0;
    expect(await scene.inventory()).not.toHaveProperty("verification");
    expect(ledgerOf(scene)).toEqual([]);
  });

  test("a copy whose bytes changed is said to be damaged, that day and each day until it is in order", async () => {
    const scene = oldArchive(2, 89);
    const [[key, entry] = ["", undefined]] = [...scene.world.store.entries].filter(([name]) =>
      name.includes("/task-1/"),
    );
    const [before] = [entry?.bytes ?? Buffer.of()];
    scene.world.store.rotObject(key);
    const damage = [{ exportTaskId: "task-1", revision: REVISION, key, kind: "changed", recordedBytes: 100 }];
    expect((await scene.inventory()).damage).toEqual(damage);
    await scene.wait(DAY_MS);
    expect((await scene.inventory()).damage).toEqual(damage);
    scene.world.store.plantObject(key, before);
    await scene.wait(DAY_MS);
    expect((await scene.inventory()).damage).toEqual([]);
  });

  test("a copy that was damaged is named again by an inventory that had no time for reading it", async () => {
    const scene = oldArchive(2, 89);
    const [[key] = [""]] = [...scene.world.store.entries].filter(([name]) => name.includes("/task-1/"));
    scene.world.store.rotObject(key);
    const { damage } = await scene.inventory();
    expect(damage).toMatchObject([{ kind: "changed", key }]);
    const cut = await scene.inventory({ limitMs: 20_000 });
    expect(cut).toMatchObject({ damage, verification: { checked: 0 } });
    // Its bytes are in order again.
    scene.plant({ exportTaskId: "task-1", archivedAtMs: scene.startedAtMs });
    expect((await scene.inventory()).damage).toEqual([]);
  });

  test("a copy that is missing is said once", async () => {
    const scene = oldArchive(2, 89);
    const [key = ""] = [...scene.world.store.entries.keys()].filter((name) => name.startsWith("exports/"));
    scene.world.store.removeObject(key);
    const report = await scene.inventory();
    expect(report).not.toHaveProperty("failure");
    expect(report.damage).toMatchObject([{ kind: "missing", key }]);
  });

  test("restores a copy once a month, every member inflated, and notes how long that took", async () => {
    const scene = oldArchive(3, 1);
    const first = await scene.inventory();
    // The bytes of the scene are not a ZIP: the drill says what it found.
    expect(first.verification?.drill).toMatchObject({ result: "failed", sizeBytes: 100 });
  });
});

const isFull = effortOf(process.env).everyStore;
const NIGHTS = isFull
  ? { perNight: 50, limitDays: 90, nights: 200 }
  : { perNight: 3, limitDays: 20, nights: 50 };

/** What the last night needs: each copy once within the limit. */
const NEEDED_BYTES_PER_DAY = (NIGHTS.perNight * 100 * NIGHTS.nights) / NIGHTS.limitDays;

describe("night after night", () => {
  test(`every copy is read within ${NIGHTS.limitDays} days`, { timeout: 3_600_000 }, async () => {
    const scene = new InventoryScene();
    scene.verifyWithinDays = NIGHTS.limitDays;
    scene.verifyBytesPerDay = NEEDED_BYTES_PER_DAY * 1.2;
    let id = 0;
    for (let night = 0; night < NIGHTS.nights; night += 1) {
      for (let count = 0; count < NIGHTS.perNight; count += 1) {
        id += 1;
        scene.plant({ exportTaskId: `task-${id}`, archivedAtMs: scene.world.clock.wallMs() });
      }
      const { verification } = await scene.inventory();
      expect(verification?.oldestUnreadDays, `night ${night}`).toBeLessThanOrEqual(NIGHTS.limitDays);
      expect(verification?.isLimitKept, `night ${night}`).toBe(true);
      await scene.wait(DAY_MS);
    }
  });

  test("half the budget is said to be too small at least 10 days before the first copy is late", {
    timeout: 3_600_000,
  }, async () => {
    const scene = new InventoryScene();
    scene.verifyWithinDays = NIGHTS.limitDays;
    scene.verifyBytesPerDay = NEEDED_BYTES_PER_DAY / 2;
    let id = 0;
    let warnedAtNight: number | undefined;
    let lateAtNight: number | undefined;
    for (let night = 0; night < NIGHTS.nights && lateAtNight === undefined; night += 1) {
      for (let count = 0; count < NIGHTS.perNight; count += 1) {
        id += 1;
        scene.plant({ exportTaskId: `task-${id}`, archivedAtMs: scene.world.clock.wallMs() });
      }
      const { verification } = await scene.inventory();
      warnedAtNight ??= verification?.isLimitKept === false ? night : undefined;
      lateAtNight = (verification?.oldestUnreadDays ?? 0) > NIGHTS.limitDays ? night : undefined;
      await scene.wait(DAY_MS);
    }
    expect(warnedAtNight).toBeDefined();
    expect((lateAtNight ?? Number.POSITIVE_INFINITY) - (warnedAtNight ?? 0)).toBeGreaterThanOrEqual(10);
  });
});
