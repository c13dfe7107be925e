import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, type TestContext, test } from "vitest";
import { type CloudLab, type CloudLabOptions, openCloudLab } from "./cloud-lab.ts";
import { deadLettersSchema, runReportSchema, statusSchema } from "./documents.ts";
import { finishedExports, type Lab, openLab } from "./lab.ts";

const IN_STORE = { ARCHIVER_QUEUE: "store:", ARCHIVER_DEAD_LETTER_QUEUE: undefined };
const FAILED = { exportTaskId: "failed-one", condition: { task_id: "failed" }, status: "Failed" } as const;
const NIGHT = ["export-01", "export-02", "export-03"];

async function openNight(context: TestContext, settings = {}): Promise<Lab> {
  const lab = await openLab(context, { settings: { ...IN_STORE, ...settings } });
  await lab.control.addTasks([...finishedExports(NIGHT.length), FAILED]);
  return lab;
}

async function openCloudNight(
  context: TestContext,
  options: Pick<CloudLabOptions, "s3" | "storeProfile">,
): Promise<CloudLab> {
  const lab = await openCloudLab(context, { ...options, intervalMs: 200, settings: IN_STORE });
  await lab.control.addTasks([...finishedExports(NIGHT.length), FAILED]);
  return lab;
}

async function statusOf(lab: Lab) {
  return v.parse(statusSchema, (await lab.archiverJson("status")).document);
}

describe.concurrent("a queue in the store", () => {
  test("makes a folder all that a night needs", async (context) => {
    const lab = await openNight(context);
    const run = await lab.archiverJson("run");
    expect(run.exitCode, run.stderr).toBe(3);
    expect(v.parse(runReportSchema, run.document)).toMatchObject({
      stopReason: "drained",
      counts: { archived: NIGHT.length, deleted: NIGHT.length, deadLettered: 1 },
    });
    expect((await lab.store.archived()).map(({ exportTaskId }) => exportTaskId).toSorted()).toEqual(NIGHT);
    expect(await lab.store.keys("queue/messages")).toEqual([]);
    expect(await readdir(lab.folder)).not.toContain("queue.db");
  });

  test("is shown by status, and its dead letters are listed, moved back and dismissed", async (context) => {
    const lab = await openNight(context);
    expect(await lab.archiver("discover")).toMatchObject({ exitCode: 0 });
    expect(await statusOf(lab)).toMatchObject({ queue: { ready: 4, inFlight: 0, deadLetters: 0 } });
    await lab.archiver("run");
    const listed = v.parse(deadLettersSchema, (await lab.archiverJson("dead-letters", "list")).document);
    expect(listed.deadLetters).toMatchObject([{ reason: "export-failed" }]);
    const id = listed.deadLetters[0]?.id ?? "";
    const moved = await lab.archiver("dead-letters", "redrive", id);
    expect(moved).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`Moved back ${id}`) });
    expect(await statusOf(lab)).toMatchObject({ queue: { ready: 1, deadLetters: 0 } });
    await lab.archiver("run");
    const dismissed = await lab.archiver("dead-letters", "dismiss", "failed-one", "--reason", "known");
    expect(dismissed.exitCode, dismissed.stderr).toBe(0);
    expect(await statusOf(lab)).toMatchObject({ queue: { ready: 0, deadLetters: 0 } });
  });

  test("takes an id that another program puts there, and names what cannot be a message", async (context) => {
    const lab = await openLab(context, { settings: IN_STORE });
    await lab.control.addTasks(finishedExports(1));
    await lab.archiver("discover");
    await writeFile(join(lab.store.path, "queue", "messages", "mine.txt"), "export-01\n");
    await writeFile(join(lab.store.path, "queue", "messages", "0.json"), '{"schemaVersion":2}');
    const run = await lab.archiver("run");
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stderr).toContain("queue/messages/0.json");
    expect(await lab.store.keys("queue/messages")).toEqual(["queue/messages/0.json"]);
  });

  test("goes on where a killed run stopped", async (context) => {
    const lab = await openNight(context, { ARCHIVER_VISIBILITY_MS: "2000" });
    const killed = lab.start("run");
    expect(await killed.until(async () => (await lab.store.keys("exports")).length > 0)).toBe(true);
    killed.kill("SIGKILL");
    await killed.ended;
    const run = await lab.archiver("run");
    expect(run.exitCode, run.stderr).toBe(3);
    const archived = (await lab.store.archived()).map(({ exportTaskId }) => exportTaskId);
    expect(archived.toSorted()).toEqual(NIGHT);
    expect(await lab.store.keys("queue/messages")).toEqual([]);
  });

  test("is healed by discover when it is lost", async (context) => {
    const lab = await openNight(context);
    expect(await lab.archiver("discover")).toMatchObject({ exitCode: 0 });
    await rm(join(lab.store.path, "queue"), { recursive: true });
    await rm(join(lab.store.path, "state", "discovered.json"));
    await lab.archiver("run");
    const archived = (await lab.store.archived()).map(({ exportTaskId }) => exportTaskId);
    expect(archived.toSorted()).toEqual(NIGHT);
  });

  test("is of no archive where the store is none", async (context) => {
    const lab = await openLab(context, { settings: IN_STORE, begun: false });
    await lab.control.addTasks(finishedExports(1));
    const run = await lab.archiver("run");
    expect(run).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("iotda-archiver init") });
    const status = await lab.archiver("status");
    expect(status.stdout).toContain("Store: not usable, for the same reason");
    expect(await readdir(lab.folder)).not.toContain("archive");
  });

  test("is shared by two runs in a bucket with conditional writes", async (context) => {
    const lab = await openCloudNight(context, { s3: { profile: "aws" }, storeProfile: "aws" });
    const runs = await Promise.all([lab.archiver("run", "--json"), lab.archiver("run", "--json")]);
    const reports = runs.map(({ stdout }) => v.parse(runReportSchema, JSON.parse(stdout)));
    expect(reports.map(({ failure }) => failure)).toEqual([undefined, undefined]);
    await expectNightDone(lab);
  });

  test("is worked on by one run at a time in a bucket without", async (context) => {
    const lab = await openCloudNight(context, { s3: { profile: "obs" }, storeProfile: "obs" });
    const first = lab.start("run", "--json");
    await first.until(async () => (await lab.bucket.keys("exports/")).length > 0);
    const second = lab.start("run", "--json");
    const ended = await Promise.all([first.ended, second.ended]);
    const [one, other] = ended.map(({ stdout }) => v.parse(runReportSchema, JSON.parse(stdout)));
    expect(one).toMatchObject({ counts: { archived: NIGHT.length } });
    expect(other).toMatchObject({ counts: { archived: 0 }, stopReason: "drained" });
    await expectNightDone(lab);
    // The lease is given up at the end of a run: the next one need not wait for it.
    expect(await lab.bucket.keys("queue/run-lease")).toEqual([]);
  });
});

async function expectNightDone(lab: CloudLab): Promise<void> {
  expect((await lab.bucket.archived()).map(({ exportTaskId }) => exportTaskId).toSorted()).toEqual(NIGHT);
  expect(await lab.bucket.keys("queue/messages/")).toEqual([]);
  // Each of two runs may have enqueued the failed export.
  expect((await lab.bucket.keys("queue/dead-letters/")).length).toBeGreaterThan(0);
  expect(await lab.control.state()).toMatchObject({ tasks: [{ exportTaskId: FAILED.exportTaskId }] });
}
