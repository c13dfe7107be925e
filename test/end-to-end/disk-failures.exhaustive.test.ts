import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as v from "valibot";
import { expect, type TestContext, test } from "vitest";
import { mountTinyDisk } from "../contract/tiny-disk.ts";
import { expectArchivedOnce } from "./archive-audit.ts";
import { markFolder } from "./archive-marker.ts";
import type { Ended } from "./command-line.ts";
import { failureDocumentSchema, runReportSchema } from "./documents.ts";
import { finishedExports, type Lab, openLab, sqliteUrl } from "./lab.ts";

const MIB = 1024 * 1024;
const STACK_TRACE = /\n\s+at |node:internal/;

interface Told {
  readonly code: string;
  /** Read with the path it must name. */
  readonly message: RegExp;
  readonly hint: RegExp;
}

/** Exit 1, and a failure whose message and hint an operator can act on, for people and as JSON. */
async function expectFailure(lab: Lab, told: Told): Promise<void> {
  const asJson = await lab.archiver("run", "--json");
  expectFailed(asJson);
  const { failure } = v.parse(v.union([failureDocumentSchema, runReportSchema]), JSON.parse(asJson.stdout));
  expect(failure).toEqual({
    code: told.code,
    message: expect.stringMatching(told.message),
    hint: expect.stringMatching(told.hint),
  });
  const forPeople = await lab.archiver("run");
  expectFailed(forPeople);
  expect(forPeople.stdout + forPeople.stderr).toMatch(told.message);
  expect(forPeople.stdout + forPeople.stderr).toMatch(told.hint);
}

function expectFailed(ended: Ended): void {
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(1);
  expect(ended.stdout + ended.stderr).not.toMatch(STACK_TRACE);
}

async function expectUntouched(lab: Lab, exports: number): Promise<void> {
  const { tasks, removals } = await lab.control.state();
  expect(tasks).toHaveLength(exports);
  expect(removals).toEqual([]);
}

async function expectFinishes(lab: Lab, exports: number): Promise<void> {
  const ended = await lab.archiver("run", "--json");
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
  await expectArchivedOnce(lab, exports);
}

async function openNight(context: TestContext, exports: number, fillerBytes?: number): Promise<Lab> {
  const lab = await openLab(context, { intervalMs: 500 });
  await lab.control.addTasks(finishedExports(exports, fillerBytes === undefined ? {} : { fillerBytes }));
  return lab;
}

test.concurrent("a disk that is full from the start: nothing is received", async (context) => {
  const disk = await mountTinyDisk(context, "16m");
  await markFolder(disk.folder);
  const lab = await openNight(context, 1);
  await lab.writeSettings({ ARCHIVER_STORE: pathToFileURL(disk.folder).href });
  await expectFailure(lab, { code: "store-full", message: /disk of the store is full/, hint: /Free space/ });
  expect((await lab.archiver("status")).stdout).toMatch(
    /1 of 50 export slots used[\s\S]*disk of the store is full/,
  );
  await expectUntouched(lab, 1);
  await lab.writeSettings();
  await expectFinishes(lab, 1);
});

test.concurrent("a disk that has no room for the files: the run stops, and they are archived when there is", async (context) => {
  const disk = await mountTinyDisk(context, "40m");
  await markFolder(disk.folder);
  const lab = await openNight(context, 3, 9 * MIB);
  await lab.writeSettings({ ARCHIVER_STORE: pathToFileURL(disk.folder).href });
  await expectFailure(lab, { code: "store-full", message: /disk of the store is full/, hint: /Free space/ });
  await expectUntouched(lab, 3);
  expect(lab.queue.letters()).toEqual([]);
  await lab.writeSettings();
  lab.queue.letDelaysPass();
  await expectFinishes(lab, 3);
});

test.concurrent("a read-only disk", async (context) => {
  const disk = await mountTinyDisk(context, "64m");
  await markFolder(join(disk.folder, "archive"));
  disk.makeReadOnly();
  const lab = await openNight(context, 1);
  await lab.writeSettings({ ARCHIVER_STORE: pathToFileURL(join(disk.folder, "archive")).href });
  await expectFailure(lab, { code: "store-forbidden", message: /EROFS/, hint: /writable mount/ });
  await expectUntouched(lab, 1);
  await lab.writeSettings();
  await expectFinishes(lab, 1);
});

test.concurrent("a folder of another user", async (context) => {
  context.skip(process.getuid?.() === 0, "root may write everywhere");
  const lab = await openNight(context, 1);
  await chmod(lab.store.path, 0o500);
  await expectFailure(lab, { code: "store-forbidden", message: /EACCES/, hint: /Let this user/ });
  await chmod(lab.store.path, 0o700);
  await expectFinishes(lab, 1);
});

test.concurrent("a store that is a file", async (context) => {
  const lab = await openNight(context, 1);
  await rm(lab.store.path, { recursive: true });
  await writeFile(lab.store.path, "not a folder");
  await expectFailure(lab, {
    code: "store-misconfigured",
    message: /archive/,
    hint: /ARCHIVER_STORE/,
  });
  await expectUntouched(lab, 1);
  await rm(lab.store.path);
  await markFolder(lab.store.path);
  await expectFinishes(lab, 1);
});

test.concurrent("a queue file on a read-only disk", async (context) => {
  const disk = await mountTinyDisk(context, "4m");
  disk.makeReadOnly();
  const lab = await openNight(context, 1);
  await lab.writeSettings({ ARCHIVER_QUEUE: sqliteUrl(join(disk.folder, "queue.db")) });
  await expectFailure(lab, { code: "queue-forbidden", message: /queue\.db/, hint: /Let this user write/ });
  await expectUntouched(lab, 1);
  await lab.writeSettings();
  await expectFinishes(lab, 1);
});

test.concurrent("a queue file in a folder that is a file", async (context) => {
  const lab = await openNight(context, 1);
  const file = join(lab.folder, "file");
  await writeFile(file, "");
  await lab.writeSettings({ ARCHIVER_QUEUE: sqliteUrl(join(file, "queue.db")) });
  await expectFailure(lab, {
    code: "queue-misconfigured",
    message: /is not a folder/,
    hint: /ARCHIVER_QUEUE/,
  });
  await lab.writeSettings();
  await expectFinishes(lab, 1);
});

test.concurrent("a damaged queue file: what was queued is found again once it is moved away", async (context) => {
  const lab = await openNight(context, 2);
  expect((await lab.archiver("discover")).exitCode).toBe(0);
  for (const suffix of ["-wal", "-shm"]) {
    await rm(`${lab.queue.path}${suffix}`, { force: true });
  }
  await writeFile(lab.queue.path, "this was a database once ".repeat(1_000));
  await expectFailure(lab, {
    code: "queue-misconfigured",
    message: /queue\.db/,
    hint: /move .*queue\.db.* away .*at once, first remove state\/discovered\.json/,
  });
  await expectUntouched(lab, 2);
  await rm(lab.queue.path);
  // As the hint says: without this it would be enqueued again 6 h after the first time.
  await rm(join(lab.store.path, "state", "discovered.json"));
  await expectFinishes(lab, 2);
});
