import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { expect, test } from "vitest";
import { expectCloudArchivedOnce, expectCloudPaceKept, expectFailedOneLettered } from "./cloud-audit.ts";
import { type CloudLab, openCloudLab } from "./cloud-lab.ts";
import type { Running } from "./command-line.ts";
import { runReportSchema } from "./documents.ts";
import { finishedExports } from "./lab.ts";

const INTERVAL_MS = 600;
const EXPORTS = 9;
/** What a crash hides comes back this soon; shorter than the poll with which a run ends. */
const VISIBILITY_MS = 1_500;
/** Of three parts, on the wire for half a second. */
const LARGE = { fillerBytes: 11_000_000, bytesPerSecond: 22_000_000 };

/** A moment to kill at: comes true at some point of the run, or the run ends before. */
type Moment = (running: Running, lab: CloudLab) => Promise<boolean>;

/** A part of a large file is in the store, and the platform is still sending. */
const duringUpload: Moment = async (running, lab) =>
  await running.until(async () => (await lab.bucket.openUploads()).length > 0);

/** The copy is complete; verification, record, gate and delete follow within milliseconds. */
const whenCopyIsComplete: Moment = async (running, lab) => {
  const before = new Set(await lab.bucket.keys("exports/"));
  return await running.until(async () => (await lab.bucket.keys("exports/")).some((key) => !before.has(key)));
};

/** The record stands, the delete is on its way. */
const whenRecorded: Moment = async (running, lab) => {
  const before = new Set(await lab.bucket.keys("records/"));
  return await running.until(async () =>
    (await lab.bucket.keys("records/")).some((key) => key.endsWith("/archived.json") && !before.has(key)),
  );
};

/** The delete was asked for; its confirmation, record and acknowledgement are missing. */
const whenDeleteIsAsked: Moment = async (running, lab) => {
  const before = (await lab.control.requests()).length;
  return await running.until(async () =>
    (await lab.control.requests(before)).some(({ operation }) => operation === "deleteExportTask"),
  );
};

const afterMs =
  (ms: number): Moment =>
  async (running) => {
    await sleep(ms);
    return !running.isOver;
  };

test("killed (SIGKILL) six times on S3 and SQS: one more run finishes the job, with nothing lost, doubled or left open", async (context) => {
  const lab = await openCloudLab(context, {
    intervalMs: INTERVAL_MS,
    s3: { profile: "aws" },
    storeProfile: "aws",
    settings: { ARCHIVER_VISIBILITY_MS: String(VISIBILITY_MS) },
  });
  const tasks = finishedExports(EXPORTS).map((task, index) =>
    index % 2 === 0 ? { ...task, fillerBytes: LARGE.fillerBytes } : task,
  );
  await lab.control.addTasks([
    ...tasks,
    { exportTaskId: "failed-one", condition: { task_id: "failed" }, status: "Failed" },
    { exportTaskId: "unfinished-one", condition: { task_id: "unfinished" }, status: "Processing" },
  ]);
  await lab.control.scriptFaults({
    operation: "showExportTask",
    times: 1_000,
    fault: { kind: "slow-drip", bytesPerSecond: LARGE.bytesPerSecond },
  });
  const moments: readonly Moment[] = [
    duringUpload,
    whenCopyIsComplete,
    whenRecorded,
    whenDeleteIsAsked,
    duringUpload,
    afterMs(1_100),
  ];
  let kills = 0;
  let uploadsLeftOpen = 0;
  for (const moment of moments) {
    const running = lab.start("run");
    const isTime = await moment(running, lab);
    running.kill("SIGKILL");
    const { signal, stderr } = await running.ended;
    expect(isTime, `the run ended before it could be killed: ${stderr}`).toBe(true);
    kills += signal === "SIGKILL" ? 1 : 0;
    uploadsLeftOpen = Math.max(uploadsLeftOpen, (await lab.bucket.openUploads()).length);
  }
  expect(kills).toBe(moments.length);
  expect(uploadsLeftOpen, "uploads that a kill left open").toBeGreaterThanOrEqual(1);

  const ended = await lab.archiver("run", "--json");
  // 3: the failed export may be dead-lettered as late as in this run.
  expect([0, 3], ended.stderr).toContain(ended.exitCode);
  expect(v.parse(runReportSchema, JSON.parse(ended.stdout))).toMatchObject({
    stopReason: "drained",
    left: { ready: 0, delayed: 0, inFlight: 0 },
  });
  await expectCloudArchivedOnce(lab, EXPORTS);
  await expectCloudPaceKept(lab, INTERVAL_MS);
  await expectFailedOneLettered(lab);
  expect((await lab.control.state()).tasks.map(({ exportTaskId }) => exportTaskId).sort()).toEqual([
    "failed-one",
    "unfinished-one",
  ]);
}, 90_000);
