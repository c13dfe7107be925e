import { describe, expect, test } from "vitest";
import { recordKey } from "../../lib/domain/key-layout.ts";
import { RECORDS_OVERFLOW } from "../../lib/records/records.ts";
import { FOLDER, ID, REVISION, recordOf } from "../../lib/records/testing/archived-record.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { revisionRecords, sceneOf } from "./records-scene.ts";

const BODY_SHA256 = "0123456789abcdef".repeat(4);
const AT_MS = Date.UTC(2026, 10, 22, 1);

function letterOf(changes: object = {}) {
  return {
    exportTaskId: ID,
    revision: REVISION,
    reason: "max-attempts",
    detail: "It failed five times.",
    attempts: 5,
    runId: "run-1",
    deadLetteredAt: "2026-11-22T01:00:00.000Z",
    body: ID,
    ...changes,
  };
}

describe("dead letters", () => {
  test("with a revision lie beside its records, and a later one gets the next number", async () => {
    const scene = sceneOf();
    for (const detail of ["first", "second"]) {
      const letter = letterOf({ detail });
      await scene.world.run(() => scene.records.writeDeadLetter(letter, BODY_SHA256, AT_MS, ALWAYS));
    }
    expect(scene.world.store.keysUnder("")).toEqual([
      `${FOLDER}${REVISION}/dead-letter-2.json`,
      `${FOLDER}${REVISION}/dead-letter.json`,
    ]);
    const written = { schemaVersion: 1, idempotencyKey: recordOf("").idempotencyKey, ...letterOf() };
    expect(scene.read(`${FOLDER}${REVISION}/dead-letter.json`)).toEqual({ ...written, detail: "first" });
    expect(await revisionRecords(scene)).toMatchObject({
      archived: undefined,
      deadLetterNumber: 2,
      deadLetter: { ...written, detail: "second" },
    });
  });

  test.each([{ revision: undefined }, { exportTaskId: undefined, revision: undefined }])(
    "with %o lie under the day and their body's SHA-256",
    async (changes) => {
      const scene = sceneOf();
      const letter = JSON.parse(JSON.stringify(letterOf(changes)));
      // A crash before the acknowledgement repeats it.
      for (let round = 1; round <= 2; round += 1) {
        await scene.world.run(() => scene.records.writeDeadLetter(letter, BODY_SHA256, AT_MS, ALWAYS));
      }
      const key = "dead-letters/2026/11/22/0123456789abcdef.json";
      expect(scene.world.store.keysUnder("")).toEqual([key]);
      expect(scene.read(key)).toEqual({ schemaVersion: 1, ...letter });
    },
  );

  test("go there too when the revision's numbers are taken", async () => {
    const scene = sceneOf();
    for (let number = 1; number <= 20; number += 1) {
      scene.plant(recordKey(scene.world.scope, ID, REVISION, "dead-letter", number), "");
    }
    await scene.world.run(() => scene.records.writeDeadLetter(letterOf(), BODY_SHA256, AT_MS, ALWAYS));
    expect(scene.world.store.keysUnder("dead-letters/")).toHaveLength(1);
  });

  test("that cannot be read still hold their number", async () => {
    const scene = sceneOf();
    scene.plant(`${FOLDER}${REVISION}/dead-letter.json`, { ...letterOf(), schemaVersion: 2 });
    expect(await revisionRecords(scene)).toMatchObject({ deadLetter: undefined, deadLetterNumber: 1 });
  });
});

test("more than 2,000 of them are an error of this task alone", async () => {
  const scene = sceneOf();
  for (let number = 0; number < 2_000; number += 1) {
    scene.plant(`${FOLDER}file-${number}`, "");
  }
  await expect(revisionRecords(scene)).resolves.toMatchObject({ archivedNumber: 0 });
  scene.plant(`${FOLDER}one-more`, "");
  await expect(revisionRecords(scene)).rejects.toMatchObject({ code: RECORDS_OVERFLOW, scope: "task" });
  // What it is given up for must not keep it from being given up.
  await scene.world.run(() => scene.records.writeDeadLetter(letterOf(), BODY_SHA256, AT_MS, ALWAYS));
  expect(scene.read(`${FOLDER}${REVISION}/dead-letter.json`)).toMatchObject({ reason: "max-attempts" });
});
