import { describe, expect, test, vi } from "vitest";
import { Receiver, saying } from "../../lib/notify/testing/receiver.ts";
import type { FunctionInput, InvocationView } from "../../sandbox/functiongraph/start.ts";
import { expectArchivedOnce } from "./archive-audit.ts";
import { linesOf } from "./function-host.ts";
import { auditedLab, openHuaweiLab, unpackedCode } from "./functiongraph-lab.ts";
import { finishedExports } from "./lab.ts";

const INTERVAL_MS = 200;
const TOKEN = "5f2d9c3a-1b2c-4d4e-8f6a-planted00001";

const POLICY = JSON.stringify({ schemaVersion: 1, rules: [], default: { keepDays: 30, lock: "none" } });

type Changes = Partial<FunctionInput> & { readonly userEvent?: string };

function answered({ outcome, body }: InvocationView): unknown {
  expect(outcome, body).toBe("succeeded");
  return JSON.parse(body);
}

describe.concurrent("on FunctionGraph and OBS, with the keys of an agency", () => {
  test("a night: discover, archive, inventory, report, retain, expire; the heartbeat is pinged, and no key is in a log", async (context) => {
    const receiver = await Receiver.open(saying(200));
    context.onTestFinished(() => receiver[Symbol.asyncDispose]());
    const { lab, graph, deploy } = await openHuaweiLab(context, await unpackedCode(context), {
      intervalMs: INTERVAL_MS,
    });
    await lab.control.addTasks(finishedExports(3));
    const encryptedUserData = { ARCHIVER_HEARTBEAT_URL: `${receiver.origin}/${TOKEN}` };
    const archive = deploy("archive", { encryptedUserData });
    const userData = { ARCHIVER_RETENTION_POLICY: POLICY };
    const others = [
      deploy("discover"),
      deploy("inventory"),
      deploy("report", { encryptedUserData }),
      deploy("retain", { userData }),
      deploy("expire", { userData }),
    ] as const;
    const [discover, inventory, report, retain, expire] = others;

    expect(answered(await discover.fireTimer())).toMatchObject({ held: 3, enqueued: { length: 3 } });
    await graph.agency.rotate();
    const run = answered(await archive.fireTimer('{"when":"always"}'));
    expect(run).toMatchObject({ stopReason: "drained", counts: { archived: 3, deleted: 3 } });
    await graph.agency.rotate({ expired: true });
    expect(answered(await archive.fireTimer('{"when":"pressure"}'))).toMatchObject({
      stopReason: "no-pressure",
    });
    expect(answered(await inventory.fireTimer())).toMatchObject({ counts: { exports: 3 }, damage: [] });
    expect(answered(await report.fireTimer())).toMatchObject({
      night: { counts: { archived: 3, deleted: 3 } },
      pageKey: "reports/latest.html",
    });
    expect(answered(await retain.fireTimer())).toMatchObject({ counts: { retained: 3 } });
    expect(answered(await expire.fireTimer())).toMatchObject({ counts: { due: 0, removed: 0 } });

    await expectArchivedOnce(await auditedLab(lab), 3);
    expect(await lab.bucket.keys("reports/latest.html")).toHaveLength(1);
    expect(await lab.bucket.keys("catalogue/")).toHaveLength(1);
    expect(receiver.received.map(({ path }) => path)).toEqual([
      `/${TOKEN}/start`,
      `/${TOKEN}`,
      `/${TOKEN}/start`,
      `/${TOKEN}`,
    ]);
    const functions = [archive, ...others];
    expect(functions.map(({ instances, notices }) => [instances.length, notices.length])).toEqual(
      functions.map(() => [1, 0]),
    );
    const log = functions.map((one) => one.log).join("");
    // JSON documents, all of them on standard output; and no line for CloudWatch.
    expect(linesOf(log).length).toBeGreaterThan(5);
    expect(log).not.toContain("_aws");
    expect(log).not.toContain(TOKEN);
    expect(log).not.toMatch(/AGENCY[0-9A-F]{14}/);
  });

  test("a batch task that IoTDA forwards becomes an export request; what is none becomes a dead letter", async (context) => {
    const { lab, deploy } = await openHuaweiLab(context, await unpackedCode(context), {
      intervalMs: INTERVAL_MS,
    });
    const exportEvents = deploy("exportEvents", { maxInstances: 5 });
    const views = await Promise.all(
      ["batch-1", "batch-2"].map((taskId) => exportEvents.forwardBatchTask({ taskId })),
    );
    expect(views.map(answered)).toMatchObject([
      { taken: [{}], refused: [] },
      { taken: [{}], refused: [] },
    ]);
    expect(exportEvents.instances).toHaveLength(2);
    expect(await lab.bucket.keys("requests/")).toHaveLength(2);
    expect(answered(await exportEvents.test('{"wrapped":{"resource":"batchtask"}}'))).toMatchObject({
      refused: [{ reason: "unknown-event" }],
    });
    const [letter = ""] = await lab.bucket.keys("queue/dead-letters/");
    expect(JSON.stringify(await lab.bucket.json(letter))).toContain("wrapped");
  });

  test("a failure of the system makes the invocation fail, and says so in the log and in the notice", async (context) => {
    const { lab, deploy } = await openHuaweiLab(context, await unpackedCode(context), {
      intervalMs: INTERVAL_MS,
      begun: false,
    });
    await lab.control.addTasks(finishedExports(1));
    const archive = deploy("archive");
    expect(await archive.fireTimer()).toMatchObject({ outcome: "failed" });
    expect(archive.notices).toMatchObject([
      { function_error: expect.stringContaining('"errorType":"no-archive"') },
    ]);
    expect(linesOf(archive.log)).toContainEqual(
      expect.objectContaining({ level: "ERROR", message: "system-failure" }),
    );
    expect((await lab.control.state()).removals).toEqual([]);
  });

  test.for<[string, Changes, string]>([
    ["no agency", { hasAgency: false }, "agency-keys-missing"],
    ["a handler of another program", { handler: "index.handler" }, "runtime-misconfigured"],
    ["a misspelt setting", { userData: { ARCHIVER_DELTE: "never" } }, "configuration"],
    ["a timer whose text is not JSON", { userEvent: "always" }, "unknown-event"],
    ["a timer that asks for something else", { userEvent: '{"when":"never"}' }, "unknown-event"],
  ])("with %s each invocation fails, and says why", async ([_what, changes, code], context) => {
    const { userEvent = "", ...settings } = changes;
    const { deploy } = await openHuaweiLab(context, await unpackedCode(context), {
      intervalMs: INTERVAL_MS,
    });
    const archive = deploy("archive", settings);
    for (let calls = 1; calls <= 2; calls += 1) {
      const { outcome, body } = await archive.fireTimer(userEvent);
      expect({ outcome, error: JSON.parse(body) }).toMatchObject({
        outcome: "failed",
        error: { errorType: code },
      });
    }
    expect(archive.instances).toHaveLength(1);
  });

  test("a tick during a run is discarded; the run goes on", async (context) => {
    const { lab, deploy } = await openHuaweiLab(context, await unpackedCode(context), {
      intervalMs: INTERVAL_MS,
    });
    await lab.control.addTasks(finishedExports(4));
    await deploy("discover").fireTimer();
    const archive = deploy("archive");
    const running = archive.fireTimer();
    await vi.waitFor(async () => expect(await lab.bucket.keys("exports/")).not.toEqual([]), {
      timeout: 240_000,
    });
    expect(await archive.fireTimer()).toMatchObject({ outcome: "discarded" });
    expect(answered(await running)).toMatchObject({ counts: { archived: 4 } });
    await expectArchivedOnce(await auditedLab(lab), 4);
  });
});
