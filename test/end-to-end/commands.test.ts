import * as v from "valibot";
import { describe, expect, type TestContext, test } from "vitest";
import { expectArchivedOnce } from "./archive-audit.ts";
import {
  archiveReportSchema,
  deadLettersSchema,
  discoverReportSchema,
  redrivenSchema,
  runReportSchema,
  statusSchema,
} from "./documents.ts";
import { finishedExports, type Lab, type LabOptions, openLab } from "./lab.ts";

const MINUTE_MS = 60_000;
const FAILED = { exportTaskId: "failed-one", condition: { task_id: "failed" }, status: "Failed" } as const;
const UNFINISHED = {
  exportTaskId: "unfinished-one",
  condition: { task_id: "unfinished" },
  status: "Processing",
} as const;

async function openNight(context: TestContext, exports = 2, options: LabOptions = {}): Promise<Lab> {
  const lab = await openLab(context, options);
  await lab.control.addTasks([...finishedExports(exports), FAILED, UNFINISHED]);
  return lab;
}

describe.concurrent("--json prints one document as architecture §6.4 has it", () => {
  test("for every command, from the first one on a new installation to the last", async (context) => {
    const lab = await openNight(context);

    const status = await lab.archiverJson("status");
    expect(status.exitCode).toBe(0);
    expect(v.parse(statusSchema, status.document)).toMatchObject({
      platform: { held: 4, byStatus: { Success: 2, Failed: 1, Processing: 1 } },
      queue: { ready: 0, delayed: 0, inFlight: 0, deadLetters: 0 },
    });

    const discover = await lab.archiverJson("discover");
    expect(discover.exitCode).toBe(0);
    const discovered = v.parse(discoverReportSchema, discover.document);
    expect(discovered).toMatchObject({ held: 4, unfinished: 1, skipped: [] });
    expect(discovered.enqueued).toEqual(["export-01", "export-02", "failed-one"]);
    const again = v.parse(discoverReportSchema, (await lab.archiverJson("discover")).document);
    expect(again.enqueued).toEqual([]);
    expect(again.skipped.map(({ exportTaskId }) => exportTaskId)).toEqual(discovered.enqueued);

    const beforeMs = Date.now();
    const archive = await lab.archiverJson("archive");
    expect(archive.exitCode, "a dead letter").toBe(3);
    const report = v.parse(archiveReportSchema, archive.document);
    expect(report).toMatchObject({
      stopReason: "drained",
      pacing: "shared",
      counts: { received: 3, archived: 2, deleted: 2, kept: 0, retried: 0, deadLettered: 1, throttled: 0 },
      platform: { held: 2 },
    });
    expect(report.bytes).toBe(report.tasks.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0));
    expect(report.tasks.map(({ exportTaskId, outcome }) => `${exportTaskId} ${outcome}`).toSorted()).toEqual([
      "export-01 archived-deleted",
      "export-02 archived-deleted",
      "failed-one dead-lettered",
    ]);
    const [kept] = (await lab.store.keys("runs")).filter((key) => key.includes(report.runId));
    expect(await lab.store.json(kept ?? "")).toEqual(report);

    const list = await lab.archiverJson("dead-letters", "list");
    expect(list).toMatchObject({ exitCode: 0, stderr: "" });
    expect(v.parse(deadLettersSchema, list.document).deadLetters).toMatchObject([
      {
        reason: "export-failed",
        body: expect.stringContaining("failed-one"),
        attempts: 0,
        runId: report.runId,
      },
    ]);

    const redriven = await lab.archiverJson("dead-letters", "redrive", "--all");
    expect(redriven).toMatchObject({ exitCode: 0, stderr: "" });
    expect(v.parse(redrivenSchema, redriven.document).redriven).toHaveLength(1);

    const run = await lab.archiverJson("run");
    expect(run.exitCode, "given up again").toBe(3);
    expect(v.parse(runReportSchema, run.document)).toMatchObject({
      counts: { received: 1, deadLettered: 1 },
      discovered: { held: 2, unfinished: 1, enqueued: [], skipped: [{ exportTaskId: "failed-one" }] },
      left: { ready: 0, delayed: 0, inFlight: 0, deadLetters: 1 },
    });
    const last = v.parse(statusSchema, (await lab.archiverJson("status")).document);
    expect(last).toMatchObject({ platform: { held: 2 }, queue: { deadLetters: 1 } });
    expect(Date.parse(last.nextSlotAt ?? "")).toBeGreaterThan(beforeMs);
    await expectArchivedOnce(lab, 2);
  });
});

describe.concurrent("for people", () => {
  test("results go to stdout, progress to stderr", async (context) => {
    const lab = await openNight(context);
    const fresh = await lab.archiver("status");
    expect(fresh).toMatchObject({ exitCode: 0, stderr: "" });
    expect(fresh.stdout).toBe(
      [
        "Last run: none in the last week",
        'Last night: no report yet; "iotda-archiver report" makes it',
        "Platform: 4 of 50 export slots used (1 Processing, 1 Failed, 2 Success)",
        "  oldest: export-01, created 2026-11-21T01:01:00.000Z; the platform evicts it first when all slots are used",
        "  of 2 finished: 0 archived, 2 not archived",
        "Queue: 0 ready, 0 delayed, 0 in flight",
        "Dead letters: 0",
        "Runs: deletion is on",
        "Next download slot: no run has taken one yet",
        "",
      ].join("\n"),
    );
    const discover = await lab.archiver("discover");
    expect(discover).toMatchObject({ exitCode: 0, stderr: "" });
    expect(discover.stdout).toBe(
      [
        "Export slots used: 4 of 50, 1 still being made",
        "Enqueued 3 tasks, oldest first:",
        "  export-01",
        "  export-02",
        "  failed-one",
        "",
      ].join("\n"),
    );
    const queued = await lab.archiver("status");
    expect(queued.stdout).toMatch(/^Queue: 3 ready, 0 delayed, 0 in flight$/m);

    const run = await lab.archiver("run");
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toMatch(
      /^Run \S+: nothing is left to do now \(.+\)\n {2}archived 2 \(.+\), deleted 2,/,
    );
    expect(run.stdout).toMatch(/failed-one .* dead-lettered .* the platform could not make this export/);
    expect(run.stdout).toMatch(/^Left in the queue: nothing\nDead letters: 1 \(see "/m);
    expect(run.stderr).toMatch(/Run \S+: .*, deletion is on$/m);
    expect(run.stderr).toMatch(/INFO {2}export-01: archived and deleted/);
    expect(run.stderr).toMatch(/ERROR failed-one: dead-lettered: the platform could not make this export/);
    // No colours, cursor moves or redrawn lines where no person watches.
    expect(run.stdout + run.stderr).not.toContain("\u001b");
    expect(run.stdout + run.stderr).not.toContain("\r");

    const list = await lab.archiver("dead-letters");
    expect(list.stdout).toMatch(/^1 {2}failed-one {2}export-failed, .* ago\n {4}.*Ask for it again\.$/m);
    const moved = await lab.archiver("dead-letters", "redrive", "1", "99");
    expect(moved.exitCode, "99 is not a letter").toBe(1);
    expect(moved.stdout).toMatch(/^Moved back 1: .*failed-one.*\nNo dead letter has the id 99; /);
    expect((await lab.archiver("dead-letters", "list")).stdout).toBe("There are no dead letters.\n");
  });
});

describe.concurrent("what runs decide", () => {
  test("ARCHIVER_DELETE=never archives and keeps, and a later run deletes without a second download", async (context) => {
    const lab = await openLab(context, { settings: { ARCHIVER_DELETE: "never" } });
    await lab.control.addTasks(finishedExports(1));
    const kept = await lab.archiverJson("run");
    expect(kept.exitCode).toBe(0);
    expect(v.parse(runReportSchema, kept.document)).toMatchObject({
      counts: { archived: 1, kept: 1, deleted: 0 },
      tasks: [{ outcome: "archived-kept", reason: "delete-disabled" }],
    });
    expect(kept.stderr).toMatch(/Run \S+: .*, deletion is off \(ARCHIVER_DELETE=never\)$/m);
    expect((await lab.archiver("status")).stdout).toMatch(
      /^Runs: deletion is off \(ARCHIVER_DELETE=never\)$/m,
    );
    const again = v.parse(runReportSchema, (await lab.archiverJson("run")).document);
    expect(again.counts.received).toBe(0);
    await lab.writeSettings();
    const deleted = v.parse(runReportSchema, (await lab.archiverJson("run")).document);
    expect(deleted).toMatchObject({ counts: { archived: 0, deleted: 1 }, tasks: [{ outcome: "deleted" }] });
    const downloads = (await lab.control.requests()).filter(
      ({ operation }) => operation === "showExportTask",
    );
    expect(downloads).toHaveLength(1);
    await expectArchivedOnce(lab, 1);
  });

  test("archive --under-pressure does nothing below the mark and everything at it", async (context) => {
    const lab = await openLab(context, { settings: { ARCHIVER_PRESSURE: "3" } });
    await lab.control.addTasks(finishedExports(2));
    await lab.archiver("discover");
    const calm = await lab.archiverJson("archive", "--under-pressure");
    expect(calm.exitCode).toBe(0);
    expect(v.parse(archiveReportSchema, calm.document)).toMatchObject({
      stopReason: "no-pressure",
      counts: { received: 0 },
      platform: { held: 2 },
    });
    await lab.control.addTasks([UNFINISHED]);
    const pressed = await lab.archiverJson("archive", "--under-pressure");
    // Received, not archived: on a busy machine one may miss its slots and be left to the next run.
    expect(v.parse(archiveReportSchema, pressed.document)).toMatchObject({
      stopReason: "drained",
      counts: { received: 2 },
    });
    await lab.archiver("run");
    await expectArchivedOnce(lab, 2);
  });

  test("run waits for what is due within 15 minutes, and says what is left and when it is due", async (context) => {
    const lab = await openNight(context, 1, { intervalMs: 400 });
    await lab.archiver("discover");
    lab.queue.put('{"exportTaskId":"unfinished-one"}');
    const later = new Date(Date.now() + 30 * MINUTE_MS).toISOString();
    lab.queue.put(`{"exportTaskId":"for-later","notBefore":"${later}"}`);
    lab.queue.delayAll(10 * MINUTE_MS);
    const archive = v.parse(archiveReportSchema, (await lab.archiverJson("archive")).document);
    expect(archive.counts.received).toBe(0);
    const running = lab.start("run");
    const waits = await running.until(() => /waits for the next task/.test(running.stderr));
    expect(waits, running.stderr).toBe(true);
    lab.queue.letDelaysPass();
    // An unfinished task is due every 10 intervals; finish it once the run has postponed it.
    const postponed = await running.until(() => /unfinished-one: postponed/.test(running.stderr));
    expect(postponed, running.stderr).toBe(true);
    await lab.control.patchTask("unfinished-one", { status: "Failed" });
    const { exitCode, stdout, stderr } = await running.ended;
    expect(exitCode, stderr).toBe(3);
    expect(stdout).toMatch(/archived 1 .*dead-lettered 2/);
    expect(stdout).toMatch(/^Left in the queue: 1 task, the next due in 2\d min/m);
    const left = await lab.archiverJson("run");
    expect(v.parse(runReportSchema, left.document).left).toMatchObject({ ready: 0, delayed: 1 });
  });

  test("a dead letter that is moved back starts afresh", async (context) => {
    const lab = await openLab(context, {
      settings: { ARCHIVER_MAX_ATTEMPTS: "2", ARCHIVER_GIVE_UP_AFTER_MS: "0" },
    });
    await lab.control.addTasks(finishedExports(2));
    await lab.control.scriptFaults({
      operation: "showExportTask",
      exportTaskId: "export-02",
      times: 2,
      fault: { kind: "status", status: 500, code: "IOTDA.000007" },
    });
    const ended = await lab.archiver("run");
    expect(ended.exitCode, ended.stderr).toBe(3);
    expect(ended.stdout).toMatch(/export-02 .* dead-lettered .* every attempt failed/);
    const [letter] = lab.queue.letters();
    expect(letter).toMatchObject({
      reason: "max-attempts",
      attempts: 2,
      detail: expect.stringContaining("500"),
    });
    expect(JSON.parse(letter?.body ?? "")).toEqual({
      exportTaskId: "export-02",
      revision: expect.stringMatching(/^[0-9a-f]{8}$/),
      source: "discover",
    });
    const skipped = v.parse(runReportSchema, (await lab.archiverJson("run")).document);
    expect(skipped, "discover leaves it to the operator").toMatchObject({ counts: { received: 0 } });

    await lab.archiver("dead-letters", "redrive", "--all");
    const redriven = await lab.archiverJson("run");
    expect(redriven.exitCode).toBe(0);
    expect(v.parse(runReportSchema, redriven.document)).toMatchObject({
      counts: { received: 1, archived: 1, deleted: 1, deadLettered: 0 },
    });
    await expectArchivedOnce(lab, 2);
  });

  test("a failure of the system goes before a dead letter in the exit code", async (context) => {
    const lab = await openNight(context, 3);
    await lab.control.scriptFaults({
      operation: "showExportTask",
      times: 100,
      fault: { kind: "status", status: 403, code: "IOTDA.000021" },
    });
    await lab.archiver("discover");
    // Received first, so that the letter is written before the verdict on the system.
    lab.queue.putFirst("{");
    const ended = await lab.archiverJson("archive");
    expect(v.parse(archiveReportSchema, ended.document)).toMatchObject({
      stopReason: "system-failure",
      counts: { deadLettered: 1 },
    });
    expect(ended.exitCode).toBe(1);
  });

  test("export requests that fail for the system's fault fail the run too, in which the rest is archived", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(1));
    await lab.control.scriptFaults({
      operation: "createExportTask",
      times: 100,
      fault: { kind: "status", status: 403, code: "IOTDA.000021" },
    });
    expect(await lab.archiver("request", "batch-99")).toMatchObject({ exitCode: 0 });
    const { exitCode, document } = await lab.archiverJson("run");
    expect(v.parse(runReportSchema, document)).toMatchObject({
      stopReason: "drained",
      counts: { archived: 1 },
      discovered: { requests: { failure: { code: "platform-forbidden" } } },
    });
    expect(exitCode).toBe(1);
  });
});
