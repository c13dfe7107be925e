import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, type TestContext, test } from "vitest";
import { type PlanAction, planSchema } from "../../lib/plan/plan.ts";
import { openCloudLab } from "./cloud-lab.ts";
import type { Ended } from "./command-line.ts";
import { finishedExports, openLab } from "./lab.ts";

/** An archive with a history, and a look at all that could change in it. */
interface Planned {
  readonly archiver: (...args: readonly string[]) => Promise<Ended>;
  /** Everything in store and queue, by its name. */
  readonly everything: () => Promise<unknown>;
  /** What went over the wire to platform and store since the last call. */
  readonly requests: () => Promise<readonly string[]>;
}

/** Two archived exports, one of them held; one that waits, one that failed and three to do. */
async function giveHistory(
  { archiver }: Planned,
  add: (tasks: ReturnType<typeof finishedExports>) => Promise<unknown>,
) {
  const [one, two, three, four, five, six, seven] = finishedExports(7);
  if (!(one && two && three && four && five && six && seven)) {
    throw new Error("seven were asked for");
  }
  await add([one, two]);
  expect(await archiver("run")).toMatchObject({ exitCode: 0 });
  expect(await archiver("hold", "add", "export-02", "--reason", "audit")).toMatchObject({ exitCode: 0 });
  await add([{ ...three, status: "Processing" }, { ...four, status: "Failed" }, five, six, seven]);
}

async function onFolder(context: TestContext): Promise<Planned> {
  const lab = await openLab(context, { settings: { ARCHIVER_DELETE: "never" } });
  const planned: Planned = {
    archiver: (...args) => lab.archiver(...args),
    everything: async () => [
      await filesBelow(lab.store.path),
      (await filesBelow(lab.folder)).filter(({ name }) => name.includes("queue.db")),
    ],
    requests: requestsSince(async (after) =>
      (await lab.control.requests(after)).map(({ n, operation }) => ({ n, line: operation })),
    ),
  };
  await giveHistory(planned, (tasks) => lab.control.addTasks(tasks));
  await lab.writeSettings();
  return planned;
}

async function onS3(context: TestContext): Promise<Planned> {
  const options = { intervalMs: 200, s3: { profile: "generic-rich" }, storeProfile: "generic" } as const;
  const lab = await openCloudLab(context, {
    ...options,
    longestPollSeconds: 1,
    settings: { ARCHIVER_DELETE: "never" },
  });
  const { control } = lab.bucket.server;
  const ofPlatform = requestsSince(async (after) =>
    (await lab.control.requests(after)).map(({ n, operation }) => ({ n, line: operation })),
  );
  const ofStore = requestsSince(async (after) =>
    (await control.requests(after)).map(({ n, method, operation }) => ({
      n,
      line: `${method} ${operation}`,
    })),
  );
  const planned: Planned = {
    archiver: (...args) => lab.archiver(...args),
    everything: async () => await control.state(),
    requests: async () => [...(await ofPlatform()), ...(await ofStore())],
  };
  await giveHistory(planned, (tasks) => lab.control.addTasks(tasks));
  return { ...planned, archiver: (...args) => lab.archiver(...args) };
}

async function filesBelow(folder: string) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return await Promise.all(
    files.sort().map(async (name) => {
      const sha256 = createHash("sha256")
        .update(await readFile(name))
        .digest("hex");
      return { name, sha256, mtimeMs: (await stat(name)).mtimeMs };
    }),
  );
}

function requestsSince(
  read: (after: number) => Promise<readonly { readonly n: number; readonly line: string }[]>,
) {
  let seen = 0;
  return async () => {
    const requests = await read(seen);
    seen = Math.max(seen, ...requests.map(({ n }) => n));
    return requests.map(({ line }) => line);
  };
}

const READS = new Set([
  "listExportTasks",
  "HEAD HeadObject",
  "GET GetObject",
  "GET ListObjects",
  "GET ListObjectsV2",
]);

const planDocument = v.looseObject(planSchema.entries);

const runDocument = v.looseObject({
  tasks: v.array(v.looseObject({ exportTaskId: v.string(), outcome: v.string() })),
});

const plannedRunDocument = v.looseObject({
  tasks: v.array(
    v.looseObject({ exportTaskId: v.string(), outcome: v.string(), reason: v.optional(v.string()) }),
  ),
  plan: v.strictObject({ madeAt: v.string(), notAttempted: v.array(v.string()) }),
});

const OUTCOMES: Readonly<Record<PlanAction, string>> = {
  "archive-delete": "archived-deleted",
  archive: "archived-kept",
  delete: "deleted",
  "give-up": "dead-lettered",
  keep: "archived-kept",
  wait: "postponed",
  "left-alone": "postponed",
};

const DELETING = [
  ["export-01", "delete", undefined],
  ["export-04", "give-up", "export-failed"],
  ["export-05", "archive-delete", undefined],
  ["export-06", "archive-delete", undefined],
  ["export-07", "archive-delete", undefined],
  ["export-02", "keep", "hold"],
  ["export-03", "wait", "unfinished"],
];
const KEEPING = [
  ["export-04", "give-up", "export-failed"],
  ["export-05", "archive", "delete-disabled"],
  ["export-06", "archive", "delete-disabled"],
  ["export-07", "archive", "delete-disabled"],
  ["export-01", "keep", "delete-disabled"],
  ["export-02", "keep", "delete-disabled"],
  ["export-03", "wait", "unfinished"],
];

describe.concurrent.each([
  ["a folder", onFolder, DELETING],
  ["S3", onS3, KEEPING],
] as const)("plan on %s", (_place, open, expected) => {
  test("lists and reads, changes nothing, and says what the next run does", async (context) => {
    const { archiver, everything, requests } = await open(context);
    const before = await everything();
    await requests();
    const forPeople = await archiver("plan");
    expect(forPeople).toMatchObject({ exitCode: 0, stderr: "" });
    const { stdout } = await archiver("plan", "--json");
    const sent = await requests();
    expect(await everything()).toEqual(before);
    expect(sent.filter((line) => !READS.has(line))).toEqual([]);
    expect(sent.filter((line) => line === "listExportTasks")).toHaveLength(2);
    const { items } = v.parse(planDocument, JSON.parse(stdout));
    expect(items.map(({ exportTaskId, action, reason }) => [exportTaskId, action, reason])).toEqual(expected);
    for (const { exportTaskId } of items) {
      expect(forPeople.stdout).toContain(exportTaskId);
    }
    expect(forPeople.stdout).toContain(
      "Lost first without a run: export-05, by the 48th export made from now on",
    );

    const run = await archiver("run", "--json");
    expect(run.exitCode).toBe(3);
    const downloads = (await requests()).filter((line) => line === "showExportTask");
    expect(downloads).toHaveLength(3);
    const report = v.parse(runDocument, JSON.parse(run.stdout));
    const done = report.tasks.map(({ exportTaskId, outcome }) => [exportTaskId, outcome]).sort();
    const attempted = items.filter(({ at }) => at !== undefined);
    expect(done).toEqual(
      attempted.map(({ exportTaskId, action }) => [exportTaskId, OUTCOMES[action]]).toSorted(),
    );
  });
});

describe.concurrent("run --plan", () => {
  test("does at most the plan, and names what has changed or is new", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(4));
    const file = join(lab.folder, "plan.json");
    const made = await lab.archiver("plan", "--out", file);
    expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`run --plan ${file}`) });
    await lab.control.overwriteTask("export-01", { exportCount: 99 });
    expect(await lab.archiver("hold", "add", "export-02", "--reason", "audit")).toMatchObject({
      exitCode: 0,
    });
    await lab.control.removeTask("export-03");
    await lab.control.addTasks(finishedExports(5).slice(4));
    const run = await lab.archiverJson("run", "--plan", file);
    expect(run.exitCode, run.stderr).toBe(0);
    const { tasks, plan } = v.parse(plannedRunDocument, run.document);
    expect(tasks.map(({ exportTaskId, outcome, reason }) => [exportTaskId, outcome, reason]).sort()).toEqual([
      ["export-01", "postponed", "changed-since-plan"],
      ["export-02", "postponed", "changed-since-plan"],
      ["export-04", "archived-deleted", undefined],
      ["export-05", "postponed", "not-in-plan"],
    ]);
    expect(plan.notAttempted).toEqual(["export-03"]);
    const downloads = (await lab.control.requests()).filter(
      ({ operation }) => operation === "showExportTask",
    );
    expect(downloads.map(({ exportTaskId }) => exportTaskId)).toEqual(["export-04"]);
  });

  test("refuses what is not a plan for it, before anything is done", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(1));
    const file = join(lab.folder, "plan.json");
    expect(await lab.archiver("plan", "--out", file)).toMatchObject({ exitCode: 0 });
    expect(await lab.archiver("plan", "--out", file)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/already exists.*Name another file/s),
    });
    const text = await readFile(file, "utf8");
    const refused: readonly (readonly [string, string])[] = [
      [text.replace(/"madeAt": "\d+/, '"madeAt": "2025'), "more than 24 h ago"],
      [text.replace(/"projectId": "[^"]+/, '"projectId": "another'), "another project"],
      [text.replace(/"archiveId": "[^"]+/, '"archiveId": "another'), "another, and"],
      [text.slice(0, -10), "is not JSON"],
      [text.replace('"archive-delete"', '"delete-all"'), "items[0].action"],
      [" ".repeat(2 * 1024 * 1024), "has more than 1.00 MiB"],
    ];
    const keys = await lab.store.keys("");
    for (const [content, problem] of refused) {
      await writeFile(file, content);
      const { exitCode, stderr } = await lab.archiver("run", "--plan", file);
      expect(stderr).toContain(problem);
      expect(exitCode).toBe(2);
    }
    const missing = await lab.archiver("run", "--plan", join(lab.folder, "nowhere.json"));
    expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("ENOENT") });
    expect((await lab.control.requests()).map(({ operation }) => operation)).not.toContain("showExportTask");
    expect(await lab.store.keys("")).toEqual(keys);
  });
});
