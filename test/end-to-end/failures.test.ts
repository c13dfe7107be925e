import * as v from "valibot";
import { describe, expect, type TestContext, test } from "vitest";
import { expectArchivedOnce } from "./archive-audit.ts";
import type { Ended } from "./command-line.ts";
import { type RunDocument, runReportSchema } from "./documents.ts";
import { ACCOUNT, finishedExports, type Lab, openLab } from "./lab.ts";

const STACK_TRACE = /\n\s+at |node:internal/;
/** One failed attempt more would give a task up: so every run in a row would, if it counted as one. */
const GIVES_UP_SOON = { ARCHIVER_MAX_ATTEMPTS: "2", ARCHIVER_GIVE_UP_AFTER_MS: "0" };
const RUNS_IN_A_ROW = 4;

/** Three finished exports, and two of them queued by an operator's `discover` while all was well. */
async function openQueuedLab(context: TestContext, exports = 2): Promise<Lab> {
  const lab = await openLab(context);
  await lab.control.addTasks(finishedExports(exports));
  expect(await lab.archiver("discover")).toMatchObject({ exitCode: 0 });
  expect(lab.queue.messages()).toHaveLength(exports);
  return lab;
}

function reportOf({ stdout }: Pick<Ended, "stdout">): RunDocument {
  return v.parse(runReportSchema, JSON.parse(stdout));
}

/** A system failure as an operator must see it: exit 1, what is wrong and what to do, and nothing given up. */
function expectSystemFailure(ended: Ended, code: string, message: RegExp): RunDocument {
  expect(ended.exitCode, ended.stderr).toBe(1);
  expect(ended.stderr + ended.stdout).not.toMatch(STACK_TRACE);
  const report = reportOf(ended);
  expect(report.stopReason).toBe("system-failure");
  expect(report.counts).toMatchObject({ deadLettered: 0, retried: 0, archived: 0, deleted: 0 });
  expect(report.failure?.code).toBe(code);
  expect(`${report.failure?.message}. ${report.failure?.hint}`).toMatch(message);
  return report;
}

/** With the fault gone, one run finishes what was queued. */
async function expectFinishes(lab: Lab, exports: number): Promise<void> {
  const ended = await lab.archiver("run", "--json");
  expect(ended.exitCode, ended.stderr + ended.stdout).toBe(0);
  await expectArchivedOnce(lab, exports);
}

describe.concurrent("messages that no run can work on", () => {
  test("bad ids and unreadable bodies are dead-lettered with a reason, and hold no other up", async (context) => {
    const lab = await openQueuedLab(context);
    const bodies = ["../../etc/passwd", '{"exportTaskId":"no/such/id"}', '{"half":', "[1,2]"];
    lab.queue.put(...bodies);
    const ended = await lab.archiver("run", "--json");
    expect(ended.exitCode, ended.stderr).toBe(3);
    const report = reportOf(ended);
    expect(report.counts).toMatchObject({ deadLettered: bodies.length, archived: 2, deleted: 2 });
    const entries = report.tasks.filter(({ outcome }) => outcome === "dead-lettered");
    expect(entries).toEqual(
      bodies.map(() => expect.objectContaining({ exportTaskId: "(unreadable)", reason: "unreadable" })),
    );

    const letters = lab.queue.letters();
    expect(letters.map(({ body, reason }) => ({ body, reason }))).toEqual(
      bodies.map((body) => ({ body, reason: "unreadable" })),
    );
    for (const { detail } of letters) {
      expect(detail).toMatch(/^The .+\.$/);
    }
    const kept = await lab.store.keys("dead-letters");
    const records = await Promise.all(kept.map((key) => lab.store.json(key)));
    expect(records).toHaveLength(bodies.length);
    for (const body of bodies) {
      expect(records).toContainEqual(expect.objectContaining({ body, reason: "unreadable" }));
    }
    const list = await lab.archiver("dead-letters", "list");
    expect(list.stdout).toContain("../../etc/passwd");
    expect(list.stdout).toContain("unreadable");
    await expectArchivedOnce(lab, 2);
    expect((await lab.archiver("run")).exitCode, "a run with nothing new to give up").toBe(0);
  });
});

describe.concurrent("the platform lets no key in", () => {
  const WRONG_SECRET = "wrongSecretKey0123456789abcdefghijklmnopq";

  test("a wrong secret key, more runs in a row than attempts: exit 1, nothing given up, no attempt counted, no secret shown", async (context) => {
    const lab = await openQueuedLab(context);
    const queued = lab.queue.messages();
    await lab.writeSettings({ ...GIVES_UP_SOON, HUAWEICLOUD_SDK_SK: WRONG_SECRET });
    for (let run = 0; run < RUNS_IN_A_ROW; run += 1) {
      const ended = await lab.archiver(run % 2 === 0 ? "run" : "archive", "--json");
      expectSystemFailure(ended, "platform-unauthenticated", /401.*[Cc]heck the access key/s);
      for (const secret of [WRONG_SECRET, ACCOUNT.sk, ACCOUNT.ak, "Signature="]) {
        expect(ended.stdout + ended.stderr).not.toContain(secret);
      }
    }
    expect(lab.queue.messages()).toEqual(queued);
    expect(lab.queue.letters()).toEqual([]);
    const asked = await lab.control.requests();
    expect(asked.filter(({ operation }) => operation !== "listExportTasks")).toEqual([]);

    const forPeople = await lab.archiver("run");
    expect(forPeople.exitCode).toBe(1);
    expect(forPeople.stdout).toMatch(
      /a system failure stopped the run[\s\S]*slots used: not listed in this run\n[\s\S]*\nFailed: .+\n {2}Check the access key/,
    );
    expect(forPeople.stdout + forPeople.stderr).not.toContain(WRONG_SECRET);
    const discover = await lab.archiver("discover");
    expect(discover).toMatchObject({ exitCode: 1, stdout: "" });
    expect(discover.stderr).toMatch(/401[\s\S]*\n {2}Check the access key/);

    await lab.writeSettings();
    await expectFinishes(lab, 2);
  });

  test("an unreachable platform, more runs in a row than attempts: exit 1, nothing given up", async (context) => {
    const lab = await openQueuedLab(context);
    const queued = lab.queue.messages();
    // No server listens at port 1.
    await lab.writeSettings({ ...GIVES_UP_SOON, ARCHIVER_IOTDA_ENDPOINT: "http://127.0.0.1:1" });
    // Each run asks three times, with a pause of its own; so they may as well run side by side.
    const runs = Array.from({ length: RUNS_IN_A_ROW / 2 }, () => lab.archiver("archive", "--json"));
    const more = Array.from({ length: RUNS_IN_A_ROW / 2 }, () => lab.archiver("run", "--json"));
    for (const ended of await Promise.all([...runs, ...more])) {
      expectSystemFailure(ended, "platform-unreachable", /ECONNREFUSED|refused|connect/);
    }
    expect(lab.queue.messages()).toEqual(queued);
    expect(lab.queue.letters()).toEqual([]);
    await lab.writeSettings();
    await expectFinishes(lab, 2);
  });

  test.for([20, -20, 7, -7])(
    "a platform whose clock is %i min away: the message speaks of the clock",
    async (minutes, context) => {
      const lab = await openQueuedLab(context, 1);
      const queued = lab.queue.messages();
      await lab.control.changeSettings({ dateSkewMs: minutes * 60_000 });
      const ended = await lab.archiver("run", "--json");
      const code =
        Math.abs(minutes) > 15
          ? /clock/
          : new RegExp(
              `clock is ${Math.abs(minutes)} min ${minutes > 0 ? "behind" : "ahead of"} the platform's`,
            );
      const failure = reportOf(ended).failure;
      expectSystemFailure(ended, failure?.code ?? "", code);
      expect(failure?.hint).toMatch(/clock.*NTP|NTP.*clock/i);
      expect(lab.queue.messages()).toEqual(queued);
      await lab.control.changeSettings({ dateSkewMs: 0 });
      await expectFinishes(lab, 1);
    },
  );

  test("downloads without permission: the run stops at the second task, and neither is given up", async (context) => {
    const lab = await openQueuedLab(context, 3);
    await lab.control.scriptFaults({
      operation: "showExportTask",
      times: 100,
      fault: { kind: "status", status: 403, code: "IOTDA.000021" },
    });
    const report = expectSystemFailure(await lab.archiver("run", "--json"), "platform-forbidden", /Grant /);
    expect(report.tasks.map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual([
      "postponed system-failure",
      "postponed system-failure",
    ]);
    await lab.control.clearFaults();
    lab.queue.letDelaysPass();
    await expectFinishes(lab, 3);
  });
});
