import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { discoverReportSchema, runReportSchema, statusSchema } from "./documents.ts";
import { finishedExports, type Lab, openLab } from "./lab.ts";

const DEEP = `{"export_task_id":"deep","status":"Success","resource_type":"BatchTask","resource_condition":${"[".repeat(6_000)}${"]".repeat(6_000)}}`;
const DOTTED = '{"export_task_id":"a.b","status":"Success","resource_type":"BatchTask"}';

async function run(lab: Lab) {
  const ended = await lab.archiver("run", "--json");
  expect(ended.exitCode, ended.stderr + ended.stdout).toBe(0);
  return v.parse(runReportSchema, JSON.parse(ended.stdout));
}

async function archivedIds(lab: Lab): Promise<readonly string[]> {
  return (await lab.store.archived()).map(({ exportTaskId }) => exportTaskId).sort();
}

describe.concurrent("odd items of the platform's list", () => {
  test("are named by index and field; the others are archived and deleted", async (context) => {
    const lab = await openLab(context, { sandbox: { oddItems: [DEEP, DOTTED] } });
    await lab.control.addTasks(finishedExports(2));
    const deepItem = { kind: "list-item", index: 2, field: "resource_condition", exportTaskId: "deep" };
    const leftAlone = { count: 2, items: [deepItem, { index: 3, field: "export_task_id" }] };
    const status = v.parse(statusSchema, (await lab.archiverJson("status")).document);
    expect(status).toMatchObject({ platform: { held: 4 }, leftAlone });

    const report = await run(lab);
    expect(report).toMatchObject({ counts: { archived: 2, deleted: 2 }, platform: { held: 2 }, leftAlone });
    expect(report.discovered).toMatchObject({ held: 4, leftAlone });
    expect(await archivedIds(lab)).toEqual(["export-01", "export-02"]);
    expect((await lab.control.state()).tasks).toEqual([]);

    const { stdout } = await lab.archiver("status");
    expect(stdout).toContain("2 of 50 export slots used");
    expect(stdout).toContain(
      "item 0 of the platform's list (deep), field resource_condition: its JSON is nested",
    );
  });

  test("a task whose own item is odd stays, and is archived once it can be understood", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(2));
    await lab.archiver("discover");
    await lab.control.patchTask("export-01", { listedAs: { export_count: "3" } });
    const ended = await lab.archiver("archive", "--json");
    expect(JSON.parse(ended.stdout)).toMatchObject({
      counts: { archived: 1, postponed: 1, deadLettered: 0 },
      leftAlone: { count: 1, items: [{ field: "export_count", exportTaskId: "export-01" }] },
    });
    expect((await lab.control.state()).tasks.map(({ exportTaskId }) => exportTaskId)).toEqual(["export-01"]);
    const discovered = v.parse(discoverReportSchema, (await lab.archiverJson("discover")).document);
    expect(discovered).toMatchObject({ held: 1, enqueued: [], skipped: [], leftAlone: { count: 1 } });
  });
});

describe.concurrent("odd entries of the store", () => {
  test("a record that names a file elsewhere is named, and its task is archived again", async (context) => {
    const lab = await openLab(context, { settings: { ARCHIVER_DELETE: "never" } });
    await lab.control.addTasks(finishedExports(2));
    await run(lab);
    const [first] = (await lab.store.archived()).filter(({ exportTaskId }) => exportTaskId === "export-01");
    const file = join(lab.store.path, first?.recordKey ?? "");
    const record = JSON.parse(await readFile(file, "utf8"));
    record.object.key = "../../etc/hostname";
    await writeFile(file, JSON.stringify(record));
    await rm(join(lab.store.path, "state/discovered.json"));
    await lab.writeSettings();

    const report = await run(lab);
    expect(report).toMatchObject({ counts: { archived: 1, deleted: 2 }, leftAlone: { count: 1 } });
    expect(report.leftAlone?.items).toMatchObject([{ kind: "record", key: first?.recordKey }]);
    expect((await lab.control.state()).tasks).toEqual([]);
    expect(await lab.store.keys(dirname(first?.recordKey ?? ""))).toContain(
      first?.recordKey.replace("archived.json", "archived-2.json"),
    );
  });

  test("a file that stands for the holds holds every task, and is named", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(1));
    await writeFile(join(lab.store.path, "holds"), "export-01");
    const report = await run(lab);
    expect(report).toMatchObject({ counts: { archived: 1, kept: 1, deleted: 0 } });
    expect(report.leftAlone?.items).toMatchObject([{ kind: "hold", key: "holds" }]);
    expect((await lab.control.state()).tasks).toHaveLength(1);
    const { stdout } = await lab.archiver("hold", "list");
    expect(stdout).toContain("is a file where a folder belongs, so it holds every task");
  });

  test("a task whose folder of records is a symbolic link fails alone, and nothing is written behind the link", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(2));
    await lab.archiver("status");
    const outside = join(lab.folder, "outside");
    await mkdir(outside);
    const project = `records/${lab.settings().ARCHIVER_IOTDA_PROJECT_ID}/default`;
    await mkdir(join(lab.store.path, project), { recursive: true });
    await symlink(outside, join(lab.store.path, project, "export-01"));
    await lab.archiver("discover");
    const ended = await lab.archiver("archive", "--json");
    expect(JSON.parse(ended.stdout)).toMatchObject({
      stopReason: "drained",
      counts: { archived: 1, deleted: 1, deadLettered: 0 },
      // A retry's delay is drawn: export-01 may be due once more before the run ends.
      tasks: expect.arrayContaining([
        expect.objectContaining({ exportTaskId: "export-02", outcome: "archived-deleted" }),
        expect.objectContaining({ exportTaskId: "export-01", reason: "store-misconfigured" }),
      ]),
    });
    expect((await lab.control.state()).tasks.map(({ exportTaskId }) => exportTaskId)).toEqual(["export-01"]);
    expect(await readdir(outside)).toEqual([]);
    for (const args of [["discover"], ["status"], ["sweep"], ["verify", "--all"]]) {
      const { exitCode, stderr } = await lab.archiver(...args);
      expect(exitCode, args.join(" ") + stderr).toBe(0);
    }
  });

  test.for(["a symbolic link", "a pipe", "a directory"])(
    "%s among the records, reports, requests and state costs only what it is about",
    async (what, context) => {
      const lab = await openLab(context);
      await lab.control.addTasks(finishedExports(3));
      await lab.archiver("status");
      const project = `records/${lab.settings().ARCHIVER_IOTDA_PROJECT_ID}/default`;
      const runs = `runs/${new Date().toISOString().slice(0, 10).replaceAll("-", "/")}`;
      const places = [
        `${project}/export-01/00000000/archived.json`,
        `${project}/export-02/00000000/dead-letter.json`,
        `${project}/export-03/x.json`,
        `${runs}/20261122T010000000Z-00000000.json`,
        "requests/x.json",
        "state/discovered.json",
        "exports/x.zip",
      ];
      for (const place of places) {
        await makeOdd(what, join(lab.store.path, place));
      }
      const report = await run(lab);
      expect(report.counts).toMatchObject({ archived: 3, deleted: 3, deadLettered: 0 });
      const named = report.leftAlone?.items.map((item) => ("key" in item ? item.key : item.kind)).sort();
      expect(named).toEqual(expect.arrayContaining(places.slice(0, 3)));
      for (const args of [["discover"], ["status"], ["sweep"], ["verify", "--all"]]) {
        const ended = await lab.archiver(...args);
        expect(ended.exitCode, args.join(" ") + ended.stderr + ended.stdout).toBe(
          args[0] === "verify" ? 3 : 0,
        );
      }
    },
  );
});

async function makeOdd(what: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  switch (what) {
    case "a symbolic link":
      return await symlink("/etc/hostname", path);
    case "a directory":
      return void (await mkdir(path));
    default:
      expect(spawnSync("mkfifo", [path]).status).toBe(0);
  }
}
