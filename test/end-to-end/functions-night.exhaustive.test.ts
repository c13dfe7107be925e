import * as v from "valibot";
import { describe, expect, test, vi } from "vitest";
import { expectArchivedOnce, expectPaceKept } from "./archive-audit.ts";
import { archiveReportSchema } from "./documents.ts";
import { FunctionHost, metricsOf } from "./function-host.ts";
import { archive, discover, INTERVAL_MS, openNight, ROTATED, rotateKeys, SERVICE } from "./function-night.ts";
import { finishedExports } from "./lab.ts";

const EXPORTS = 8;
/** Runs until nothing is queued. */
const MAX_RUNS = 20;

describe("the functions in the cloud, by the settings of a deployment", () => {
  test.concurrent("a night cut into short runs: each ends in time, and every export is archived once", async (context) => {
    const night = await openNight(context, { apart: true });
    const { lab, secrets } = night;
    await lab.control.addTasks(finishedExports(EXPORTS));
    expect(await discover(night)).toHaveLength(EXPORTS);
    const stops: string[] = [];
    let isOver = false;
    while (!isOver && stops.length < MAX_RUNS) {
      const { report, log, leftMs } = await archive(night, { timeLeftMs: 7_000 });
      stops.push(report.stopReason);
      expect(leftMs, "time left when it returned").toBeGreaterThan(0);
      expect(metricsOf(log)).toMatchObject([{ service: SERVICE, SystemFailures: 0, RunsCompleted: 1 }]);
      if (stops.length === 1) {
        await rotateKeys(night);
      }
      // The run that does the last work may have no time left to see that it was the last.
      isOver = report.stopReason === "drained" && lab.queue.messages().length === 0;
    }
    expect(stops).toContain("time-budget");
    expect(stops.at(-1)).toBe("drained");
    await expectArchivedOnce(lab, EXPORTS);
    await expectPaceKept(lab, INTERVAL_MS);
    expect(lab.queue.letters()).toEqual([]);
    expect(secrets.reads, "one read for each run").toHaveLength(1 + stops.length);
    // The next discover finds nothing, and nothing has to be told apart from that.
    expect(await discover(night)).toEqual([]);
  });

  test.concurrent("a warm function goes by what is true now: keys, queue, time", async (context) => {
    const night = await openNight(context, { apart: true });
    const { lab, secrets } = night;
    await lab.control.addTasks(finishedExports(2));
    await discover(night);
    const host = FunctionHost.start(night.environment);
    const runs = [];
    for (const timeLeftMs of [60_000, 60_000, 1_000]) {
      const { returned } = await host.call("archive", { timeLeftMs });
      runs.push(v.parse(archiveReportSchema, returned));
      await rotateKeys(night);
      lab.queue.send("export-03");
      await lab.control.addTasks(finishedExports(3).slice(2));
    }
    const log = await host.end();
    expect(runs.map(({ stopReason }) => stopReason)).toEqual(["drained", "drained", "time-budget"]);
    // On a busy machine the sandbox may read a request late and refuse the next one: that is left to the second run.
    const archived = runs.map(({ counts }) => counts.archived);
    expect(archived).toEqual([expect.any(Number), 3 - Number(archived[0]), 0]);
    expect(archived[1], "the export that came between the runs").toBeGreaterThan(0);
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(3);
    expect(metricsOf(log).map(({ TasksArchived }) => TasksArchived)).toEqual(archived);
    // The last run had no time to start anything, so it needed no keys.
    expect(secrets.reads).toHaveLength(3);
  });

  test.concurrent("keys rotated in the middle of a run are read again, once", async (context) => {
    const night = await openNight(context, { apart: true });
    const { lab, secrets } = night;
    await lab.control.addTasks(finishedExports(4));
    await discover(night);
    const readsBefore = secrets.reads.length;
    const running = archive(night, { timeLeftMs: 60_000 });
    await vi.waitFor(async () => expect(await lab.bucket.archived()).not.toEqual([]), { timeout: 20_000 });
    await rotateKeys(night);
    const { report, log } = await running;
    expect(report.failure).toBeUndefined();
    expect(secrets.reads.length - readsBefore).toBe(2);
    expect(log).not.toContain(ROTATED.sk);
    while (lab.queue.messages().length > 0) {
      expect((await archive(night, { timeLeftMs: 60_000 })).report.failure).toBeUndefined();
    }
    await expectArchivedOnce(lab, 4);
    expect(lab.queue.letters()).toEqual([]);
  });

  test.concurrent("pressure events do nothing below the mark", async (context) => {
    const night = await openNight(context, { apart: true });
    await night.lab.control.addTasks(finishedExports(2));
    await discover(night);
    const { report, log } = await archive(night, { event: { when: "pressure" } });
    expect(report).toMatchObject({ stopReason: "no-pressure", counts: { received: 0 } });
    expect(metricsOf(log)).toMatchObject([{ TasksHeld: 2, RunsCompleted: 0, SystemFailures: 0 }]);
    expect(night.lab.queue.messages()).toHaveLength(2);
    expect((await night.lab.control.requests()).map(({ operation }) => operation)).not.toContain(
      "showExportTask",
    );
  });

  test.concurrent("with one second left it starts nothing and returns", async (context) => {
    const night = await openNight(context, { apart: true });
    night.lab.queue.send("export-01");
    const { report, leftMs } = await archive(night, { timeLeftMs: 1_000 });
    expect(report).toMatchObject({ stopReason: "time-budget", counts: { received: 0 }, tasks: [] });
    expect(leftMs).toBeGreaterThan(0);
    expect(night.lab.queue.messages()).toHaveLength(1);
    expect(await night.lab.control.requests()).toEqual([]);
    expect(night.secrets.reads).toEqual([]);
  });

  test.concurrent("cut by its limit in the middle of an upload, it leaves the message; the next clean run leaves no open upload", async (context) => {
    const night = await openNight(context, { apart: true });
    const { lab } = night;
    await lab.control.addTasks(finishedExports(1, { fillerBytes: 60_000_000 }));
    await lab.control.scriptFaults({
      operation: "showExportTask",
      fault: { kind: "slow-drip", bytesPerSecond: 4_000_000 },
    });
    await discover(night);
    const { report, leftMs } = await archive(night, { timeLeftMs: 12_000 });
    expect(report.tasks).toMatchObject([{ outcome: "postponed", reason: "cut-by-time-limit" }]);
    expect(leftMs).toBeGreaterThan(0);
    expect(lab.queue.messages()).toHaveLength(1);
    const uploads = (await lab.bucket.server.control.requests()).filter(
      ({ operation }) => operation === "UploadPart",
    );
    expect(uploads, "parts that were sent").not.toEqual([]);
    do {
      expect((await archive(night, { timeLeftMs: 60_000 })).report.failure).toBeUndefined();
    } while (lab.queue.messages().length > 0);
    await expectArchivedOnce(lab, 1);
  });
});
