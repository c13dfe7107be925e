import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { expectArchivedOnce } from "./archive-audit.ts";
import { LAB_ARCHIVE_ID, markerText, markFolder } from "./archive-marker.ts";
import { callFresh, linesOf } from "./function-host.ts";
import { finishedExports, openLab } from "./lab.ts";
import { expectCommandRefused, expectFunctionRefused } from "./refusals.ts";
import { BUCKET_PLACES, FOLDER_PLACES } from "./wrong-places.ts";

const OTHER_ARCHIVE_ID = "0e6b1d0c-7f1c-4f0e-9a55-9a1f5f1c8d11";
const NEVER = { ARCHIVER_DELETE: "never" };

const initSchema = v.object({
  archiveId: v.pipe(v.string(), v.uuid()),
  made: v.boolean(),
  replaced: v.optional(v.string()),
});

// Every command and function at every such place: archive-identity.exhaustive.test.ts.
describe.concurrent("a place that is not the archive is refused, and left as it is", () => {
  test.for(Object.entries(FOLDER_PLACES))("a folder that is %s", async ([, open], context) => {
    const place = await open(context);
    await expectCommandRefused(place, ["run"]);
    await expectCommandRefused(place, ["status"]);
    await expectFunctionRefused(place, ["exportEvents", { exportTaskId: "export-02" }]);
  });

  test.for(Object.entries(BUCKET_PLACES))("a bucket: %s", async ([, open], context) => {
    const place = await open(context);
    await expectCommandRefused(place, ["verify"]);
    await expectFunctionRefused(place, ["discover"]);
  });
});

describe.concurrent("the first night", () => {
  test("begins an archive when nothing is deleted, and says so; then deletion can be switched on", async (context) => {
    const lab = await openLab(context, { begun: false, settings: NEVER });
    await lab.control.addTasks(finishedExports(1));
    expect(await lab.archiver("status")).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining("there is no archive at this place"),
    });
    await mkdir(lab.store.path);
    const first = await lab.archiver("run");
    expect(first.exitCode, first.stderr).toBe(0);
    expect(first.stderr).toMatch(/The program created a new archive here: [0-9a-f-]{36}\./);
    expect((await lab.archiver("status")).exitCode).toBe(0);
    await lab.writeSettings();
    const second = await lab.archiver("run");
    expect(second.stderr).not.toContain("a new archive");
    await expectArchivedOnce(lab, 1);
  });

  test("of the functions begins one too, and logs it", async (context) => {
    const lab = await openLab(context, { begun: false });
    await mkdir(lab.store.path);
    const { returned, log } = await callFresh(lab.settings(NEVER), "discover");
    expect(returned).not.toHaveProperty("failure");
    expect(linesOf(log)).toContainEqual(expect.objectContaining({ code: "archive-begun", level: "WARN" }));
  });

  test("begins none while exports are deleted", async (context) => {
    const lab = await openLab(context, { begun: false });
    await lab.control.addTasks(finishedExports(1));
    await mkdir(lab.store.path);
    const refused = await lab.archiver("run");
    expect(refused.exitCode).toBe(1);
    // One failure is told once: not again for the report and the queue.
    expect(`${refused.stdout}${refused.stderr}`).not.toMatch(/could not be/i);
    expect(await lab.store.keys("")).toEqual([]);
  });

  test("takes an archive from before markers over, and says so", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(1));
    await lab.archiver("run");
    await rename(join(lab.store.path, "archive.json"), join(lab.folder, "aside.json"));
    await lab.writeSettings({ ARCHIVER_QUEUE: `sqlite://${join(lab.folder, "new-queue.db")}` });
    expect((await lab.archiver("verify", "--all")).exitCode).toBe(0);
    expect(await lab.store.keys("archive.json")).toEqual([]);
    expect((await lab.archiver("run")).stderr).toMatch(/took over an archive from before archive\.json/);
    expect(await lab.store.json("archive.json")).toMatchObject({ schemaVersion: 1 });
  });
});

describe.concurrent("init", () => {
  test("makes an archive once, which the queue remembers", async (context) => {
    const lab = await openLab(context, { begun: false });
    const made = v.parse(initSchema, (await lab.archiverJson("init")).document);
    expect(made).toMatchObject({ made: true });
    expect(v.parse(initSchema, (await lab.archiverJson("init")).document)).toEqual({ ...made, made: false });
    await lab.writeSettings({ ARCHIVER_STORE: `file://${lab.folder}/elsewhere` });
    const refused = await lab.archiver("init");
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(made.archiveId) });
    const adopted = v.parse(initSchema, (await lab.archiverJson("init", "--adopt")).document);
    expect(adopted).toMatchObject({ made: true, replaced: made.archiveId });
    expect((await lab.archiver("run")).exitCode).toBe(0);
  });

  test("makes the archive with the id that is set, and no other", async (context) => {
    const settings = { ARCHIVER_ARCHIVE_ID: LAB_ARCHIVE_ID.toUpperCase() };
    const lab = await openLab(context, { begun: false, settings });
    expect((await lab.archiver("init")).stdout).toContain(`Created archive ${LAB_ARCHIVE_ID}.`);
    await markFolder(lab.store.path, OTHER_ARCHIVE_ID);
    const refused = await lab.archiver("init", "--adopt");
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(OTHER_ARCHIVE_ID) });
  });

  test("names what else lies there, and makes no archive of a damaged marker", async (context) => {
    const lab = await openLab(context, { begun: false });
    await mkdir(lab.store.path);
    await writeFile(join(lab.store.path, "notes.txt"), "somebody's");
    expect((await lab.archiver("init")).stdout).toContain("1 object in notes.txt");
    await writeFile(join(lab.store.path, "archive.json"), "{");
    expect(await lab.archiver("init", "--adopt")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("archive.json cannot be understood"),
    });
  });
});

test("verify of nothing is not good news, unless the archive is new", async (context) => {
  const lab = await openLab(context);
  const old = await lab.archiver("verify", "--all");
  expect(old).toMatchObject({
    exitCode: 3,
    stdout: expect.stringContaining("The store has no record of this project and instance"),
  });
  const now = new Date().toISOString();
  await writeFile(join(lab.store.path, "archive.json"), markerText(LAB_ARCHIVE_ID, now));
  expect((await lab.archiver("verify", "--all")).exitCode).toBe(0);
});
