import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { describe, expect, type TestContext, test } from "vitest";
import type { RequestLogEntry } from "../../sandbox/start.ts";
import { expectArchivedOnce, expectPaceKept } from "./archive-audit.ts";
import type { Ended, Running } from "./command-line.ts";
import { runReportSchema } from "./documents.ts";
import { finishedExports, type Lab, openLab } from "./lab.ts";

const INTERVAL_MS = 600;
const EXPORTS = 10;
/** What a crash hides comes back this soon. */
const VISIBILITY_MS = 1_500;

/** A moment to kill at: comes true at some point of the run, or the run ends before. */
type Moment = (running: Running, lab: Lab) => Promise<boolean>;

const afterMs =
  (ms: number): Moment =>
  async (running) => {
    await sleep(ms);
    return !running.isOver;
  };

/** In the middle of a body: the platform is sending, and the process has had some of it. */
const duringDownload =
  (waitMs: number): Moment =>
  async (running, lab) => {
    const before = (await lab.control.requests()).length;
    const began = await running.until(async () =>
      (await lab.control.requests(before)).some(
        ({ operation, outcome }) => operation === "showExportTask" && outcome === "pending",
      ),
    );
    await sleep(began ? waitMs : 0);
    return began && !running.isOver;
  };

/** The copy is complete; its record, the gate and the delete follow within milliseconds. */
const whenCopyIsComplete: Moment = async (running, lab) => {
  const before = new Set(await lab.store.keys("exports"));
  return await running.until(async () =>
    (await lab.store.keys("exports")).some((key) => key.endsWith(".zip") && !before.has(key)),
  );
};

/** The record stands, the delete is on its way. */
const whenRecorded: Moment = async (running, lab) => {
  const before = new Set(await lab.store.keys("records"));
  return await running.until(async () =>
    (await lab.store.keys("records")).some((key) => key.endsWith("/archived.json") && !before.has(key)),
  );
};

/** The delete was asked for; its confirmation, record and acknowledgement are missing. */
const whenDeleteIsAsked: Moment = async (running, lab) => {
  const before = (await lab.control.requests()).length;
  return await running.until(async () =>
    (await lab.control.requests(before)).some(({ operation }) => operation === "deleteExportTask"),
  );
};

/** Numbers in [0, 1) that are the same in every run of the suite (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A night of slow files, 0.4 to 0.6 s each, so that there is a middle to kill in; one failed, one unfinished export. */
async function openNight(context: TestContext, exportCount = EXPORTS): Promise<Lab> {
  const lab = await openLab(context, {
    intervalMs: INTERVAL_MS,
    settings: { ARCHIVER_VISIBILITY_MS: String(VISIBILITY_MS) },
  });
  const tasks = finishedExports(exportCount).map((task, index) => ({
    ...task,
    fillerBytes: (4 + (index % 3)) * 100_000,
  }));
  await lab.control.addTasks([
    ...tasks,
    { exportTaskId: "failed-one", condition: { task_id: "failed" }, status: "Failed" },
    { exportTaskId: "unfinished-one", condition: { task_id: "unfinished" }, status: "Processing" },
  ]);
  await lab.control.scriptFaults({
    operation: "showExportTask",
    times: 1_000,
    fault: { kind: "slow-drip", bytesPerSecond: 1_000_000 },
  });
  return lab;
}

/** The failed export is given up, with its reason in the queue and in the store; a kill may repeat the letter. */
async function expectFailedOneLettered(lab: Lab): Promise<void> {
  const letters = lab.queue.letters();
  expect(letters.length).toBeGreaterThanOrEqual(1);
  for (const letter of letters) {
    expect(letter).toMatchObject({ reason: "export-failed", body: expect.stringContaining("failed-one") });
  }
  const records = (await lab.store.keys("records")).filter((key) => key.includes("/dead-letter"));
  expect(records.length).toBeGreaterThanOrEqual(1);
  expect(records.length).toBeLessThanOrEqual(letters.length);
  for (const key of records) {
    expect(await lab.store.json(key)).toMatchObject({ exportTaskId: "failed-one", reason: "export-failed" });
  }
}

function expectCleanEnd(ended: Ended): void {
  // 3: the failed export may be dead-lettered as late as in this run.
  expect([0, 3], ended.stderr).toContain(ended.exitCode);
  const report = v.parse(runReportSchema, JSON.parse(ended.stdout));
  expect(report).toMatchObject({ stopReason: "drained", left: { ready: 0, delayed: 0, inFlight: 0 } });
}

/** Exports with a complete copy but without the last record: a kill came in between. */
async function halfDone(lab: Lab): Promise<readonly string[]> {
  const taskIdsOf = async (prefix: string, suffix: string) =>
    (await lab.store.keys(prefix))
      .filter((key) => key.endsWith(suffix))
      .map((key) => /export-\d+/.exec(key)?.[0] ?? key);
  const finished = new Set(await taskIdsOf("records", "/deleted.json"));
  return (await taskIdsOf("exports", ".zip")).filter((exportTaskId) => !finished.has(exportTaskId));
}

const cutDownloads = (requests: readonly RequestLogEntry[]) =>
  requests.filter(({ operation, outcome }) => operation === "showExportTask" && outcome === "aborted").length;

describe.concurrent("the process is killed (SIGKILL) again and again", () => {
  test("and running it once more each time finishes the job, with nothing lost or doubled", async (context) => {
    const lab = await openNight(context);
    const random = seededRandom(20_261_122);
    const anyMoment = () => afterMs(150 + random() * 1_000);
    const moments: readonly Moment[] = [
      afterMs(170 + random() * 60),
      duringDownload(50),
      whenCopyIsComplete,
      anyMoment(),
      duringDownload(150),
      whenRecorded,
      whenDeleteIsAsked,
      anyMoment(),
      duringDownload(250),
      whenCopyIsComplete,
      whenRecorded,
      anyMoment(),
      whenDeleteIsAsked,
      anyMoment(),
    ];
    let kills = 0;
    const halfDoneOnce = new Set<string>();
    for (const moment of moments) {
      const running = lab.start("run");
      const isTime = await moment(running, lab);
      running.kill("SIGKILL");
      const { signal, stderr } = await running.ended;
      expect(isTime, `the run ended before it could be killed: ${stderr}`).toBe(true);
      kills += signal === "SIGKILL" ? 1 : 0;
      for (const exportTaskId of await halfDone(lab)) {
        halfDoneOnce.add(exportTaskId);
      }
    }
    expect(kills).toBeGreaterThanOrEqual(12);
    expect(cutDownloads(await lab.control.requests()), "downloads cut by a kill").toBeGreaterThanOrEqual(3);
    expect(halfDoneOnce.size, "exports left between their copy and the end").toBeGreaterThanOrEqual(2);

    expectCleanEnd(await lab.archiver("run", "--json"));
    await expectArchivedOnce(lab, EXPORTS);
    await expectPaceKept(lab, INTERVAL_MS);
    await expectFailedOneLettered(lab);
    expect((await lab.control.state()).tasks.map(({ exportTaskId }) => exportTaskId).sort()).toEqual([
      "failed-one",
      "unfinished-one",
    ]);
  }, 60_000);

  test("while a second one works on the same queue and folder", async (context) => {
    const exports = 6;
    const lab = await openNight(context, exports);
    const random = seededRandom(7);
    // Six runs one after another are killed, beside one that is let be.
    const steady = lab.start("run", "--json");
    for (let kill = 0; kill < 6 && !steady.isOver; kill += 1) {
      const victim = lab.start("run");
      await sleep(150 + random() * 700);
      victim.kill("SIGKILL");
      await victim.ended;
    }
    const other = lab.start("run", "--json");
    expectCleanEnd(await steady.ended);
    expectCleanEnd(await other.ended);
    expectCleanEnd(await lab.archiver("run", "--json"));
    await expectArchivedOnce(lab, exports);
    await expectPaceKept(lab, INTERVAL_MS);
    await expectFailedOneLettered(lab);
  }, 60_000);
});
