import { describe, expect, test } from "vitest";
import {
  deadLetterKey,
  exportFolder,
  exportObjectKey,
  holdKey,
  isObjectOfRevision,
  MAX_RECORD_NUMBER,
  parseRecordKey,
  type RecordName,
  recordKey,
  runIdOf,
  runReportKey,
  taskRecordsFolder,
  utcDayPath,
} from "./key-layout.ts";

const WITHOUT_INSTANCE = { projectId: "p1", instanceId: undefined };
const WITH_INSTANCE = { projectId: "p1", instanceId: "i-9" };
const FOLDER = "exports/p1/default/2026/11/22/t1/";
const RECORDS = "records/p1/default/t1/";
const LAST_MS_OF_2026 = Date.UTC(2027, 0, 1) - 1;

describe("keys, exactly (architecture §6.3)", () => {
  test("an export's folder is the UTC day of its creation", () => {
    const folder = (createTime: string | undefined) =>
      exportFolder(WITHOUT_INSTANCE, { exportTaskId: "t1", createTime });
    expect(folder("2026-11-22T00:00:00.000Z")).toBe(FOLDER);
    expect(folder("20261121T235959Z")).toBe("exports/p1/default/2026/11/21/t1/");
    expect(folder(undefined)).toBe("exports/p1/default/undated/t1/");
    expect(folder("../../x")).toBe("exports/p1/default/undated/t1/");
    expect(exportFolder(WITH_INSTANCE, { exportTaskId: "t1", createTime: "20261122T120000Z" })).toBe(
      "exports/p1/i-9/2026/11/22/t1/",
    );
  });

  test("objects, records, letters, reports, holds", () => {
    expect(exportObjectKey(FOLDER, "fe8e44f7", "0a1b2c")).toBe(`${FOLDER}fe8e44f7-0a1b2c.zip`);
    expect(taskRecordsFolder(WITHOUT_INSTANCE, "t1")).toBe(RECORDS);
    expect(recordKey(WITHOUT_INSTANCE, "t1", "fe8e44f7", "archived", 1)).toBe(
      `${RECORDS}fe8e44f7/archived.json`,
    );
    expect(recordKey(WITH_INSTANCE, "t1", "fe8e44f7", "dead-letter", 3)).toBe(
      "records/p1/i-9/t1/fe8e44f7/dead-letter-3.json",
    );
    expect(deadLetterKey(LAST_MS_OF_2026, "0123456789abcdef".repeat(4))).toBe(
      "dead-letters/2026/12/31/0123456789abcdef.json",
    );
    expect(runReportKey(LAST_MS_OF_2026, "run-1")).toBe("runs/2026/12/31/run-1.json");
    expect(holdKey("t1")).toBe("holds/t1.json");
    expect(utcDayPath(LAST_MS_OF_2026 + 1)).toBe("2027/01/01");
  });

  test("a run id begins with the run's start to the millisecond", () => {
    expect(runIdOf(LAST_MS_OF_2026, "0011aabb")).toBe("20261231T235959999Z-0011aabb");
    expect(runIdOf(0, "ffffffff")).toBe("19700101T000000000Z-ffffffff");
  });
});

describe("an object of a revision", () => {
  test("is one in exactly this folder with exactly this revision", () => {
    expect(isObjectOfRevision(`${FOLDER}fe8e44f7-0a1b2c.zip`, FOLDER, "fe8e44f7")).toBe(true);
  });

  test.each([
    `${FOLDER}fe8e44f8-0a1b2c.zip`,
    `${FOLDER}fe8e44f7-0a1b2c.zip.part`,
    `${FOLDER}fe8e44f7-0a1b2c.zip\n`,
    `${FOLDER}fe8e44f7-0A1B2C.zip`,
    `${FOLDER}fe8e44f7-0a1b2.zip`,
    `${FOLDER}fe8e44f7-0a1b2c3.zip`,
    `${FOLDER}fe8e44f7.zip`,
    `${FOLDER}fe8e44f7-0a1b2cxzip`,
    `${FOLDER}deeper/fe8e44f7-0a1b2c.zip`,
    `${FOLDER}../t1/fe8e44f7-0a1b2c.zip`,
    "exports/p1/default/2026/11/22/t10/fe8e44f7-0a1b2c.zip",
    "exports/p1/default/2026/11/21/t1/fe8e44f7-0a1b2c.zip",
    `x/${FOLDER}fe8e44f7-0a1b2c.zip`,
    "",
  ])("%j is none", (key) => {
    expect(isObjectOfRevision(key, FOLDER, "fe8e44f7")).toBe(false);
  });
});

describe("a record's key", () => {
  test.each<[RecordName, number]>([
    ["archived", 1],
    ["archived", 2],
    ["deleted", 1],
    ["dead-letter", 10],
    ["expired", 1],
    ["archived", MAX_RECORD_NUMBER],
  ])("%s number %d comes back from its own key", (name, number) => {
    const key = recordKey(WITHOUT_INSTANCE, "t1", "fe8e44f7", name, number);
    expect(parseRecordKey(key, RECORDS)).toEqual({ revision: "fe8e44f7", name, number });
  });

  test.each([
    // Never written: the first has no number.
    "fe8e44f7/archived-1.json",
    "fe8e44f7/archived-0.json",
    "fe8e44f7/archived-02.json",
    "fe8e44f7/archived--2.json",
    "fe8e44f7/archived-2.5.json",
    "fe8e44f7/archived-1e3.json",
    "fe8e44f7/archived-10000.json",
    "fe8e44f7/archived-.json",
    "fe8e44f7/archived.json.tmp",
    "fe8e44f7/archived.json\n",
    "fe8e44f7/Archived.json",
    "fe8e44f7/archivedxjson",
    "fe8e44f7/constructor.json",
    "fe8e44f7/__proto__.json",
    "fe8e44f7//archived.json",
    "fe8e44f7/x/archived.json",
    "../t2/fe8e44f7/archived.json",
    "fe8e44f/archived.json",
    "FE8E44F7/archived.json",
    "fe8e44f70/archived.json",
    "archived.json",
    "",
  ])("%j is none", (rest) => {
    expect(parseRecordKey(`${RECORDS}${rest}`, RECORDS)).toBeUndefined();
  });

  test("another task's is none, though its id begins alike", () => {
    expect(parseRecordKey("records/p1/default/t10/fe8e44f7/archived.json", RECORDS)).toBeUndefined();
    expect(parseRecordKey("records/p2/default/t1/fe8e44f7/archived.json", RECORDS)).toBeUndefined();
  });
});
