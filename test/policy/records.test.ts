import { describe, expect, test } from "vitest";
import { idempotencyKeyOf } from "../../lib/domain/export-task.ts";
import { recordKey } from "../../lib/domain/key-layout.ts";
import { RECORDS_OVERFLOW } from "../../lib/records/records.ts";
import { recordsOfRevision } from "../../lib/records/task-records.ts";
import { FOLDER, ID, REVISION, recordOf } from "../../lib/records/testing/archived-record.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { storeError } from "../world/port-errors.ts";
import { World } from "../world/world.ts";
import { recordsAt, revisionRecords, sceneOf } from "./records-scene.ts";

const ARCHIVED = `${FOLDER}${REVISION}/archived.json`;
const SECOND = `${FOLDER}${REVISION}/archived-2.json`;

test.each([
  ["nested as deep as a list item may be", { condition: JSON.parse(`${"[".repeat(31)}${"]".repeat(31)}`) }],
  [
    "that indentation would make too large",
    { condition: JSON.parse(`${"[".repeat(30)}${Array(200_000).fill(0)}${"]".repeat(30)}`) },
  ],
])("a record keeps a source %s", async (_which, source) => {
  const scene = sceneOf();
  const record = recordOf("000001", { source });
  await scene.world.run(() => scene.records.writeArchived(record, 1, ALWAYS));
  expect((await revisionRecords(scene))?.archived).toEqual(record);
});

test("a record nested deeper than any of ours is unreadable, and costs nothing else", async () => {
  const scene = sceneOf();
  const text = JSON.stringify(recordOf("000001", { source: { deep: "@" } }));
  scene.plant(ARCHIVED, text.replace('"@"', `${"[".repeat(6_000)}${"]".repeat(6_000)}`));
  expect(await revisionRecords(scene)).toMatchObject({ archived: undefined, archivedNumber: 1 });
});

test.each([
  ["a path out of the store", "../../etc/hostname"],
  ["a path out of the exports", `exports/project-1/default/2026/11/22/${ID}/../../../x.zip`],
  ["another task's object", `exports/project-1/default/2026/11/22/other/${REVISION}-000001.zip`],
  ["another revision's object", `exports/project-1/default/2026/11/22/${ID}/00000000-000001.zip`],
  ["another instance's object", `exports/project-1/i-9/2026/11/22/${ID}/${REVISION}-000001.zip`],
  ["nothing", ""],
  ["a long key", `exports/project-1/default/undated/${"x".repeat(2_000)}`],
])("a record that names %s is not a record of this export, and is named", async (_which, key) => {
  const scene = sceneOf();
  const record = recordOf("000001");
  scene.plant(ARCHIVED, { ...record, object: { ...record.object, key } });
  const { revisions, leftAlone } = await scene.world.run(() => scene.records.ofTask(ID, ALWAYS));
  expect(revisions.get(REVISION)).toMatchObject({ archived: undefined, archivedNumber: 1 });
  expect(leftAlone).toEqual([
    { kind: "record", key: ARCHIVED, problem: "it is not a record of this export" },
  ]);
});

describe.each([true, false])("write once, in a store whose ability to create once is %s", (createOnce) => {
  test("a record is written and read back as it was", async () => {
    const scene = sceneOf(createOnce);
    const record = recordOf("000001");
    const written = await scene.world.run(() => scene.records.writeArchived(record, 1, ALWAYS));
    expect(written).toEqual({ standing: record, won: true });
    expect(scene.world.store.keysUnder("")).toEqual([ARCHIVED]);
    expect(scene.read(ARCHIVED)).toEqual(record);
    expect(await revisionRecords(scene)).toEqual({
      revision: REVISION,
      archived: record,
      archivedNumber: 1,
      deleted: false,
      deadLetterNumber: 0,
      deadLetter: undefined,
      expired: false,
      unreadable: [],
    });
  });

  test("the record that stands wins and is left as it is", async () => {
    const scene = sceneOf(createOnce);
    const winner = recordOf("000001");
    scene.plant(ARCHIVED, winner);
    const written = await scene.world.run(() => scene.records.writeArchived(recordOf("000002"), 1, ALWAYS));
    expect(written).toEqual({ standing: winner, won: false });
    expect(scene.world.store.keysUnder("")).toEqual([ARCHIVED]);
    expect(scene.read(ARCHIVED)).toEqual(winner);
  });

  test("our own record, written by a try whose answer was lost, is won", async () => {
    const scene = sceneOf(createOnce);
    const record = recordOf("000001");
    scene.world.faults.plant({
      site: "store.putDocument",
      form: "done-answer-lost",
      error: storeError("store-unavailable"),
    });
    const write = () => scene.world.run(() => scene.records.writeArchived(record, 1, ALWAYS));
    await expect(write()).rejects.toMatchObject({ code: "store-unavailable" });
    expect(await write()).toEqual({ standing: record, won: true });
    expect(scene.world.store.keysUnder("")).toEqual([ARCHIVED]);
  });

  test.each([
    ["cut off", JSON.stringify(recordOf("000001")).slice(0, -1)],
    ["empty", ""],
    ["no object", "null"],
    ["a newer schema version", { ...recordOf("000001"), schemaVersion: 2 }],
    ["no schema version", { ...recordOf("000001"), schemaVersion: undefined }],
    ["without its object", { ...recordOf("000001"), object: undefined }],
    ["a SHA-256 that is none", { ...recordOf("1"), object: { ...recordOf("1").object, sha256: "a" } }],
    ["another project's", recordOf("1", { idempotencyKey: `iotda:project-2:default:${ID}:${REVISION}` })],
    ["another revision's", recordOf("1", { idempotencyKey: `iotda:project-1:default:${ID}:00000000` })],
  ])("a record that is %s counts as none, and the next number is used", async (_what, planted) => {
    const scene = sceneOf(createOnce);
    scene.plant(ARCHIVED, planted);
    const before = await revisionRecords(scene);
    expect(before).toMatchObject({ archived: undefined, archivedNumber: 1 });
    const record = recordOf("000002");
    // Both when the file was seen before the write and when it appeared since.
    for (const fromNumber of [2, 1]) {
      const written = await scene.world.run(() => scene.records.writeArchived(record, fromNumber, ALWAYS));
      expect(written).toEqual({ standing: record, won: true });
    }
    expect(scene.world.store.keysUnder("")).toEqual([SECOND, ARCHIVED]);
    expect(await revisionRecords(scene)).toMatchObject({ archived: record, archivedNumber: 2 });
  });
});

describe("which record counts", () => {
  test("the highest number, as a number, even where those before it are gone", async () => {
    const scene = sceneOf();
    for (const number of [2, 9, 10]) {
      scene.plant(
        recordKey(scene.world.scope, ID, REVISION, "archived", number),
        recordOf(`${100_000 + number}`),
      );
    }
    expect(await revisionRecords(scene)).toMatchObject({
      archived: recordOf("100010"),
      archivedNumber: 10,
    });
  });

  test("an unreadable highest one is not replaced by an older one: it never opens the gate", async () => {
    const scene = sceneOf();
    scene.plant(ARCHIVED, recordOf("000001"));
    scene.plant(SECOND, "{");
    expect(await revisionRecords(scene)).toMatchObject({ archived: undefined, archivedNumber: 2 });
  });

  test("records are kept apart by revision, and `deleted` and `expired` count by being there", async () => {
    const scene = sceneOf();
    scene.plant(ARCHIVED, recordOf("000001"));
    scene.plant(`${FOLDER}00000000/deleted.json`, "");
    scene.plant(`${FOLDER}11111111/expired.json`, "");
    expect(await revisionRecords(scene)).toMatchObject({ deleted: false, expired: false });
    expect(await revisionRecords(scene, "00000000")).toMatchObject({ deleted: true, archived: undefined });
    expect(await revisionRecords(scene, "11111111")).toMatchObject({ expired: true, deleted: false });
    expect(await revisionRecords(scene, "22222222")).toMatchObject({ archivedNumber: 0, expired: false });
  });

  test("files that are not records change nothing", async () => {
    const scene = sceneOf();
    const hostile = [
      `${FOLDER}${REVISION}/archived-1.json`,
      `${FOLDER}${REVISION}/archived-10000.json`,
      `${FOLDER}${REVISION}/archived.json.bak`,
      `${FOLDER}${REVISION}/__proto__.json`,
      `${FOLDER}__proto__/archived.json`,
      `${FOLDER}readme.txt`,
      `records/project-1/default/${ID}0/${REVISION}/archived.json`,
      `records/project-2/default/${ID}/${REVISION}/archived.json`,
    ];
    for (const key of hostile) {
      scene.plant(key, recordOf("000001"));
    }
    const { revisions } = await scene.world.run(() => scene.records.ofTask(ID, ALWAYS));
    expect([...revisions]).toEqual([]);
  });

  test("with an instance, that instance's folder and key", async () => {
    const scope = { projectId: "project-1", instanceId: "i-9" };
    const { object } = recordOf("000001");
    const world = new World({ scope });
    const records = recordsAt(world, world.startRunner("a"));
    const record = recordOf("000001", {
      object: { ...object, key: object.key.replace("/default/", "/i-9/") },
      idempotencyKey: idempotencyKeyOf(scope, ID, REVISION),
      instanceId: "i-9",
    });
    await world.run(() => records.writeArchived(record, 1, ALWAYS));
    expect(world.store.keysUnder("")).toEqual([`records/project-1/i-9/${ID}/${REVISION}/archived.json`]);
    const found = await world.run(() => records.ofTask(ID, ALWAYS));
    expect(recordsOfRevision(found, REVISION).archived).toEqual(record);
  });

  test("an error of the store is never `no record`", async () => {
    for (const site of ["store.list", "store.getDocument"] as const) {
      const scene = sceneOf();
      scene.plant(ARCHIVED, recordOf("000001"));
      scene.world.faults.plant({ site, form: "not-done", error: storeError("store-unavailable") });
      await expect(revisionRecords(scene)).rejects.toMatchObject({ code: "store-unavailable" });
    }
  });
});

describe("two writers", () => {
  test("of one number agree on one record, which one of them won", async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = new World({ seed });
      const written = await world.run(() =>
        Promise.all(
          ["000001", "000002"].map((nonce) =>
            recordsAt(world, world.startRunner(nonce)).writeArchived(recordOf(nonce), 1, ALWAYS),
          ),
        ),
      );
      expect(written.map(({ won }) => won).sort()).toEqual([false, true]);
      expect(written[0]?.standing).toEqual(written[1]?.standing);
      expect(world.store.keysUnder("")).toEqual([ARCHIVED]);
    }
  });

  test("a repeated conditional write that says conflict was ours", async () => {
    const scene = sceneOf();
    scene.world.faults.plant({ site: "store.putDocument", form: "done-says-conflict" });
    const record = recordOf("000001");
    const written = await scene.world.run(() => scene.records.writeArchived(record, 1, ALWAYS));
    expect(written).toEqual({ standing: record, won: true });
  });

  test("a conflict over a key that is free does not skip its number", async () => {
    const scene = sceneOf();
    const { world } = scene;
    scene.plant(ARCHIVED, "somebody's, taken away again");
    world.faults.plant({
      site: "store.getDocument",
      form: "race",
      act: () => world.store.removeObject(ARCHIVED),
    });
    const written = await world.run(() => scene.records.writeArchived(recordOf("000001"), 1, ALWAYS));
    expect(written.won).toBe(true);
    expect(world.store.keysUnder("")).toEqual([ARCHIVED]);
  });
});

test("twenty taken numbers in a row, or a number beyond the last, end the search with a hint", async () => {
  const scene = sceneOf();
  for (let number = 1; number <= 20; number += 1) {
    scene.plant(recordKey(scene.world.scope, ID, REVISION, "archived", number), "{");
  }
  for (const fromNumber of [1, 10_000]) {
    const writing = scene.world.run(() =>
      scene.records.writeArchived(recordOf("000001"), fromNumber, ALWAYS),
    );
    await expect(writing).rejects.toMatchObject({ code: RECORDS_OVERFLOW, scope: "task", retry: "later" });
  }
  expect(scene.world.store.entries.size).toBe(20);
});

test.each([true, false])("`deleted` is written once (create-once: %s)", async (createOnce) => {
  const scene = sceneOf(createOnce);
  const facts = {
    deletedAt: "2026-11-22T01:00:00.000Z",
    confirmedAt: "2026-11-22T01:00:01.000Z",
    runId: "run-1",
    outcome: "deleted",
  } as const;
  const key = `${FOLDER}${REVISION}/deleted.json`;
  await scene.world.run(() => scene.records.writeDeleted(ID, REVISION, facts, ALWAYS));
  const later = { ...facts, runId: "run-2", outcome: "already-gone" } as const;
  await scene.world.run(() => scene.records.writeDeleted(ID, REVISION, later, ALWAYS));
  const { idempotencyKey } = recordOf("");
  expect(scene.read(key)).toEqual({ schemaVersion: 1, idempotencyKey, ...facts });
  expect(await revisionRecords(scene)).toMatchObject({ deleted: true });
});

test("a hold is a file with the task's exact id", async () => {
  const { plant, records, world } = sceneOf();
  const isHeld = async () => (await records.holds(ALWAYS)).isHeld(ID);
  plant(`holds/${ID}0.json`, "{}");
  expect(await world.run(() => isHeld())).toBe(false);
  plant(`holds/${ID}.json`, "not even JSON");
  expect(await world.run(() => isHeld())).toBe(true);
  world.faults.plant({ site: "store.list", form: "not-done", error: storeError("store-unavailable") });
  await expect(world.run(() => isHeld())).rejects.toMatchObject({
    code: "store-unavailable",
  });
});
