import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as v from "valibot";
import { describe, expect, test, vi } from "vitest";
import { expectArchivedOnce } from "./archive-audit.ts";
import { ROOT, startNode } from "./command-line.ts";
import { archiveReportSchema, discoverReportSchema } from "./documents.ts";
import { finishedExports, type Lab, openLab, type SettingChanges } from "./lab.ts";

// Several processes a test, on a machine that may be busy.
vi.setConfig({ testTimeout: 40_000 });

const MINUTE_MS = 60_000;

interface Invocation {
  readonly event?: unknown;
  /** What the host says is left of the function's time at the start. */
  readonly timeLeftMs?: number;
  readonly settings?: SettingChanges;
}

interface Invoked {
  /** What the handler returned; `undefined` when it threw. */
  readonly returned: unknown;
  /** The text of what it threw. */
  readonly thrown: string | undefined;
  readonly log: string;
}

const invokedSchema = v.object({ returned: v.optional(v.unknown()), thrown: v.optional(v.string()) });

/** Calls a built function as a Lambda-like host does: a fresh process, settings in the environment, event and context. */
async function invoke(lab: Lab, name: "archive" | "discover", invocation: Invocation = {}): Promise<Invoked> {
  const { event = { source: "timer", time: "2026-11-22T01:00:00Z" }, timeLeftMs = 15 * MINUTE_MS } =
    invocation;
  const bundle = pathToFileURL(join(ROOT, "dist", "functions", `${name}.mjs`)).href;
  const answerFile = join(lab.folder, "answer.json");
  const host = join(lab.folder, "host.mjs");
  // A file and not --eval, which would lend the bundle a `require`.
  await writeFile(
    host,
    `import { writeFileSync } from "node:fs";
     const { handler } = await import(${JSON.stringify(bundle)});
     const endsAt = performance.now() + ${timeLeftMs};
     // Fractions too: nothing says that a host tells whole milliseconds.
     const context = { getRemainingTimeInMillis: () => Math.max(0, endsAt - performance.now()) };
     const answer = await handler(${JSON.stringify(event)}, context).then(
       (returned) => ({ returned }), (error) => ({ thrown: String(error?.message) }));
     writeFileSync(${JSON.stringify(answerFile)}, JSON.stringify(answer));`,
  );
  const ended = await startNode(host, lab.settings(invocation.settings)).ended;
  expect(ended.exitCode, ended.stderr).toBe(0);
  const answer = v.parse(invokedSchema, JSON.parse(await readFile(answerFile, "utf8")));
  return { returned: answer.returned, thrown: answer.thrown, log: ended.stdout + ended.stderr };
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
  test("discover enqueues and archive drains; both return the reports of design §6.4", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(2));
    expect(await discover(lab)).toEqual(["export-01", "export-02"]);

    const { report, log } = await archive(lab);
    expect(report).toMatchObject({
      stopReason: "drained",
      counts: { received: 2, archived: 2, deleted: 2 },
      platform: { held: 0 },
    });
    const lines = log.trim().split("\n");
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) {
      expect(JSON.parse(line), "a log line is one JSON object").toMatchObject({ level: expect.any(String) });
    }
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

  test("a platform that lets nobody in is a failure in the report, with the run's log and no secret", async (context) => {
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
