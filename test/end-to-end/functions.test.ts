import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { expectArchivedOnce } from "./archive-audit.ts";
import { archiveReportSchema, discoverReportSchema } from "./documents.ts";
import { type Call, callFresh, linesOf, metricsOf } from "./function-host.ts";
import { finishedExports, type Lab, openLab, type SettingChanges } from "./lab.ts";

interface Invocation extends Call {
  readonly settings?: SettingChanges;
}

/** Calls a built function as a Lambda-like host does: a fresh process, settings in the environment, event and context. */
async function invoke(lab: Lab, name: "archive" | "discover", { settings, ...call }: Invocation = {}) {
  return await callFresh(lab.settings(settings), name, call);
}

async function archive(lab: Lab, invocation: Invocation = {}) {
  const { returned, log } = await invoke(lab, "archive", invocation);
  return { report: v.parse(archiveReportSchema, returned), log };
}

async function discover(lab: Lab): Promise<readonly string[]> {
  const { returned, thrown } = await invoke(lab, "discover");
  expect(thrown).toBeUndefined();
  return v.parse(discoverReportSchema, returned).enqueued;
}

describe.concurrent("the deployed functions, against the sandbox", () => {
  test("discover enqueues and archive drains; both return the reports of architecture §6.4", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(2));
    expect(await discover(lab)).toEqual(["export-01", "export-02"]);

    const { report, log } = await archive(lab);
    expect(report).toMatchObject({
      stopReason: "drained",
      counts: { received: 2, archived: 2, deleted: 2 },
      platform: { held: 0 },
    });
    const lines = linesOf(log);
    expect(lines.length).toBeGreaterThan(4);
    const ofTasks = lines.filter(({ message }) => message === "archived" || message === "task-ended");
    expect(ofTasks).toHaveLength(4);
    for (const line of ofTasks) {
      expect(line).toMatchObject({
        runId: report.runId,
        idempotencyKey: expect.stringMatching(/^iotda:[0-9a-f]{32}:default:export-0[12]:[0-9a-f]{8}$/),
      });
    }
    expect(metricsOf(log)).toMatchObject([
      {
        service: "iotda-archiver",
        TasksHeld: 0,
        TasksArchived: 2,
        TasksDeleted: 2,
        TasksKept: 0,
        TasksDeadLettered: 0,
        ExportsLost: 0,
        ThrottledDownloads: 0,
        SystemFailures: 0,
        BytesArchived: report.bytes,
        OldestUnarchivedAgeSeconds: 0,
        VerificationFailures: 0,
        RunsCompleted: 1,
      },
    ]);
    await expectArchivedOnce(lab, 2);
  });

  test('{"when":"pressure"} does nothing below the mark', async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(2));
    await discover(lab);
    const queued = lab.queue.messages();
    const { report } = await archive(lab, { event: { when: "pressure" } });
    expect(report).toMatchObject({
      stopReason: "no-pressure",
      counts: { received: 0 },
      platform: { held: 2 },
    });
    expect(lab.queue.messages()).toEqual(queued);

    const pressed = await archive(lab, { event: { when: "pressure" }, settings: { ARCHIVER_PRESSURE: "2" } });
    expect(pressed.report).toMatchObject({ stopReason: "drained", counts: { archived: 2 } });
  });

  test("with one second left it receives nothing and says that its time is up", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(1));
    await discover(lab);
    const { report } = await archive(lab, { timeLeftMs: 1_000 });
    expect(report).toMatchObject({ stopReason: "time-budget", counts: { received: 0 }, tasks: [] });
    expect(lab.queue.messages()).toMatchObject([{ receive_count: 0 }]);
    expect((await archive(lab)).report).toMatchObject({ counts: { archived: 1, deleted: 1 } });
  });

  test("a wrong configuration is returned as a failure, by discover too", async (context) => {
    const lab = await openLab(context);
    const settings = { ARCHIVER_STORE: undefined, ARCHIVER_DELETE: "yes" };
    const { report } = await archive(lab, { settings });
    expect(report).toMatchObject({ stopReason: "system-failure", counts: { received: 0 } });
    expect(report.failure).toMatchObject({ code: "configuration" });
    expect(report.failure?.message).toMatch(/2 problems:\n {2}ARCHIVER_\w+: .+\n {2}ARCHIVER_\w+: /);
    const discovered = await invoke(lab, "discover", { settings });
    expect(discovered.thrown).toBeUndefined();
    expect(discovered.returned).toMatchObject({ enqueued: [], failure: report.failure });
  });

  test("an event that asks for something unknown is told so, not taken for a bug", async (context) => {
    const lab = await openLab(context);
    const { report } = await archive(lab, { event: { when: "presure" } });
    expect(report).toMatchObject({
      stopReason: "system-failure",
      failure: { code: "unknown-event", hint: expect.stringContaining('{"when":"pressure"}') },
    });
  });

  test("a platform that lets no key in is a failure in the report, with the run's log and no secret", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(1));
    await discover(lab);
    const sk = "wrongSecretKey0123456789abcdefghijklmnopq";
    const { report, log } = await archive(lab, { settings: { HUAWEICLOUD_SDK_SK: sk } });
    expect(report).toMatchObject({
      stopReason: "system-failure",
      failure: { code: "platform-unauthenticated", hint: expect.stringContaining("access key") },
    });
    expect(log + JSON.stringify(report)).not.toContain(sk);
    expect(lab.queue.messages()).toMatchObject([{ receive_count: 0 }]);
  });
});
