import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { describe, expect, type TestContext, test } from "vitest";
import { expectArchivedOnce } from "./archive-audit.ts";
import type { Running } from "./command-line.ts";
import { runReportSchema } from "./documents.ts";
import { finishedExports, type Lab, openLab } from "./lab.ts";

const MIB = 1024 * 1024;
/** Far less than the rest of a slow download takes. */
const AT_ONCE_MS = 3_000;

/** One export whose file drips for 20 s, and the run that is in the middle of it. */
async function openSlowDownload(
  context: TestContext,
  ...args: readonly string[]
): Promise<{ lab: Lab; running: Running }> {
  const lab = await openLab(context, { settings: { ARCHIVER_VISIBILITY_MS: "1000" } });
  await lab.control.addTasks(finishedExports(1, { fillerBytes: 4 * MIB }));
  await lab.control.scriptFaults({
    operation: "showExportTask",
    fault: { kind: "slow-drip", bytesPerSecond: MIB / 5 },
  });
  const running = lab.start("run", ...args);
  const isDownloading = await running.until(async () => (await lab.store.unfinishedUploads()).length > 0);
  expect(isDownloading, running.stderr).toBe(true);
  await sleep(200);
  return { lab, running };
}

async function expectNothingLost(lab: Lab): Promise<void> {
  expect(await lab.archiver("run")).toMatchObject({ exitCode: 0 });
  await expectArchivedOnce(lab, 1);
}

describe.concurrent("an interrupt in the middle of a download", () => {
  test.for(["SIGINT", "SIGTERM"] as const)(
    "%s once: the message is handed back as it was, the half file is removed, exit 130",
    async (signal, context) => {
      const { lab, running } = await openSlowDownload(context, "--json");
      const interruptedAtMs = performance.now();
      running.kill(signal);
      const ended = await running.ended;
      expect(performance.now() - interruptedAtMs).toBeLessThan(AT_ONCE_MS);
      expect(ended.exitCode, ended.stderr).toBe(130);
      expect(ended.stderr).toMatch(/Stopping: handing tasks back to the queue\.\n/);
      expect(v.parse(runReportSchema, JSON.parse(ended.stdout))).toMatchObject({
        stopReason: "aborted",
        counts: { received: 1, archived: 0, retried: 0, postponed: 0, deadLettered: 0 },
        tasks: [],
        left: { ready: 1, delayed: 0, inFlight: 0 },
      });
      expect(lab.queue.messages()).toMatchObject([{ receive_count: 0 }]);
      expect(JSON.parse(lab.queue.messages()[0]?.body ?? "")).toEqual({
        exportTaskId: "export-01",
        revision: expect.any(String),
        source: "discover",
      });
      expect(await lab.store.keys("exports")).toEqual([]);
      await expectNothingLost(lab);
    },
  );

  test("twice: it ends at once, even when it cannot hand back, and nothing is lost", async (context) => {
    const { lab, running } = await openSlowDownload(context);
    // Handing back waits for this lock, longer than anybody at a terminal would.
    const unlock = lab.queue.lock();
    try {
      running.kill("SIGINT");
      expect(await running.until(() => running.stderr.includes("Stopping:"))).toBe(true);
      await sleep(300);
      expect(running.isOver, "it waits for the queue").toBe(false);
      const againAtMs = performance.now();
      running.kill("SIGINT");
      expect(await running.ended).toMatchObject({ exitCode: 130, stdout: "" });
      expect(performance.now() - againAtMs).toBeLessThan(AT_ONCE_MS);
    } finally {
      unlock();
    }
    expect(lab.queue.messages()).toMatchObject([{ receive_count: 1 }]);
    await expectNothingLost(lab);
  });
});

test.concurrent("an interrupt while a run waits for what is due ends it with its report", async (context) => {
  const lab = await openLab(context);
  await lab.control.addTasks([{ exportTaskId: "unfinished-one", status: "Processing" }]);
  await lab.archiver("discover");
  lab.queue.put("unfinished-one");
  lab.queue.delayAll(120_000);
  const running = lab.start("run");
  expect(await running.until(() => running.stderr.includes("Discovered:"))).toBe(true);
  await sleep(600);
  expect(running.isOver, running.stderr).toBe(false);
  running.kill("SIGINT");
  const { exitCode, stdout } = await running.ended;
  expect(exitCode).toBe(130);
  expect(stdout).toMatch(/^Run \S+: interrupted; unfinished tasks went back to the queue/);
  expect(stdout).toMatch(/^Left in the queue: 1 task, the next due in 1 min \d\d s$/m);
});

test.concurrent("an interrupt before there is anything to report is the one document of --json", async (context) => {
  const lab = await openLab(context);
  await lab.control.scriptFaults({ operation: "listExportTasks", times: 9, fault: { kind: "stall" } });
  const running = lab.start("status", "--json");
  const isAsking = async () => (await lab.control.requests()).length > 0;
  expect(await running.until(isAsking), running.stderr).toBe(true);
  running.kill("SIGTERM");
  const { exitCode, stdout } = await running.ended;
  expect(exitCode).toBe(130);
  expect(JSON.parse(stdout)).toMatchObject({ failure: { code: "interrupted", hint: expect.any(String) } });
});
