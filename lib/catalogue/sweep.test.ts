import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realClock, realRandom } from "../../test/contract/clocks.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { recordOf } from "../records/testing/archived-record.ts";
import { FileStore } from "../store/file-store.ts";
import { type SweepOptions, type SweepReport, sweep } from "./sweep.ts";

const HOUR_MS = 3_600_000;
const OLD_MS = 25 * HOUR_MS;
const YOUNG_MS = 23 * HOUR_MS;

const SCOPE: PlatformScope = { projectId: "project-1", instanceId: undefined };
const ID = "5f2d9c3a1b2c3d4e5f6a7b8c";
const REVISION = "fe8e44f7";
const OTHER_REVISION = "e7826e9f";
const EXPORTS = `exports/project-1/default/2026/11/22/${ID}/`;
const RECORDS = `records/project-1/default/${ID}/`;
const { signal } = new AbortController();

let root: string;
let store: FileStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "archiver-sweep-"));
  store = new FileStore(root, { clock: realClock, random: realRandom });
  await store.preflight({ signal });
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function swept(options: Partial<SweepOptions> = {}): Promise<SweepReport> {
  const ports = { store, clock: realClock, random: realRandom, observe: () => undefined };
  const report = await sweep(ports, { scope: SCOPE }, { signal, removeOrphans: false, ...options });
  expect(report.failure).toBeUndefined();
  return report;
}

/** Puts a file there, last written so long ago. @returns its key. */
async function plant(key: string, ageMs: number, content: string | Uint8Array = "x"): Promise<string> {
  const file = join(root, key);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  const writtenAt = new Date(Date.now() - ageMs);
  await utimes(file, writtenAt, writtenAt);
  return key;
}

const objectKey = (nonce: string, revision = REVISION) => `${EXPORTS}${revision}-${nonce}.zip`;
const plantObject = async (nonce: string, ageMs: number, revision = REVISION) =>
  await plant(objectKey(nonce, revision), ageMs);

/** An upload under way, as the file store keeps it. @returns the key of the object it would have become. */
async function plantUpload(nonce: string, ageMs: number): Promise<string> {
  await plant(`${EXPORTS}.${REVISION}-${nonce}.zip.0123456789ab.upload`, ageMs);
  return objectKey(nonce);
}

async function plantRecord(name: string, nonce: string, revision = REVISION): Promise<void> {
  const record = recordOf(nonce);
  const object = { ...record.object, key: objectKey(nonce, revision) };
  await plant(`${RECORDS}${revision}/${name}`, 0, JSON.stringify({ ...record, revision, object }));
}

async function filesOfTask(): Promise<readonly string[]> {
  return (await readdir(join(root, EXPORTS))).sort().map((name) => EXPORTS + name);
}

describe("uploads", () => {
  test("older than a day are aborted, younger ones left", async () => {
    const old = await plantUpload("aaaaaa", OLD_MS);
    await plantUpload("bbbbbb", YOUNG_MS);
    const report = await swept();
    expect(report).toMatchObject({ youngUploads: 1, orphans: [], checkedObjects: 0 });
    expect(report.abortedUploads).toEqual([{ key: old, initiatedAt: expect.stringMatching(/^2\d{3}-.*Z$/) }]);
    const age = Date.now() - Date.parse(report.abortedUploads[0]?.initiatedAt ?? "");
    expect(age).toBeGreaterThanOrEqual(OLD_MS);
    expect(age).toBeLessThan(OLD_MS + HOUR_MS);
    expect(await filesOfTask()).toEqual([`${EXPORTS}.${REVISION}-bbbbbb.zip.0123456789ab.upload`]);
    expect((await swept()).abortedUploads).toEqual([]);
  });

  test("of another instance are not looked at", async () => {
    const key = `exports/project-1/instance-2/2026/11/22/${ID}/.${REVISION}-aaaaaa.zip.0123456789ab.upload`;
    await plant(key, OLD_MS);
    expect(await swept()).toMatchObject({ abortedUploads: [], youngUploads: 0 });
    expect(await readdir(dirname(join(root, key)))).toHaveLength(1);
  });
});

describe("orphans", () => {
  test("are listed only, unless they are to be removed", async () => {
    await plantRecord("archived.json", "aaaaaa");
    await plantObject("aaaaaa", OLD_MS);
    const orphan = await plantObject("bbbbbb", OLD_MS);
    const report = await swept();
    expect(report).toMatchObject({ checkedObjects: 2, abortedUploads: [], youngUploads: 0 });
    expect(report.orphans).toEqual([
      {
        exportTaskId: ID,
        revision: REVISION,
        key: orphan,
        sizeBytes: 1,
        modifiedAt: expect.stringMatching(/Z$/),
        onlyCopy: false,
        removed: false,
      },
    ]);
    expect(await filesOfTask()).toEqual([objectKey("aaaaaa"), orphan]);
  });

  test("are removed when they are older than a day, and never the recorded copy", async () => {
    await plantRecord("archived.json", "aaaaaa");
    await plantObject("aaaaaa", OLD_MS);
    const old = await plantObject("bbbbbb", OLD_MS);
    const young = await plantObject("cccccc", YOUNG_MS);
    const report = await swept({ removeOrphans: true });
    expect(report.orphans).toMatchObject([{ key: old, removed: true }]);
    expect(await filesOfTask()).toEqual([objectKey("aaaaaa"), young]);
  });

  test("are never what any record names, numbered ones included", async () => {
    await plantRecord("archived.json", "aaaaaa");
    await plantRecord("archived-2.json", "bbbbbb");
    await plantObject("aaaaaa", OLD_MS);
    await plantObject("bbbbbb", OLD_MS);
    const orphan = await plantObject("cccccc", OLD_MS);
    const report = await swept({ removeOrphans: true });
    expect(report.orphans.map(({ key }) => key)).toEqual([orphan]);
    expect(await filesOfTask()).toEqual([objectKey("aaaaaa"), objectKey("bbbbbb")]);
  });
});

describe("what an archive run may still need is never touched", () => {
  test("the only copy left where the recorded object is missing", async () => {
    await plantRecord("archived.json", "aaaaaa");
    const left = await plantObject("bbbbbb", OLD_MS);
    const report = await swept({ removeOrphans: true });
    expect(report.orphans).toMatchObject([{ key: left, onlyCopy: true, removed: false }]);
    expect(await filesOfTask()).toEqual([left]);
  });

  test.for(["{", "[]", '{"schemaVersion":2}', "", Uint8Array.of(0xff)])(
    "a revision with the record %j",
    async (text) => {
      await plantRecord("archived.json", "aaaaaa");
      await plant(`${RECORDS}${REVISION}/archived-2.json`, 0, text);
      await plantObject("aaaaaa", OLD_MS);
      await plantObject("bbbbbb", OLD_MS);
      const report = await swept({ removeOrphans: true });
      expect(report).toMatchObject({ orphans: [], checkedObjects: 2 });
      expect(await filesOfTask()).toEqual([objectKey("aaaaaa"), objectKey("bbbbbb")]);
    },
  );

  test("a revision without an archived record, beside one that has it", async () => {
    await plantRecord("archived.json", "aaaaaa");
    await plant(`${RECORDS}${OTHER_REVISION}/dead-letter.json`, 0, "{}");
    await plantObject("aaaaaa", OLD_MS);
    const unrecorded = await plantObject("bbbbbb", OLD_MS, OTHER_REVISION);
    const report = await swept({ removeOrphans: true });
    const orphans = [{ key: unrecorded, onlyCopy: true, removed: false }];
    expect(report).toMatchObject({ orphans, checkedObjects: 2 });
    expect(await filesOfTask()).toContain(unrecorded);
  });

  test("files that are not archived objects", async () => {
    await plantRecord("archived.json", "aaaaaa");
    await plantObject("aaaaaa", OLD_MS);
    const foreign = [
      `${EXPORTS}notes.txt`,
      `${EXPORTS}${REVISION}-bbbbbb.zip.bak`,
      `${EXPORTS}${REVISION}-BBBBBB.zip`,
      `${EXPORTS}${REVISION}.zip`,
    ];
    for (const key of foreign) {
      await plant(key, OLD_MS);
    }
    const elsewhere = `exports/project-1/instance-2/2026/11/22/${ID}/${REVISION}-bbbbbb.zip`;
    await plant(elsewhere, OLD_MS);
    const report = await swept({ removeOrphans: true });
    expect(report).toMatchObject({ orphans: [], checkedObjects: 5 });
    expect(await filesOfTask()).toEqual([...foreign, objectKey("aaaaaa")].sort());
    expect(await readdir(dirname(join(root, elsewhere)))).toHaveLength(1);
  });
});

test("an aborted signal ends it before anything is removed", async () => {
  await plantRecord("archived.json", "aaaaaa");
  await plantObject("bbbbbb", OLD_MS);
  await plantUpload("cccccc", OLD_MS);
  const reason = new Error("stop");
  await expect(swept({ signal: AbortSignal.abort(reason), removeOrphans: true })).rejects.toBe(reason);
  expect(await filesOfTask()).toHaveLength(2);
});

test("odd entries, and a task whose records are a link, are left alone and named; the others are swept", async () => {
  const ORPHANED = "5f2d9c3a1b2c3d4e5f6a7b8d";
  const orphan = `exports/project-1/default/2026/11/22/${ORPHANED}/${REVISION}-000001.zip`;
  await plant(orphan, OLD_MS);
  await plantRecord("archived.json", "000002");
  const [losing] = [await plantObject("000001", OLD_MS), await plantObject("000002", OLD_MS)];
  await symlink("/etc/hostname", join(root, objectKey("000003")));
  await symlink(root, join(root, `records/project-1/default/${ORPHANED}`));
  const { leftAlone, orphans } = await swept({ removeOrphans: true });
  expect(orphans).toMatchObject([{ key: losing, removed: true }]);
  expect(leftAlone?.items).toMatchObject([
    { kind: "store-entry", key: objectKey("000003"), problem: "it is a symbolic link" },
    { kind: "store-entry", key: `records/project-1/default/${ORPHANED}` },
    { kind: "record", key: `records/project-1/default/${ORPHANED}/` },
  ]);
});
